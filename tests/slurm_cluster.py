"""A real SLURM of one node on the loopback interface, for tests: partitions cpu and gpu, simulated GPUs and memory.

SLURM's commands read their configuration from one fixed place, so there must be none yet, and we must be root.
"""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

HOME = Path("/etc/slurm")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "scancel", "squeue", "scontrol")

CONFIGURATION = """
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=batch_sched_delay=0
EnforcePartLimits=ALL
MinJobAge=3600
KillWait=20
SlurmdTimeout=10
ReturnToService=2
MpiDefault=none
MailProg=/bin/true
GresTypes=gpu
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 SocketsPerBoard=1 CoresPerSocket=2 ThreadsPerCore=1 RealMemory=64000 \
Gres=gpu:2 State=UNKNOWN
PartitionName=cpu Nodes={host} Default=YES MaxTime=INFINITE State=UP
PartitionName=gpu Nodes={host} MaxTime=INFINITE State=UP
"""
GPUS = """
NodeName={host} Name=gpu File=/dev/null
NodeName={host} Name=gpu File=/dev/zero
"""


def why_not() -> str | None:
    """Why no SLURM can be started here, or None if it can."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        return f"no SLURM: {', '.join(missing)} not installed (Debian: munge slurmctld slurmd slurm-client)"
    if os.geteuid() != 0:
        return "no SLURM: only root can start one"
    if (HOME / "slurm.conf").exists():
        return f"no SLURM of our own: this machine has one ({HOME}/slurm.conf)"
    if shutil.which("unshare") is None:
        return "no SLURM: no unshare"
    return None


class Cluster:
    """The daemons, by the process ids they write."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self) -> str | None:
        """Start munge, the controller and the node; why they failed to start, or None."""
        try:
            self._start()
        except (OSError, LookupError, RuntimeError, subprocess.CalledProcessError) as error:
            return f"no SLURM: it cannot be started here ({error})"
        return None

    def _start(self) -> None:
        host = platform.node().split(".")[0]
        for name in ("state", "spool"):
            (self.folder / name).mkdir(parents=True)
        HOME.mkdir(exist_ok=True)
        (HOME / "slurm.conf").write_text(CONFIGURATION.format(host=host, folder=self.folder))
        (HOME / "gres.conf").write_text(GPUS.format(host=host))
        run = Path("/run/munge")
        run.mkdir(exist_ok=True)
        shutil.chown(run, "munge", "munge")
        if not (run / "munge.socket.2").exists():
            become = ["setpriv", "--reuid=munge", "--regid=munge", "--init-groups"]
            subprocess.run([*become, "munged", f"--pid-file={run}/munged.pid"], check=True)
        subprocess.run(["slurmctld", "-c"], check=True)
        self.start_node()

    def start_node(self) -> None:
        """Start the daemon of the node and wait until it accepts jobs."""
        subprocess.run(["slurmd"], check=True)
        end = time.monotonic() + 60
        while "idle" not in told("sinfo", "--noheader", "--format=%T"):
            if time.monotonic() > end:
                raise RuntimeError(f"SLURM did not come up: {(self.folder / 'slurmctld.log').read_text()}")
            time.sleep(0.5)

    def kill(self, daemon: str, number: signal.Signals = signal.SIGKILL) -> None:
        """End `slurmctld` or `slurmd`, by its process id."""
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
            os.kill(int((self.folder / f"{daemon}.pid").read_text()), number)

    def stop(self) -> None:
        """Stop everything, and remove the configuration."""
        told("scancel", "--user=root")
        for daemon in ("slurmd", "slurmctld"):
            self.kill(daemon, signal.SIGTERM)
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
            os.kill(int(Path("/run/munge/munged.pid").read_text()), signal.SIGTERM)
        time.sleep(1)
        for name in ("slurm.conf", "gres.conf"):
            (HOME / name).unlink(missing_ok=True)


def told(*command: str) -> str:
    """The output of a SLURM command; empty if it fails or hangs."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        return subprocess.run(command, capture_output=True, text=True, timeout=30).stdout
    return ""


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Cluster]:
    """A cluster that keeps its files in `folder`."""
    cluster = Cluster(folder)
    try:
        yield cluster
    finally:
        cluster.stop()
