"""The table `boxes.csv`, a row per recipe and maps: its columns, and how it is written and printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from wsss_steps.report import tables

CORLOC = "corloc_"  # before the name of a class, in the heads of its columns
NAMES = ("recipe", "random_seed", "cams", "split")
SCORES = ("corloc", "ci_low", "ci_high", "localisation_error", "images", "pairs", "without_box")
PROTOCOL = ("threshold", "connectivity", "iou", "difficult", "gt_used_for")
COLUMNS = (*NAMES, *SCORES, *PROTOCOL)


def write(path: Path, rows: Sequence[Mapping[str, Any]], classes: Sequence[str]) -> None:
    """Write the rows as CSV, CorLoc of each class at the end; missing scores as empty fields."""
    per_class = [f"{CORLOC}{name}" for name in classes]
    frame = pd.DataFrame(rows, columns=[*COLUMNS, *per_class])
    tables.write(path, frame.astype(dict.fromkeys([*SCORES[:4], *per_class], float)))


def holds(path: Path) -> bool:
    """Whether the file is such a table."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.readline().startswith(",".join(COLUMNS).encode())


def printed(path: Path) -> str:
    """The table in the file as it is printed, without the columns of the classes."""
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    interval = frame["ci_low"].map(tables.percent) + " - " + frame["ci_high"].map(tables.percent)
    shown = pd.DataFrame(
        {
            "recipe": [tables.labelled(*pair) for pair in zip(frame["recipe"], frame["random_seed"], strict=True)],
            "cams": frame["cams"],
            "split": frame["split"],
            "CorLoc": frame["corloc"].map(tables.percent),
            "95 % interval": interval.where(frame["ci_low"] != "", "-"),
            "error": frame["localisation_error"].map(tables.percent),
            "images": frame["images"],
        }
    )
    note = "Boxes of the maps, in percent. CorLoc: mean over the classes; error: share of all boxes that are wrong."
    return "\n".join(["", *tables.lines_of(shown), "", note, f"Table: {path}", ""])
