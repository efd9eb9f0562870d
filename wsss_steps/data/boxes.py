"""The ground truth's boxes of one split, a file of its own: only `evaluate_boxes` reads it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wsss_steps.formats.files import VERSION, read_json, write_json
from wsss_steps.ops.overlap import Box


@dataclass(frozen=True)
class ObjectBox:
    """One object: its class 1..C, its box (y_min, x_min, y_max, x_max) half-open from 0, px, and VOC's `difficult`."""

    label: int
    box: Box
    difficult: bool


Boxes = dict[str, tuple[ObjectBox, ...]]  # image id -> its objects, in the order of the annotation


def write_boxes(path: Path, boxes: Boxes) -> None:
    """Write the boxes of all images as JSON."""
    images = {
        name: [{"class": one.label, "box": list(one.box), "difficult": one.difficult} for one in found]
        for name, found in boxes.items()
    }
    write_json(path, {"format": "wsss/boxes", "version": VERSION, "images": images})


def read_boxes(path: Path) -> Boxes:
    """Read what `write_boxes` wrote."""
    images = read_json(path, "boxes")["images"]
    return {
        name: tuple(ObjectBox(one["class"], tuple(one["box"]), one["difficult"]) for one in found)
        for name, found in images.items()
    }
