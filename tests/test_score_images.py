"""Scores of a classifier for single images: values by hand, the table, and what is wrong with one."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_voc import CLASSES, make_voc, write_voc

from wsss_steps import methods, score_images
from wsss_steps.data.manifest import read_manifest
from wsss_steps.errors import UserError
from wsss_steps.formats.image_scores import read_image_scores, write_image_scores

BACKBONE = {"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]}


class Brightness(torch.nn.Module):
    """Scores ln 3, a probability of 3/4, and the mean of the normalised image."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.stack([torch.full((len(images),), math.log(3)), images.mean(dim=(1, 2, 3))], dim=1)


def test_probabilities_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Images of one grey: 191.25 / 255 is 0.75, normalised 1, so its probability is 1 / (1 + 1 / e)."""
    from PIL import Image

    root = make_voc(tmp_path / "voc")
    manifest = write_voc(root, tmp_path / "m.json")
    for entry in read_manifest(manifest).entries:
        Image.new("RGB", (entry.width, entry.height), (191, 191, 191)).save(entry.image, format="PNG")
    rebuilt: list[Any] = []

    def rebuild(slot: str, weights: Path, device: str, classes: Any) -> Any:
        rebuilt.append((slot, weights, device, tuple(classes)))
        return Brightness(), {"network": {"backbone": BACKBONE}}

    monkeypatch.setattr(methods, "rebuild", rebuild)
    given = {"manifest": manifest, "classifier": tmp_path / "c.safetensors", "output": tmp_path / "scores.csv"}
    score_images.run(**given, settings={"split": "train"})
    found = read_image_scores(tmp_path / "scores.csv", CLASSES)
    grey = 1 / (1 + math.exp(-(191 / 255 - 0.5) / 0.25))
    assert found == {name: (0.75, round(grey, 6)) for name in ("t0", "t1", "t2")}
    assert rebuilt == [("classifier", tmp_path / "c.safetensors", "cpu", CLASSES)]
    with pytest.raises(UserError, match="no images of split 'test'"):
        score_images.run(**given, settings={"split": "test"})


def test_names_of_images_and_classes_survive(tmp_path: Path) -> None:
    rows = {'a "b", c': (0.5, 0.25), "id": (1.0, 0.0)}
    write_image_scores(tmp_path / "s.csv", ("id", "x,y"), rows.items())
    assert read_image_scores(tmp_path / "s.csv", ("id", "x,y")) == rows


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a readable table of scores"),
        ("id,cat,dog\nt0,a,b\n", "not a readable table of scores"),
        ("id,dog,cat\nt0,0,1\n", "expected the columns id, cat, dog; found id, dog, cat"),
    ],
)
def test_a_table_that_is_none(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "s.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        read_image_scores(tmp_path / "s.csv", CLASSES)


def test_a_table_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        read_image_scores(tmp_path / "s.csv", CLASSES)
