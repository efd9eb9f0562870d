"""A training that is killed at any point and resumed ends with the same bytes as an undisturbed one."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import random
import shutil
import signal
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from killing import TRAININGS, Run, die_at_step, die_in, make_inputs, staying, tell_all_at_step, wait_for
from torch.utils.data import DataLoader

from wsss_steps.errors import UserError
from wsss_steps.formats.states import read_state, write_state
from wsss_steps.formats.weights import read_weights
from wsss_steps.methods import trainees
from wsss_steps.training import locks, loop, resuming
from wsss_steps.training.optimisers import make_optimiser, poly_schedule

NEVER = 1e6  # seconds between two states


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    make_inputs(folder)
    return folder


@pytest.fixture(scope="module")
def undisturbed(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, ...]]:
    """Checksums of weights and history of every kind."""
    runs = [Run(kind, inputs, tmp_path_factory.mktemp("undisturbed")) for kind in TRAININGS]
    assert [run.finish(NEVER) for run in runs] == [0] * len(runs)
    return {run.kind: run.checksums() for run in runs}


TOLD, KILLED = (signal.SIGTERM, NEVER), (signal.SIGKILL, 0.0)


@pytest.mark.parametrize(
    ("kind", "step", "number", "every"),
    [(kind, 5, *how) for kind in TRAININGS for how in (TOLD, KILLED)]
    + [("classifier", 1, *TOLD), ("classifier", 9, *TOLD), ("classifier", 9, *KILLED), ("keys", 9, *KILLED)],
)
def test_killed_at_a_step(
    inputs: Path,
    tmp_path: Path,
    undisturbed: dict[str, Any],
    kind: str,
    step: int,
    number: signal.Signals,
    every: float,
) -> None:
    run = Run(kind, inputs, tmp_path)
    status = run.finish(every, None, die_at_step, step, number)
    assert status == (128 + number if number == signal.SIGTERM else -number)
    assert not run.output.exists()
    assert run.state.exists()
    if number == signal.SIGTERM:
        assert f"told to end by SIGTERM; the same command goes on from what is kept in {run.state.parent}" in (
            run.log.read_text()
        )
    assert run.finish(NEVER) == 0
    assert "going on from" in run.log.read_text()
    assert run.checksums() == undisturbed[kind]
    assert not run.state.parent.exists()


@pytest.mark.parametrize(
    ("where", "resumed"),
    [
        (("wsss_steps.train_classifier", "trainees.start"), False),  # before anything is saved
        (("os", "fsync", 4), True),  # the fourth state is written, but not yet in its place
        (("wsss_steps.methods.trainees", "content"), True),  # trained
        (("wsss_steps.training.loop", "write_history"), True),  # between the two outputs
        (("wsss_steps.training.resuming", "Keeper.discard"), True),  # both are written
    ],
)
def test_killed_elsewhere(inputs: Path, tmp_path: Path, undisturbed: Any, where: Any, resumed: bool) -> None:
    run = Run("classifier", inputs, tmp_path)
    assert run.finish(0.0, None, die_in, *where) == -signal.SIGKILL
    assert run.state.exists() == resumed
    assert bool(list(run.state.parent.glob(".*.tmp"))) == (where[0] == "os")
    assert run.finish(NEVER) == 0
    assert ("going on from" in run.log.read_text()) == resumed
    assert run.checksums() == undisturbed["classifier"]
    assert not run.state.parent.exists()


def test_told_to_end_after_the_last_step(inputs: Path, tmp_path: Path, undisturbed: dict[str, Any]) -> None:
    run = Run("classifier", inputs, tmp_path)
    assert run.finish(NEVER, None, tell_when_trained) == 128 + signal.SIGINT
    assert "told to end by SIGINT; the same command goes on" in run.log.read_text()
    assert run.finish(NEVER) == 0
    assert run.checksums() == undisturbed["classifier"]


def tell_when_trained() -> None:
    """Interrupt the classifier's process after its last step, as Ctrl-C does."""

    def content(*_: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    trainees.content = content  # type: ignore[assignment]


@pytest.mark.parametrize("kind", ["classifier", "segmenter"])
def test_workers_are_told_to_end_too(inputs: Path, tmp_path: Path, undisturbed: dict[str, Any], kind: str) -> None:
    run = Run(kind, inputs, tmp_path)
    assert run.finish(NEVER, None, tell_all_at_step, 2, 2) == 128 + signal.SIGTERM, run.log.read_text()
    assert run.state.exists()
    assert run.finish(NEVER) == 0
    assert run.checksums() == undisturbed[kind]


@pytest.fixture
def interrupted(inputs: Path, tmp_path: Path) -> Run:
    run = Run("classifier", inputs, tmp_path)
    run.finish(NEVER, None, die_at_step, 5, signal.SIGTERM)
    return run


@pytest.mark.parametrize("what", ["settings", "data", "truncated"])
def test_a_state_that_cannot_be_trusted_is_ignored(interrupted: Run, tmp_path: Path, what: str) -> None:
    inputs, overrides = interrupted.inputs, (("seed", 1),) if what == "settings" else ()
    if what == "data":
        inputs = tmp_path / "others"
        shutil.copytree(interrupted.inputs, inputs)
        manifest = inputs / "m.json"
        manifest.write_text(manifest.read_text().replace("tiny", "other"))
    if what == "truncated":
        interrupted.state.write_bytes(interrupted.state.read_bytes()[:-1])
    again, fresh = (Run("classifier", inputs, folder, overrides) for folder in (tmp_path, tmp_path / "fresh"))
    assert again.finish(NEVER) == 0
    expected = "not a readable safetensors file" if what == "truncated" else "of other settings, code, versions, data"
    assert "the training starts from its beginning, its saved state cannot be used: " in again.log.read_text()
    assert expected in again.log.read_text()
    assert fresh.finish(NEVER) == 0
    assert again.checksums() == fresh.checksums()


def test_no_damaged_state_is_read(interrupted: Run) -> None:
    content = interrupted.state.read_bytes()
    fingerprint = fingerprint_of(interrupted.state)
    assert read_state(interrupted.state, fingerprint=fingerprint)["training"]["step"] == 5
    header = 8 + int.from_bytes(content[:8], "little")
    damaged = [content[:length] for length in (0, 4, 8, 100, header, header + 1, len(content) // 2, len(content) - 1)]
    for place in (header, (header + len(content)) // 2, len(content) - 1):
        damaged.append(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    for number, bad in enumerate([*damaged, content + b"x"]):
        interrupted.state.write_bytes(bad)
        with pytest.raises(UserError, match=r"state\.safetensors"):
            read_state(interrupted.state, fingerprint=fingerprint), number


def fingerprint_of(path: Path) -> str:
    fingerprint: str = read_weights(path, "training_state")[1]["fingerprint"]
    return fingerprint


def test_a_second_run_refuses_and_a_killed_holder_holds_nothing(inputs: Path, tmp_path: Path, undisturbed: Any) -> None:
    run = Run("classifier", inputs, tmp_path)
    with staying(run, 5, tmp_path / "go") as holder:
        assert run.finish(0.0, 0.0) == 1
        assert f"process {holder.pid} on {socket.gethostname()}, since 20" in run.log.read_text()
        assert "trains this already; wait for it or end it, then run this again" in run.log.read_text()
    assert run.finish(0.0, 0.0) == 0
    assert "going on from" in run.log.read_text()
    assert run.checksums() == undisturbed["classifier"]


def test_a_second_run_waits_for_the_outputs_of_the_first(inputs: Path, tmp_path: Path, undisturbed: Any) -> None:
    run, until = Run("classifier", inputs, tmp_path), tmp_path / "go"
    with staying(run, 5, until) as holder:
        run.log.unlink()  # as Snakemake does
        second = run.start(NEVER)
        wait_for(run.log, f"waiting for process {holder.pid} on ")
        until.touch()
        holder.join(60)
    second.join(60)
    assert (holder.exitcode, second.exitcode) == (0, 0)
    assert "was made by the process that this one waited for" in run.log.read_text()
    assert run.checksums() == undisturbed["classifier"]
    assert not run.state.parent.exists()


def test_a_second_run_goes_on_for_a_first_that_dies(inputs: Path, tmp_path: Path, undisturbed: Any) -> None:
    run = Run("classifier", inputs, tmp_path)
    with staying(run, 5, tmp_path / "go"):
        run.log.unlink()
        second = run.start(NEVER)
        wait_for(run.log, "waiting for process ")
    second.join(60)
    assert second.exitcode == 0
    assert "going on from" in run.log.read_text()
    assert run.checksums() == undisturbed["classifier"]


def losses(network: torch.nn.Module, batch: loop.Batch) -> dict[str, torch.Tensor]:
    return {"size": (network(batch["images"]) + torch.randn(()) + random.random() + np.random.rand()).square().mean()}


class Items:
    """Points, all different in every epoch."""

    def __len__(self) -> int:
        return 7

    def __getitem__(self, place: tuple[int, int]) -> loop.Batch:
        return {"images": torch.from_numpy(np.random.default_rng(place).random((2, 1, 1), np.float32))}


class StopError(Exception):
    pass


def fitted(folder: Path | None, stop: int | None = None) -> tuple[dict[str, torch.Tensor], Any]:
    """Weights and history after three epochs of three steps, with dropout, batch norm and all global generators."""
    torch.manual_seed(0)
    random.seed(0)
    np.random.seed(0)
    parts = [torch.nn.Conv2d(2, 4, 1), torch.nn.BatchNorm2d(4), torch.nn.Dropout(0.5), torch.nn.Conv2d(4, 1, 1)]
    network = torch.nn.Sequential(*parts)
    rates = {"learning_rate": 0.01, "head_multiplier": 1.0, "momentum": 0.9, "weight_decay": 1e-3}
    optimiser = make_optimiser(network, network[0], **rates)
    keeper = resuming.Keeper(folder, stamp="stamp")
    after_step = keeper.after_step

    def stopping(state: Any) -> bool:
        if after_step(state) or state.step == stop:
            raise StopError
        return False

    keeper.after_step = stopping  # type: ignore[method-assign]
    schedule = poly_schedule(epochs=3, power=0.9, warmup_epochs=1.0, warmup_from=1e-6)
    shape: Any = {"epochs": 3, "batch_size": 2, "seed": 0, "device": "cpu", "keeper": keeper}
    rows = loop.fit(network, Items(), losses, optimiser, schedule, **shape)
    return network.state_dict(), rows


@pytest.mark.parametrize("workers", [0, 2])
def test_every_step_and_every_generator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int) -> None:
    weights, rows = fitted(None)
    monkeypatch.setenv(resuming.SAVE, "0")
    monkeypatch.setattr(loop, "DataLoader", lambda *a, **k: DataLoader(*a, **k | {"num_workers": workers}))
    for step in range(1, 10) if workers == 0 else (4,):
        folder = tmp_path / str(step)
        with pytest.raises(StopError):
            fitted(folder, step)
        again, other = fitted(folder)
        assert other == rows
        assert all(torch.equal(value, again[name]) for name, value in weights.items())


@pytest.mark.parametrize(
    "fault",
    [OSError(errno.ENOSPC, "No space left on device"), UserError("s: cannot be written: No space left on device")],
)
def test_a_full_disk_stops_no_training(
    fault: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise fault

    rows = fitted(None)[1]
    monkeypatch.setenv(resuming.SAVE, "0")
    monkeypatch.setattr(resuming, "write_state", full)
    assert fitted(tmp_path)[1] == rows
    assert f"could not be saved, the one before is kept: {fault}" in caplog.text


def test_a_state_comes_back_as_it_was(tmp_path: Path) -> None:
    pictures = torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)
    state = {
        "tensors": {0: pictures, 1: pictures[:, 1:, ::2], 2: torch.tensor(True), 3: torch.zeros(3, 0).half()},
        "numbers": [0.1, -0.0, float("inf"), 2**70, None, True, "ä"],
        "pairs": ((1, 2), []),
        "spread": torch.ones(1).expand(3),
    }
    write_state(tmp_path / "s", state, fingerprint="f")
    read = read_state(tmp_path / "s", fingerprint="f")
    assert read["numbers"] == state["numbers"]
    assert read["pairs"] == state["pairs"]
    assert read["spread"].tolist() == [1, 1, 1]
    for name, tensor in state["tensors"].items():  # type: ignore[union-attr]
        assert torch.equal(read["tensors"][name], tensor)
        assert read["tensors"][name].stride() == tensor.stride()
        assert read["tensors"][name].dtype == tensor.dtype
    with pytest.raises(UserError, match="expected fingerprint g, found f"):
        read_state(tmp_path / "s", fingerprint="g")
    with pytest.raises(TypeError, match="/a/0: expected numbers, texts, tensors and nestings of them, found set"):
        write_state(tmp_path / "s", {"a": [set()]}, fingerprint="f")
    with pytest.raises(UserError, match="a file is where a folder should be"):
        write_state(Path("/dev/null/s"), {}, fingerprint="f")


def test_without_a_stamp_nothing_is_kept(tmp_path: Path) -> None:
    for stamp in ("", "{}"):
        with resuming.kept(tmp_path / "out", tmp_path / "history", stamp=stamp) as keeper:
            fitted(None)
            assert not keeper.made
    assert list(tmp_path.iterdir()) == []


def test_a_failed_training_leaves_no_folder_without_a_state(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="bad input"), resuming.kept(tmp_path / "a", tmp_path / "b", stamp='{"a": 1}'):
        raise UserError("bad input")
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_without_locks_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def lockf(*_: Any) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "lockf", lockf)
    with caplog.at_level(logging.WARNING), locks.locked(tmp_path / "folder") as waited:
        assert not waited
    assert "no locks on this file system" in caplog.text


@pytest.mark.parametrize("text", ["soon", "-1", "nan", ""])
def test_seconds(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    assert locks.seconds(resuming.SAVE, 300.0) == 300.0
    monkeypatch.setenv(resuming.SAVE, text)
    with pytest.raises(UserError, match=f"WSSS_SAVE_SECONDS: expected seconds, 0 or more, found '{text}'"):
        locks.seconds(resuming.SAVE, 300.0)
