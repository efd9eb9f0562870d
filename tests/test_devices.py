"""Each process gets a GPU that no other has; there is none here, so torch's answers are faked."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from wsss_steps.errors import UserError
from wsss_steps.training import devices, locks

HOLD = """
import contextlib, sys
from pathlib import Path
from wsss_steps.training import locks
with locks.one_of([Path(name) for name in sys.argv[1:]], "computes on it") as index:
    print(index, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def workstation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[int]:
    """A fake machine with two GPUs; the devices that were chosen."""
    chosen: list[int] = []
    for name in ("CUDA_VISIBLE_DEVICES", "SLURM_JOB_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: f"made up {index}")
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    monkeypatch.setattr(devices.tempfile, "gettempdir", lambda: str(tmp_path))
    return chosen


def hold(folder: Path, *names: str) -> subprocess.Popen[str]:
    """Another process that holds the first free GPU of `names`."""
    paths = [str(folder / f"{name}.lock") for name in names]
    process = subprocess.Popen([sys.executable, "-c", HOLD, *paths], stdin=-1, stdout=-1, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def locks_of(folder: Path) -> Path:
    return next(folder.glob("wsss-gpus-*"))


def test_each_process_gets_a_gpu_of_its_own(workstation: list[int], tmp_path: Path) -> None:
    with devices.leased("auto") as name:
        assert (name, workstation) == ("cuda", [0])
    other = hold(locks_of(tmp_path), "0", "1")
    with devices.leased("cuda"):
        assert workstation == [0, 1]
    other.kill()  # a dead process holds nothing
    other.wait()
    with devices.leased("cuda"):
        assert workstation == [0, 1, 0]


def test_who_holds_all_gpus_is_named(
    workstation: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with devices.leased("auto"):
        pass
    others = [hold(locks_of(tmp_path), "0", "1") for _ in range(2)]
    monkeypatch.setenv(locks.WAIT, "0")
    with pytest.raises(UserError, match=f"0.lock: process {others[0].pid} on .* computes on it; .*1.lock: process"):
        devices.leased("cuda").__enter__()
    monkeypatch.setenv(locks.WAIT, "60")
    monkeypatch.setattr(locks, "SECONDS_BETWEEN_LOOKS", 0.05)
    begun = time.monotonic()
    monkeypatch.setattr(time, "sleep", lambda _: others[1].communicate())  # the other process ends while this one waits
    with devices.leased("cuda"):
        assert workstation[-1] == 1
    assert time.monotonic() - begun < 60
    assert f"waiting for process {others[0].pid}" in caplog.text
    others[0].communicate()


def test_float32_is_not_rounded_to_tf32(workstation: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)  # as torch has it
    with devices.leased("auto"):
        assert not torch.backends.cudnn.allow_tf32
        assert not torch.backends.cuda.matmul.allow_tf32


def test_devices_that_slurm_gave_are_taken(workstation: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    with devices.leased("auto") as name:
        assert (name, workstation) == ("cuda", [0])
    monkeypatch.setenv("LOCAL_RANK", "1")  # one of the processes started by torchrun
    with devices.leased("auto"):
        assert workstation == [0, 1]


def test_gpus_that_are_hidden_keep_their_names(workstation: list[int]) -> None:
    assert devices.names_of_gpus({"CUDA_VISIBLE_DEVICES": "2, 5"}, 2) == ["2", "5"]
    assert devices.names_of_gpus({}, 2) == ["0", "1"]


def test_without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with devices.leased("auto") as name:
        assert name == "cpu"
    with pytest.raises(UserError, match="torch finds no GPU; use device=auto"):
        devices.resolve("cuda")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(UserError, match="CUDA_VISIBLE_DEVICES='' hides some or all"):
        devices.resolve("cuda")


@pytest.mark.parametrize("device", ["tpu", "cpu; touch x", "cuda:", "cuda:x", "cuda:0 ", "cuda:-1", "cuda:\u0661", ""])
def test_what_is_no_device_is_refused(device: str, workstation: list[int]) -> None:
    with pytest.raises(UserError, match=f"device: expected auto, cpu, cuda or cuda:N .* found '{device}'"):
        devices.leased(device).__enter__()
    assert not workstation


def test_one_gpu_by_its_number(workstation: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with devices.leased("cuda:1") as name:
        assert (name, workstation) == ("cuda", [1])
    other = hold(locks_of(tmp_path), "1")
    monkeypatch.setenv(locks.WAIT, "0")
    with devices.leased("cuda"):
        assert workstation == [1, 0]
    with pytest.raises(UserError, match=f"1.lock: process {other.pid} on .* computes on it"):
        devices.leased("cuda:1").__enter__()
    other.communicate()
    with pytest.raises(UserError, match="device: expected cuda:0 to cuda:1, found 'cuda:2'"):
        devices.leased("cuda:2").__enter__()
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UserError, match="device: expected auto or cuda for 2 processes, found 'cuda:1'"):
        devices.leased("cuda:1").__enter__()


def test_one_gpu_of_those_that_slurm_gave(workstation: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,6")
    with devices.leased("cuda:1"):
        assert workstation == [1]


def test_a_cpu_needs_no_lease(workstation: list[int], tmp_path: Path) -> None:
    with devices.leased("cpu") as name:
        assert name == "cpu"
    assert not list(tmp_path.glob("wsss-gpus-*"))
