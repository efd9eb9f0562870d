"""The numbers that the page shows, as its scripts read them. Everything that is text stays text."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wsss_steps.data.manifest import read_manifest
from wsss_steps.errors import UserError
from wsss_steps.formats.files import read_json
from wsss_steps.formats.kinds.confusions import CONFUSIONS
from wsss_steps.formats.stores import Store

Table = dict[str, Any]
# settings that the page shows
ABOUT = ("name", "dataset", "masks", "unscored", "random_seeds", "recipes", "rows", "superpixels")


def table(path: Path) -> Table:
    """A table in CSV: {"columns": names, "rows": lists of texts}; a UserError if it is none."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: expected a table in CSV ({error})") from None
    if not lines or any(len(line) != len(lines[0]) for line in lines):
        raise UserError(f"{path}: expected a table in CSV, found {len(lines)} rows, not all of the same length")
    return {"columns": lines[0], "rows": lines[1:]}


def of_split(path: Path) -> dict[str, Any]:
    """Name of a split, number of its images, and in how many each class is, if its tags are known."""
    data = read_manifest(path)
    names = sorted({entry.split for entry in data.entries})
    counts = [sum(label in entry.tags for entry in data.entries) for label in range(1, len(data.classes) + 1)]
    return {"split": "; ".join(names), "images": len(data.entries), "tagged": counts, "classes": list(data.classes)}


def of_score(path: Path) -> dict[str, Any]:
    """What a score says that the tables do not: the mIoU at every threshold, and the policies."""
    found = read_json(path, "score")
    return {name: found[name] for name in ("sweep", "threshold", "policies", "absent_classes")}


def confusion(path: Path) -> dict[str, Any]:
    """The confusion matrix over all images of a store: pixels of each class (row) predicted as another (column)."""
    with Store(path, CONFUSIONS) as store:
        ids, classes = store.ids(), ["background", *(store.about()[1] or [])]
        total = np.zeros((len(classes), len(classes) + 1), np.int64)
        for image_id in ids:
            total += store[image_id]["confusion"]
    return {"classes": classes, "pixels": total.tolist()}


def of_tags(path: Path) -> dict[str, Any]:
    """How well the tags of a split were predicted."""
    return _without_stamp(read_json(path, "tag_score"))


def _without_stamp(content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name not in ("format", "version", "provenance")}


def of_warnings(path: Path | None) -> dict[str, Any] | None:
    """What `find_warnings` wrote, if anything."""
    return None if path is None else _without_stamp(read_json(path, "warnings"))


def described(settings: Sequence[Mapping[str, Any]], found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What each file holds, and what the settings say that it is of."""
    return [{**about, **one} for about, one in zip(settings, found, strict=True)]


def numbers(paths: Mapping[str, Sequence[Path]], warnings: Path | None, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The content of `report.numbers`; `paths` by the names of the options of `write_report`.

    The numbers of a row's score and confusion matrix are those of the lists `scores` and `confusions`.
    """
    return {
        "about": {name: settings[name] for name in ABOUT},
        "splits": [of_split(path) for path in paths["manifests"]],
        "tables": {path.stem: table(path) for path in paths["tables"]},
        "scores": [of_score(path) for path in paths["scores"]],
        "confusions": [confusion(path) for path in paths["confusions"]],
        "histories": described(settings["histories"], [table(path) for path in paths["histories"]]),
        "tags": described(settings["tags"], [of_tags(path) for path in paths["tags"]]),
        "warnings": of_warnings(warnings),
    }
