"""The instance annotations of MS-COCO (`instances_train2014.json`), checked, by image."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsss_steps.errors import UserError, all_wrong

Size = tuple[int, int]  # height, width
EXPECTED = "expected the instance annotations of COCO"


@dataclass(frozen=True)
class Outline:
    """One annotated object or crowd: `label` is 1..K, `shape` polygons or a run-length encoding as in the file."""

    label: int
    crowd: bool
    shape: Any


@dataclass(frozen=True)
class Instances:
    """Sizes and outlines by image id, which is the name of the image's file without its suffix, in the file's order."""

    sizes: dict[str, Size]
    outlines: dict[str, list[Outline]]


def read_instances(path: Path, classes: Sequence[str]) -> Instances:
    """Read the annotations of one split; the categories are known by name, and `label` is their place in `classes`.

    A UserError for a missing or damaged file, or unknown categories, images or shapes.
    """
    try:
        content = json.loads(path.read_bytes())
        categories = {one["id"]: one["name"] for one in content["categories"]}
        images = {one["id"]: (Path(one["file_name"]).stem, (one["height"], one["width"])) for one in content["images"]}
        found = content["annotations"]
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; {EXPECTED}") from None
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise UserError(f"{path}: {EXPECTED}, found none ({type(error).__name__}: {error})") from None
    unknown = sorted(str(name) for name in categories.values() if name not in classes)
    all_wrong(f"{path}: categories that COCO 2014 does not have", unknown)
    labels = {number: classes.index(name) + 1 for number, name in categories.items()}
    outlines: dict[str, list[Outline]] = {name: [] for name, _ in images.values()}
    wrong = []
    for place, one in enumerate(found):
        try:
            name, _ = images[one["image_id"]]
            outlines[name].append(Outline(labels[one["category_id"]], bool(one["iscrowd"]), one["segmentation"]))
        except (KeyError, TypeError) as error:
            wrong.append(f"annotation {place}: {type(error).__name__}: {error}")
    all_wrong(f"{path}: annotations of no known image or category, or without a shape", wrong)
    return Instances(dict(images.values()), outlines)


def mask_of(shape: Any, size: Size) -> NDArray[np.bool_]:
    """The pixels (H, W) of an outline in an image of `size`: polygons, or run lengths, compressed or not.

    A ValueError if it is neither, or is of another size.
    """
    from pycocotools import mask  # here, so that planning does without it

    height, width = size
    if isinstance(shape, list):
        coded = mask.merge(mask.frPyObjects(shape, height, width)) if shape else None
    elif isinstance(shape, dict) and list(shape.get("size", ())) == [height, width]:
        counts = shape.get("counts")
        coded = mask.frPyObjects(shape, height, width) if isinstance(counts, list) else shape
    else:
        raise ValueError(f"expected polygons or run lengths of {height} x {width} px, found {str(shape)[:60]}")
    pixels: NDArray[np.bool_] = np.zeros(size, bool) if coded is None else mask.decode(coded).astype(bool)
    return pixels
