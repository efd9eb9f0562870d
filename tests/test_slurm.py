"""The workflow on a real SLURM, with a cancelled job, a timeout and a dying node: the same bytes as without SLURM."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import slurm_cluster as slurm
import snakemake_runs as runs
from killing import training_of, wait_for

pytestmark = pytest.mark.workflow

TINY: dict[str, Any] = {
    **runs.DRAWN,
    "shards": 2,
    "recipes": {"cam": runs.CAM_RECIPE},
    "classifier": {"plain": runs.QUICK_CLASSIFIER | {"epochs": 400}},
}
FOLDER = Path("results/tiny/plain")
SEEDS = FOLDER / "cam/none/threshold"
TARGET = str(SEEDS / "seeds.h5")
STATE = FOLDER / ".classifier.safetensors.training"
LOG = Path("logs/tiny/plain/train_classifier.log")
ARTIFACTS = [
    FOLDER / "classifier.safetensors",
    *(FOLDER / f"cam/cams.shards/{name}.h5" for name in ("000-of-002", "001-of-002")),
    *(SEEDS / f"seeds{name}.h5" for name in ("", ".shards/000-of-002", ".shards/001-of-002")),
]
PROFILE = ["--workflow-profile", "profiles/slurm", "--slurm-status-command", "squeue"]
AT_ONCE = ["--slurm-init-seconds-before-status-checks", "8", "--retries", "0", "--latency-wait", "10"]
SUBMIT = (*PROFILE, *AT_ONCE, "--", TARGET)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[slurm.Cluster]:
    if reason := slurm.why_not():
        pytest.skip(reason)
    with slurm.running(tmp_path_factory.mktemp("slurm")) as cluster:
        if reason := cluster.start():
            pytest.skip(reason)
        yield cluster


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> dict[Path, bytes]:
    """The artifacts of a run without SLURM."""
    folder = runs.project_in(tmp_path_factory.mktemp("undisturbed"), repository, TINY)
    runs.succeed(folder, "--", TARGET)
    return {path: (folder / path).read_bytes() for path in ARTIFACTS}


def job_of_training() -> str:
    """The id of the only running job."""
    jobs = slurm.told("squeue", "--noheader", "--states=running", "--format=%i").split()
    assert len(jobs) == 1, jobs
    return jobs[0]


def wait_until(words: str, *command: str, most: float = 180.0) -> None:
    """Wait until a command of SLURM prints `words`."""
    end = time.monotonic() + most
    while words not in (found := slurm.told(*command)):
        if time.monotonic() > end:
            raise TimeoutError(f"{' '.join(command)}: expected {words}, found {found}")
        time.sleep(0.5)


def test_the_bytes_are_those_of_a_quiet_run(
    cluster: slurm.Cluster,
    undisturbed: dict[Path, bytes],
    tmp_path: Path,
    repository: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WSSS_SAVE_SECONDS", "0.2")
    project = runs.project_in(tmp_path, repository, TINY)

    # a job is cancelled
    first = runs.started(project, *SUBMIT)
    training = training_of(project / STATE)
    job = job_of_training()
    about = slurm.told("scontrol", "show", "job", job)
    assert "Partition=gpu" in about
    assert "gres:gpu:1" in about
    slurm.told("scancel", job)
    output, _ = first.communicate()
    assert first.returncode == 1, output
    assert "told to end by SIGTERM" in (project / LOG).read_text()
    assert not (project / ARTIFACTS[0]).exists()

    # another hits its time limit: it is paused until then, so that it does not end before
    second = runs.started(project, *SUBMIT)
    training = training_of(project / STATE, training)
    wait_for(project / LOG, "going on from", 120)
    job = job_of_training()
    os.kill(training, signal.SIGSTOP)
    slurm.told("scontrol", "update", f"JobId={job}", "TimeLimit=1")
    wait_for(cluster.folder / "slurmctld.log", f"Time limit exhausted for JobId={job}", 240)
    os.kill(training, signal.SIGCONT)
    output, _ = second.communicate()
    assert second.returncode == 1, output
    assert "told to end by SIGTERM" in (project / LOG).read_text()

    # the node's daemon dies during the third, the node is marked down, and the daemon restarts
    third = runs.started(project, *SUBMIT)
    training = training_of(project / STATE, training)
    wait_for(project / LOG, "going on from", 120)
    os.kill(training, signal.SIGSTOP)
    cluster.kill("slurmd")
    wait_until("down", "sinfo", "--noheader", "--format=%T")
    os.kill(training, signal.SIGCONT)
    cluster.start_node()
    output, _ = third.communicate()
    if third.returncode:  # the executor may consider the job failed, or SLURM may have requeued it
        output = runs.succeed(project, *SUBMIT)
    assert not (project / STATE).exists()
    assert {path: (project / path).read_bytes() for path in ARTIFACTS} == undisturbed, output
    assert runs.planned(project, "--", TARGET) == set()
    assert re.findall(r"SLURM jobid", output), "the rules ran through SLURM"
