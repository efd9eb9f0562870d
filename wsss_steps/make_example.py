"""Draw the embedded example data set, in the exact layout of PASCAL VOC 2012."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from wsss_steps.cli import main
from wsss_steps.errors import UserError, all_wrong
from wsss_steps.example.scenes import Found, Scene, draw_scene
from wsss_steps.formats.files import whole, write_json
from wsss_steps.formats.labels import write_labels
from wsss_steps.progress import track

SPLITS = ("train", "val")
YEAR = 2026
LARGEST_SPLIT = 500_000  # of the six-digit ids: train from 1, val from 500001, so growing one keeps the other's names
SMALLEST_SIZE = 64  # px; below that a key part has fewer than 5 pixels across
JPEG_QUALITY = 92


def image_id(split: str, index: int) -> str:
    """Id of image `index`, from 0, of a split: train starts at 2026_000001, val at 2026_500001."""
    return f"{YEAR}_{SPLITS.index(split) * LARGEST_SPLIT + index + 1:06d}"


def scene_of(split: str, index: int, size: int, seed: int) -> Scene:
    """Scene `index` of a split, of nominal side `size` px: it depends on the arguments, not on how many are drawn."""
    sequence = np.random.SeedSequence(seed, spawn_key=(SPLITS.index(split), index))
    return draw_scene(np.random.default_rng(sequence), size)


def annotation(name: str, scene: Scene) -> ElementTree.Element:
    """The VOC annotation of a scene, as XML."""
    height, width, depth = scene.image.shape
    root = ElementTree.Element("annotation")
    _texts(root, folder=f"VOC{YEAR}", filename=f"{name}.jpg")
    _texts(ElementTree.SubElement(root, "source"), database="wsss example", annotation="drawn", image="drawn")
    _texts(ElementTree.SubElement(root, "size"), width=width, height=height, depth=depth)
    _texts(root, segmented=1)
    for found in scene.objects:
        _object(root, found)
    ElementTree.indent(root, "\t")
    return root


def _object(root: ElementTree.Element, found: Found) -> None:
    element = ElementTree.SubElement(root, "object")
    y_min, x_min, y_max, x_max = (side + 1 for side in found.box)  # VOC counts pixels from 1
    _texts(element, name=found.name, pose=found.pose, truncated=int(found.truncated), occluded=int(found.occluded))
    _texts(ElementTree.SubElement(element, "bndbox"), xmin=x_min, ymin=y_min, xmax=x_max, ymax=y_max)
    _texts(element, difficult=0)


def _texts(parent: ElementTree.Element, **texts: str | int) -> None:
    for tag, text in texts.items():
        ElementTree.SubElement(parent, tag).text = str(text)


def write_scene(folder: Path, name: str, scene: Scene) -> None:
    """Write image, label map and annotation of a scene below `folder`, whose subfolders exist."""
    Image.fromarray(scene.image).save(folder / "JPEGImages" / f"{name}.jpg", quality=JPEG_QUALITY)
    write_labels(folder / "SegmentationClass" / f"{name}.png", scene.labels)
    ElementTree.ElementTree(annotation(name, scene)).write(folder / "Annotations" / f"{name}.xml", encoding="utf-8")


def _write_data_set(folder: Path, counts: dict[str, int], size: int, seed: int) -> Iterator[str]:
    """Write a whole data set below `folder`; yields the id of every finished image."""
    for subfolder in ("JPEGImages", "SegmentationClass", "Annotations", "ImageSets/Segmentation"):
        (folder / subfolder).mkdir(parents=True)
    for split, count in counts.items():
        names = [image_id(split, index) for index in range(count)]
        (folder / "ImageSets" / "Segmentation" / f"{split}.txt").write_text("".join(f"{name}\n" for name in names))
        for index, name in enumerate(names):
            write_scene(folder, name, scene_of(split, index, size, seed))
            yield name


def _checked(settings: dict[str, Any]) -> dict[str, int]:
    """The settings, if they are complete and in range; otherwise a UserError that lists the problems."""
    least = {"train": 1, "val": 1, "size": SMALLEST_SIZE, "seed": 0}
    if set(settings) != set(least):
        raise UserError(
            f"make_example: expected the settings {', '.join(least)}, found {', '.join(map(str, settings)) or 'none'}"
        )
    problems = []
    for name, low in least.items():
        value, high = settings[name], LARGEST_SPLIT if name in SPLITS else None
        if type(value) is not int or value < low or (high is not None and value > high):
            bounds = f"at least {low}" + (f" and at most {high}" if high is not None else "")
            problems.append(f"{name}: expected a whole number of {bounds}, found {value!r}")
    all_wrong("make_example: settings out of range", problems)
    return settings


def run(*, output: Path, settings: dict[str, Any], stamp: str = "") -> None:
    """Draw the data set into the folder `output`, which appears when it is complete.

    Below it: JPEGImages/<id>.jpg, SegmentationClass/<id>.png (0 background, 1...C, 255 border), Annotations/<id>.xml
    and ImageSets/Segmentation/{train,val}.txt. `settings`: numbers of images `train` and `val`, nominal side `size` in
    px, `seed`. The `stamp` is written beside the folders, as `provenance.json`. UserError if a setting is missing,
    unknown or out of range.
    """
    checked = _checked(settings)
    counts = {split: checked[split] for split in SPLITS}
    with whole(output) as folder:
        for _ in track(
            _write_data_set(folder, counts, checked["size"], checked["seed"]), sum(counts.values()), "scenes"
        ):
            pass
        write_json(folder / "provenance.json", json.loads(stamp or "{}"))


if __name__ == "__main__":
    main(run)
