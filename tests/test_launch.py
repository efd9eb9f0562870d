"""A training starts as one process or several, and nothing else is started."""

from __future__ import annotations

import subprocess
import sys

import pytest

from wsss_steps.training import launch


def test_one_process_is_the_step_itself() -> None:
    assert launch.command(1, "train_classifier", ["--a", "b c"]) == [
        *(sys.executable, "-m", "wsss_steps.train_classifier", "--a", "b c")
    ]


def test_several_processes_are_started_by_torchrun() -> None:
    line = launch.command(3, "train_classifier", ["--a"])
    assert line[1:5] == ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=3"]
    assert line[-4:] == ["-m", "--", "wsss_steps.train_classifier", "--a"]


def test_the_exit_status_is_that_of_the_step() -> None:
    line = [sys.executable, "-m", "wsss_steps.training.launch", "1", "prepare", "--no-such-option"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "usage: " in done.stderr


@pytest.mark.parametrize("words", [[], ["1"], ["x", "prepare"], ["-1", "prepare"], ["1", "prepare;touch"]])
def test_nothing_else_is_started(words: list[str]) -> None:
    with pytest.raises(SystemExit, match="ERROR expected python -m wsss_steps.training.launch PROCESSES STEP"):
        launch.main(words)
