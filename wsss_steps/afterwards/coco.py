"""Label maps as COCO's JSON of objects: a run-length encoded mask for each class of an image, or each of its parts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as rle
from scipy import ndimage

from wsss_steps.afterwards import image_files
from wsss_steps.afterwards.label_sources import Labelled, Split
from wsss_steps.ops.labels import IGNORE
from wsss_steps.progress import track

Per = Literal["class", "component"]
NEIGHBOURS = np.ones((3, 3), int)  # of a pixel in a connected component: all eight


def write(folder: Path, splits: Sequence[Split], *, per: Per, images: image_files.Images | None) -> None:
    """Write `annotations/<split>.json` of each split into `folder`, and the photographs into `images/<split>/`.

    Without `images` the photographs stay where they are, and `file_name` is an absolute path.
    """
    for split in splits:
        content: dict[str, Any] = {
            "info": {"description": f"label maps of {split.folder.name}, split {split.name}"},
            "images": [],
            "annotations": [],
            "categories": [{"id": n, "name": name} for n, name in enumerate(split.classes, start=1)],
        }
        place = folder / "images" / split.name
        if images:
            place.mkdir(parents=True)
        for number, one in enumerate(track(split.labelled, len(split.labelled), split.name), start=1):
            name = _put(one, place, images) if images else one.image.as_posix()
            content["images"].append({"id": number, "file_name": name, "height": one.height, "width": one.width})
            for annotation in annotated(one.labels(), per):
                identity = {"id": len(content["annotations"]) + 1, "image_id": number}
                content["annotations"].append(identity | annotation)
        (folder / "annotations").mkdir(exist_ok=True)
        (folder / "annotations" / f"{split.name}.json").write_text(json.dumps(content) + "\n", encoding="utf-8")


def _put(one: Labelled, place: Path, images: image_files.Images) -> str:
    """Put the photograph into the folder; its name there."""
    suffix = image_files.suffix_of(one.image) if image_files.is_upright(one.image) else ".png"
    image_files.put(one.image, place / f"{one.id}{suffix}", images)
    return f"{one.id}{suffix}"


def annotated(labels: NDArray[np.uint8], per: Per) -> Iterator[dict[str, Any]]:
    """The annotations of a label map (H, W), by class 1..C, without their ids; background and 255 are in none.

    `bbox` is (x, y, width, height) in px, `area` in px.
    """
    for label in np.unique(labels).tolist():
        if label not in (0, IGNORE):
            for mask in _parts(labels == label, per):
                counts = rle.encode(np.asfortranarray(mask, np.uint8))
                yield {
                    "category_id": label,
                    "segmentation": {"size": counts["size"], "counts": counts["counts"].decode("ascii")},
                    "bbox": rle.toBbox(counts).tolist(),
                    "area": int(rle.area(counts)),
                    "iscrowd": 0,
                }


def _parts(mask: NDArray[np.bool_], per: Per) -> Iterator[NDArray[np.bool_]]:
    """The mask itself, or its connected components from top to bottom."""
    if per == "class":
        yield mask
        return
    numbers, count = ndimage.label(mask, NEIGHBOURS)
    yield from (numbers == number for number in range(1, count + 1))
