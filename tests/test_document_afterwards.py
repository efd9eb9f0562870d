"""docs/afterwards.md: its lines of Python segment, and its commands are those that exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from photo_folders import photograph
from trained_networks import write_network

from wsss_steps import __main__ as commands
from wsss_steps.data.images import read_image

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "afterwards.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")


def test_six_lines_of_python_give_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert len([line for line in block.splitlines() if line]) <= 6
    write_network(tmp_path / "segmenter.safetensors")
    photograph(tmp_path / "photograph.jpg", ("cat", "dog"))
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(compile(block, "afterwards.md", "exec"), names)
    assert names["labels"].shape == (48, 64)
    trained, image = names["trained"], read_image(tmp_path / "photograph.jpg")
    once = trained.logits(image)
    assert np.array_equal(
        names["labels"], torch.maximum(once, trained.logits(np.ascontiguousarray(image[:, ::-1])).flip(-1)).argmax(0)
    )
    assert trained.names[int(names["labels"].unique()[0])] in capsys.readouterr().out


@pytest.mark.parametrize("line", re.findall(r"^python -m wsss_steps (.*)$", TEXT, re.MULTILINE))
def test_the_commands_can_be_given(line: str) -> None:
    words = [word.strip("'") for word in line.split()]
    assert commands.parser_of_commands().parse_args(words).out


def test_every_option_of_segment_that_is_named_exists() -> None:
    known = {
        option
        for name in ("segment", "export", "export_labels")
        for action in commands.parser_of_commands()._subparsers._group_actions[0].choices[name]._actions
        for option in action.option_strings
    }
    assert set(re.findall(r"--[a-z][a-z-]+", TEXT)) <= known
