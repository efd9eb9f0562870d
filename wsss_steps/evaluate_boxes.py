"""Compare the box around each class in its activation map with the boxes of the ground truth (Zhou et al. 2016).

What is counted are pairs of an image and a class of which it shows an object. The box of the pair is right if its IoU
with any of these objects is at least the setting `iou`, as in ILSVRC (VOC asks for more than 0.5); without a map of the
class, or if the map is 0 everywhere, it is wrong. The localisation error is the share of the pairs that are wrong;
CorLoc of a class is the share of its pairs that are right. The classes are known, not predicted, so the localisation
error is not the top-5 error of ILSVRC.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wsss_steps.cli import main
from wsss_steps.data.boxes import Boxes, ObjectBox, read_boxes
from wsss_steps.data.class_maps import read_cam
from wsss_steps.data.manifest import Entry, read_manifest
from wsss_steps.errors import all_wrong
from wsss_steps.formats.files import VERSION, write_json
from wsss_steps.formats.kinds.cams import CAMS
from wsss_steps.formats.stores import Store
from wsss_steps.methods import arguments
from wsss_steps.ops.bootstrap import interval
from wsss_steps.ops.evaluation import mean_of_known
from wsss_steps.ops.localisation import box_of_map, corloc, resampled_corloc
from wsss_steps.ops.overlap import Box, best_iou
from wsss_steps.progress import track
from wsss_steps.report import tables

log = logging.getLogger(__name__)

TRAIN = "train"  # the split of all class activation maps
CORNERS = ("y_min", "x_min", "y_max", "x_max")
COLUMNS = ("id", "class", *CORNERS, "iou", "right")


@dataclass(frozen=True)
class Pair:
    """An image and a class that it shows: the box of its map, if there is one, and its best IoU with an object."""

    image: str
    label: int
    box: Box | None
    iou: float


def counted_objects(objects: Sequence[ObjectBox], difficult: str) -> dict[int, list[Box]]:
    """The boxes of the objects that count, by class, ascending."""
    found: dict[int, list[Box]] = {}
    for one in sorted(objects, key=lambda one: one.label):
        if difficult == "include" or not one.difficult:
            found.setdefault(one.label, []).append(one.box)
    return found


def pairs_of(entry: Entry, truth: dict[int, list[Box]], store: Store, settings: dict[str, Any]) -> list[Pair]:
    """The pairs of one image. A ValueError if its maps are of another size."""
    maps, present = read_cam(store, entry)
    given = arguments(box_of_map, settings)
    found = {int(label): box_of_map(one, **given) for label, one in zip(present, maps, strict=True) if label in truth}
    return [Pair(entry.id, label, found.get(label), best_iou(found.get(label), ones)) for label, ones in truth.items()]


def all_pairs(entries: Sequence[Entry], truth: Boxes, store: Store, settings: dict[str, Any]) -> list[Pair]:
    """The pairs of all images, in their order. UserErrors list all without maps, and all with maps of another size."""
    all_wrong(f"{store.path}: images without class maps", [one.id for one in entries if one.id not in store])
    found, problems = list[Pair](), []
    for entry in track(entries, len(entries), "images"):
        counted = counted_objects(truth[entry.id], settings["difficult"])
        try:
            found += pairs_of(entry, counted, store, settings)
        except ValueError as error:
            problems.append(f"{entry.id}: {error}")
    all_wrong("class maps that do not fit their images", problems)
    return found


def tables_of(pairs: Sequence[Pair], classes: int, iou: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether each image (rows) shows each class (columns), and whether its box is right: IoU >= `iou`."""
    rows = {name: row for row, name in enumerate(dict.fromkeys(pair.image for pair in pairs))}
    right, shown = np.zeros((2, len(rows), classes), bool)
    for pair in pairs:
        shown[rows[pair.image], pair.label - 1] = True
        right[rows[pair.image], pair.label - 1] = pair.iou >= iou
    return right, shown


def frame_of(pairs: Sequence[Pair], classes: Sequence[str], iou: float) -> pd.DataFrame:
    """A row per pair; coordinates are whole numbers, or missing."""
    rows = [
        (pair.image, classes[pair.label - 1], *(pair.box or (None,) * len(CORNERS)), pair.iou, int(pair.iou >= iou))
        for pair in pairs
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(dict.fromkeys(CORNERS, "Int64"))


def number(value: float) -> float | None:
    """None for NaN, which JSON lacks."""
    return None if math.isnan(value) else float(value)


def score_of(pairs: Sequence[Pair], classes: Sequence[str], settings: dict[str, Any]) -> dict[str, Any]:
    """The content of a score; null where there is nothing to measure."""
    right, shown = tables_of(pairs, len(classes), settings["iou"])
    counts = [table.sum(axis=0).astype(np.float64) for table in (right, shown)]
    per_class = corloc(*counts)
    low, high = interval(resampled_corloc(right, shown, draws=settings["bootstrap"], seed=settings["seed"]))
    return {
        "corloc": number(float(mean_of_known(per_class))),
        "ci_low": number(low),
        "ci_high": number(high),
        "localisation_error": (len(pairs) - int(right.sum())) / len(pairs) if pairs else None,
        "images": len(shown),
        "pairs": len(pairs),
        "without_box": sum(pair.box is None for pair in pairs),
        "per_class": [
            {"class": name, "corloc": number(per_class[i]), "right": int(counts[0][i]), "images": int(counts[1][i])}
            for i, name in enumerate(classes)
        ],
        "gt_used_for": "evaluation" if pairs else "nothing",
    }


def run(
    *, manifest: Path, boxes: Path, cams: Path, output: Path, score: Path, settings: dict[str, Any], stamp: str = ""
) -> None:
    """Score the boxes of the maps `cams` by the ground truth `boxes`; `settings` are those of `EvaluateBoxes`.

    Writes `output`, a CSV table of all pairs of an image and a class that it shows (box in px, half-open, empty without
    one; best IoU; whether it is right), and `score`, JSON with fractions in [0, 1]. UserError if maps are missing or of
    another size than their image.
    """
    data, truth = read_manifest(manifest), read_boxes(boxes)
    entries = [entry for entry in data.split(TRAIN) if entry.id in truth]
    with Store(cams, CAMS) as store:
        pairs = all_pairs(entries, truth, store, settings)
    tables.write(output, frame_of(pairs, data.classes, settings["iou"]))
    about = {"format": "wsss/box_score", "version": VERSION, "split": TRAIN}
    content = {**about, **score_of(pairs, data.classes, settings), "settings": settings}
    write_json(score, {**content, "provenance": json.loads(stamp or "{}")})
    log.info("CorLoc %s, localisation error %s", content["corloc"], content["localisation_error"])


if __name__ == "__main__":
    main(run)
