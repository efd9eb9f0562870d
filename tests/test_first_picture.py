"""The README's first picture: its script, its size, and the licences of its photographs."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage
from PIL import Image

from docs import first_picture as picture
from wsss_steps.data.manifest import read_manifest
from wsss_steps.formats.labels import write_labels

NAMES = ["background", "cat", "dog"]


def test_the_picture_is_small_and_the_readme_says_what_it_shows(repository: Path) -> None:
    assert (repository / "docs" / "first_picture.jpg").stat().st_size < 600_000
    beginning = (repository / "README.md").read_text(encoding="utf-8").partition("\n## ")[0]
    assert "docs/first_picture.jpg" in beginning
    assert all(one.origin.partition(", by ")[2].partition(" (")[0] in beginning for one in picture.PHOTOGRAPHS)
    assert any(one.failed for one in picture.PHOTOGRAPHS)


@pytest.mark.parametrize("one", picture.PHOTOGRAPHS, ids=lambda one: one.name)
def test_scikit_image_says_that_a_photograph_may_be_shipped(one: picture.Photograph) -> None:
    said = inspect.getdoc(getattr(skimage.data, one.name)) or ""
    assert ("CC0" if "CC0" in one.origin else "public domain") in said
    assert one.origin.partition(", by ")[2].partition(" (")[0].split()[-1] in said


def test_photographs_are_segmented_by_the_step(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: dict[str, Any] = {}

    def run(*, manifest: Path, segmenter: Path, output: Path, settings: dict[str, Any]) -> None:
        seen.update(settings, segmenter=segmenter, classes=read_manifest(manifest).classes)
        output.mkdir()
        for entry in read_manifest(manifest).split(settings["split"]):
            assert max(entry.height, entry.width) == picture.READ
            assert Image.open(entry.image).size == (entry.width, entry.height)
            write_labels(output / f"{entry.id}.png", np.ones((entry.height, entry.width), np.uint8))

    monkeypatch.setattr(picture.predict, "run", run)
    config = {"classes": ["cat", "dog"], "predict": {"flip": True, "crf": "toco"}}
    rows = picture.segmented(tmp_path, Path("x.safetensors"), config)
    assert seen["classes"] == ("cat", "dog")
    assert (seen["known_tags"], seen["flip"], seen["segmenter"]) == (False, True, Path("x.safetensors"))
    assert seen["crf"]["bilateral"] == {"sxy": 121.0, "srgb": 5.0, "compat": 4.0}
    sheet = picture.drawn(rows, NAMES)
    assert sheet.width == 2 * picture.DRAWN + 3 * picture.GAP
    assert sheet.height > picture.DRAWN * 2


def test_a_label_map_is_enlarged_without_new_labels() -> None:
    labels = np.array([[0, 0, 2, 2], [0, 0, 2, 2]], np.uint8).repeat(4, axis=0).repeat(4, axis=1)
    assert (picture.enlarged(labels, (16, 8)) == labels).all()
    twice = picture.enlarged(labels, (32, 16))
    assert (twice == labels.repeat(2, axis=0).repeat(2, axis=1)).all()


def test_an_overlay_tints_classes_and_pales_the_rest() -> None:
    labels = np.zeros((40, 40), np.uint8)
    labels[:, 20:] = 1
    over = np.asarray(picture.overlay(Image.new("RGB", (40, 40), (100, 100, 100)), labels)).astype(int)
    assert over[20, 5].tolist() == [138, 138, 138]  # 0.75 * 100 + 0.25 * 255 = 138.75, cut off
    assert over[20, 35].tolist() == [162, 60, 60]  # 0.6 * 100 + 0.4 * (255, 0, 0)
    assert over[20, 20].tolist() == [255, 0, 0]
    assert over[20, 19].tolist() == [255, 255, 255]


def test_the_legend_names_what_is_seen() -> None:
    labels = np.zeros((100, 100), np.uint8)
    labels[:50], labels[99, :40] = 2, 1  # 50 % and 0.4 %
    texts: list[str] = []

    class Pen:
        def rectangle(self, *_: Any) -> None: ...

        def text(self, _: Any, text: str, *__: Any) -> None:
            texts.append(text)

        def textlength(self, text: str, _: Any) -> float:
            return 8.0 * len(text)

    picture.legend(Pen(), (0, 0), labels, NAMES, None)  # type: ignore[arg-type]
    assert texts == ["dog 50 %"]
