"""Snakemake and its trainings are killed and restarted: nothing is trained twice, and the weights are the same."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import snakemake_runs as runs
from killing import training_of, wait_for

pytestmark = pytest.mark.workflow

TINY: dict[str, Any] = {
    **runs.DRAWN,
    "recipes": {"cam": runs.CAM_RECIPE},
    "classifier": {"plain": runs.QUICK_CLASSIFIER | {"epochs": 60}},
}
TARGETS = ("results/tiny/plain/classifier.safetensors", "results/tiny/plain/classifier_history.csv")
STATE = Path("results/tiny/plain/.classifier.safetensors.training")
LOG = Path("logs/tiny/plain/train_classifier.log")


def bytes_of_targets(folder: Path) -> list[bytes]:
    return [(folder / target).read_bytes() for target in TARGETS]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> list[bytes]:
    folder = runs.project_in(tmp_path_factory.mktemp("undisturbed"), repository, TINY)
    runs.succeed(folder, "--", *TARGETS)
    return bytes_of_targets(folder)


@pytest.fixture
def project(tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WSSS_SAVE_SECONDS", "0.2")
    return runs.project_in(tmp_path, repository, TINY)


def test_a_training_that_is_told_to_end_goes_on(project: Path, undisturbed: list[bytes]) -> None:
    training = 0
    for number in (signal.SIGTERM, signal.SIGKILL):
        first = runs.started(project, "--", *TARGETS)
        training = training_of(project / STATE, training)
        os.kill(training, number)
        output, _ = first.communicate()
        assert first.returncode == 1, output
        assert not any((project / target).exists() for target in TARGETS)
        assert (project / STATE / "state.safetensors").exists()
    runs.succeed(project, "--", *TARGETS)
    assert "going on from" in (project / LOG).read_text()
    assert bytes_of_targets(project) == undisturbed
    assert not (project / STATE).exists()


def test_a_training_that_outlives_snakemake_is_waited_for(project: Path, undisturbed: list[bytes]) -> None:
    first = runs.started(project, "--", *TARGETS)
    training = training_of(project / STATE)
    os.kill(training, signal.SIGSTOP)  # so that it is alive when the second run comes
    try:
        first.kill()
        runs.succeed(project, "--unlock", "--", *TARGETS)
        second = runs.started(project, "--", *TARGETS)
        wait_for(project / LOG, f"waiting for process {training} on ", 120)
        os.kill(training, signal.SIGCONT)
        output, _ = second.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(training, signal.SIGKILL)
    first.communicate()
    assert second.returncode == 0, output
    assert "was made by the process that this one waited for" in (project / LOG).read_text()
    assert bytes_of_targets(project) == undisturbed
    assert not (project / STATE).exists()


def test_two_runs_at_once(project: Path, undisturbed: list[bytes]) -> None:
    first = runs.started(project, "--", *TARGETS)
    training = training_of(project / STATE)
    os.kill(training, signal.SIGSTOP)
    try:
        second = runs.snakemake(project, "--", *TARGETS)
    finally:
        os.kill(training, signal.SIGCONT)
    output, _ = first.communicate()
    assert second.returncode == 1
    assert "LockException" in second.stdout
    assert "--unlock" in second.stdout
    assert first.returncode == 0, output
    assert bytes_of_targets(project) == undisturbed
