"""A valid data set of a few pixels in PASCAL VOC layout; tests break one thing in it at a time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from wsss_steps.data.manifest import GroundTruth, Manifest, write_ground_truth, write_manifest
from wsss_steps.data.voc import read_split
from wsss_steps.data.voc_masks import read_masks
from wsss_steps.formats.labels import write_labels
from wsss_steps.methods import arguments
from wsss_steps.workflow import configuration, splits
from wsss_steps.workflow.config import Config

CLASSES = ("cat", "dog")
HEIGHT, WIDTH = 12, 16
SPLITS = {"train": ("t0", "t1", "t2"), "val": ("v0", "v1")}
TAGS = {"t0": ("cat",), "t1": ("dog",), "t2": ("cat", "dog"), "v0": ("dog",), "v1": ("cat",)}


def truth_of(image_id: str) -> np.ndarray:
    """The left half is background, followed by a column of void, then cat above dog, as far as the image has them."""
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


def config(root: Path, **overrides: Any) -> Config:
    """A configuration for it, as loaded before any job is planned."""
    content = {"dataset": "tiny", "root": str(root), "classes": list(CLASSES), "recipes": {"cam": {}}}
    return configuration.load(content | overrides)


def read_voc(root: Path, **overrides: Any) -> tuple[Manifest, GroundTruth, Counter[str]]:
    """What the workflow reads from it: entries, ground truth and notes of all splits together."""
    mine = config(root, **overrides)
    entries, notes = [], Counter[str]()
    truth = GroundTruth({}, ())
    for split in splits.list_files(mine):
        found, said = read_split(Path(mine.root), **arguments(read_split, splits.images_settings(mine, split)))
        given = splits.masks_settings(mine, split)
        masks, more = read_masks(Path(mine.root), found, **arguments(read_masks, given))
        entries += found.entries
        truth = GroundTruth(truth.masks | masks.masks, masks.class_of_value, truth.sha256 | masks.sha256)
        notes += said + more
    return Manifest(found.dataset, found.classes, tuple(entries)), truth, notes


def write_voc(root: Path, manifest: Path, ground_truth: Path | None = None, **overrides: Any) -> Path:
    """One manifest, and one ground truth, of all splits together, for tests of steps that take any; returns it."""
    data, truth, _ = read_voc(root, **overrides)
    write_manifest(manifest, data)
    if ground_truth is not None:
        write_ground_truth(ground_truth, truth)
    return manifest


def prepare_words(root: Path, manifest: Path, split: str = "train") -> list[str]:
    """The command line of `prepare` for one split."""
    given = splits.images_settings(config(root), split)
    paths = {"root": root, "list-file": root / given["list_file"], "manifest": manifest}
    words = [word for name, path in paths.items() for word in (f"--{name}", str(path))]
    return [*words, "--settings", json.dumps(given)]
