"""Two folders of results are compared number by number, whatever made them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from wsss_steps import __main__ as commands
from wsss_steps.formats.files import write_json, write_text
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.formats.labels import write_labels
from wsss_steps.formats.stores import write_store
from wsss_steps.formats.weights import write_weights
from wsss_steps.report.comparison import count, differences

LABELS = np.zeros((3, 4), np.uint8)


def write_seeds(path: Path, value: int = 0, name: str = "b", stamp: str = "{}") -> None:
    items = [("a", {"seeds": LABELS}), (name, {"seeds": LABELS + np.uint8(value)})]
    write_store(path, SEEDS, items, stamp=stamp)


def results(folder: Path, stamp: str) -> Path:
    """One artifact of every form, made by `stamp`."""
    write_seeds(folder / "s.h5", stamp=stamp)
    write_weights(folder / "c.safetensors", "classifier", {"a": torch.ones(2)}, content={}, stamp=stamp)
    (folder / "labels").mkdir()
    write_labels(folder / "labels" / "a.png", LABELS)
    write_json(folder / "labels" / "provenance.json", {"step": stamp})
    write_json(folder / "score.json", {"miou": 0.5, "provenance": {"step": stamp}})
    write_text(folder / "summary.csv", "a\n1\n")
    write_text(folder / "summary.csv.provenance.json", stamp)
    return folder


@pytest.fixture
def both(tmp_path: Path) -> tuple[Path, Path]:
    return results(tmp_path / "one", '{"step": "x"}'), results(tmp_path / "two", '{"step": "y"}')


def test_equal_numbers_of_other_stamps(both: tuple[Path, Path], capsys: pytest.CaptureFixture) -> None:
    assert list(differences(*both)) == []
    commands.main(["compare", *map(str, both)])
    assert capsys.readouterr().out == f"5 artifacts in {both[0]} and 5 artifacts in {both[1]}; none different\n"


def test_every_form_of_artifact_is_compared(both: tuple[Path, Path], capsys: pytest.CaptureFixture) -> None:
    _, other = both
    write_seeds(other / "s.h5", value=3)
    write_weights(other / "c.safetensors", "classifier", {"a": torch.tensor([1, 1.5])}, content={}, stamp="{}")
    write_labels(other / "labels" / "a.png", np.zeros((4, 3), np.uint8))
    write_json(other / "score.json", {"miou": 0.6})
    write_text(other / "summary.csv", "a\n2\n")
    assert dict(differences(*both)) == {
        "s.h5": "1 images, first b: seeds by up to 3",
        "c.safetensors": "a by up to 0.5",
        "labels/a.png": "pixels (3, 4) and (4, 3)",
        "score.json": "other values",
        "summary.csv": "a: differs in 1 row, by up to 1",
    }
    with pytest.raises(SystemExit, match="1"):
        commands.main(["compare", *map(str, both)])
    assert capsys.readouterr().out.endswith("; 5 different\n")


def test_an_artifact_that_cannot_be_read_is_one_difference(both: tuple[Path, Path]) -> None:
    (both[1] / "s.h5").write_text("no store")
    ((name, what),) = differences(*both)
    assert name == "s.h5"
    assert "s.h5: not a readable HDF5 file" in what


def test_what_only_one_has(both: tuple[Path, Path]) -> None:
    first, other = both
    shutil.move(first / "score.json", first / "other.json")
    write_seeds(other / "s.h5", name="c")
    assert dict(differences(first, other)) == {
        "other.json": f"only in {first}",
        "score.json": f"only in {other}",
        "s.h5": "other images",
    }
    assert count(first) == count(other) == 5


def test_a_folder_that_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit, match="1"):
        commands.main(["compare", str(tmp_path), str(tmp_path / "none")])
    assert "none: no such folder or file" in capsys.readouterr().err
