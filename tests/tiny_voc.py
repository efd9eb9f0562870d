"""A data set of a few pixels in PASCAL VOC layout, whole and valid: tests spoil one thing of it at a time."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from wsss_steps.formats import write_labels
from wsss_steps.settings import Prepare

CLASSES = ("cat", "dog")
HEIGHT, WIDTH = 12, 16
SPLITS = {"train": ("t0", "t1", "t2"), "val": ("v0", "v1")}
TAGS = {"t0": ("cat",), "t1": ("dog",), "t2": ("cat", "dog"), "v0": ("dog",), "v1": ("cat",)}


def truth_of(image_id: str) -> np.ndarray:
    """The left half is background, a column of void follows, then cat above dog, as far as the image has them."""
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    labels[:, WIDTH // 2] = 255
    tags = [CLASSES.index(name) + 1 for name in TAGS[image_id]]
    labels[: HEIGHT // 2, WIDTH // 2 + 1 :] = tags[0]
    labels[HEIGHT // 2 :, WIDTH // 2 + 1 :] = tags[-1]
    return labels


def write_xml(path: Path, names: tuple[str, ...]) -> None:
    objects = "".join(f"<object><name>{name}</name><part><name>head</name></part></object>" for name in names)
    path.write_text(f"<annotation><filename>{path.stem}.jpg</filename>{objects}</annotation>", encoding="utf-8")


def write_list(root: Path, split: str, lines: tuple[str, ...]) -> None:
    path = root / "ImageSets" / "Segmentation" / f"{split}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def make_voc(root: Path) -> Path:
    """Write the data set below `root`; returns it."""
    rng = np.random.default_rng(0)
    for folder in ("JPEGImages", "SegmentationClass", "Annotations"):
        (root / folder).mkdir(parents=True)
    for split, ids in SPLITS.items():
        write_list(root, split, ids)
        for image_id in ids:
            pixels = rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / "JPEGImages" / f"{image_id}.jpg")
            write_labels(root / "SegmentationClass" / f"{image_id}.png", truth_of(image_id))
            write_xml(root / "Annotations" / f"{image_id}.xml", TAGS[image_id])
    return root


def write_saliency(root: Path, ids: Iterable[str]) -> None:
    """Write a saliency map for each of `ids`: bright on the objects, grey on void, dark elsewhere."""
    (root / "saliency").mkdir()
    for image_id in ids:
        truth = truth_of(image_id)
        grey = np.where(truth == 255, 120, np.where(truth > 0, 230, 10)).astype(np.uint8)
        Image.fromarray(grey).save(root / "saliency" / f"{image_id}.png")


def settings(**departures: Any) -> dict[str, Any]:
    """Settings of `prepare` for it, with departures."""
    return Prepare(**{"dataset": "tiny", "classes": CLASSES, **departures}).model_dump(mode="json")
