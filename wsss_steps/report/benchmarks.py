"""Time and memory of every job, from the tables that Snakemake's `benchmark` directives left in the folder of logs."""

from __future__ import annotations

import csv
import itertools
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

COLUMNS = {"s": "seconds", "cpu_time": "cpu_seconds", "max_rss": "memory_mb"}
SHARED = ("splits", "features", "superpixels", "saliency", "strong")  # folders that belong to no recipe
WITHIN = ("evaluation", "predict")  # folders within that of a choice
STEPS = {"evaluation/tags": "evaluate_classifier", "evaluation/boxes": "evaluate_boxes", "evaluation": "evaluate"}


def times(folder: Path | None, lineages: Sequence[str]) -> list[dict[str, Any]]:
    """A row for each job of the recipes with these lineages, sorted by its path: step, what it is of, time and memory.

    Only tables that exist and can be read: a job that failed, or that ran elsewhere, has none. Memory in MB (2**20
    bytes), the most of all processes of the job together; null where the job was too short to be measured.
    """
    paths = sorted(folder.rglob("*.tsv")) if folder is not None and folder.is_dir() else []
    return [] if folder is None else [row for path in paths for row in _rows(path, folder, lineages)]


def _rows(path: Path, folder: Path, lineages: Sequence[str]) -> Iterator[dict[str, Any]]:
    relative = path.relative_to(folder)
    if not belongs(relative.parts[:-1], lineages):
        return
    try:
        with path.open(encoding="utf-8", newline="") as file:
            found = list(csv.DictReader(file, delimiter="\t"))
    except (OSError, UnicodeDecodeError, csv.Error):
        return
    step, of = step_of(relative)
    for row in found:
        yield {"step": step, "of": of, **{name: _number(row.get(column)) for column, name in COLUMNS.items()}}


def belongs(folders: Sequence[str], lineages: Sequence[str]) -> bool:
    """Whether a job in these folders worked for a recipe of one of the lineages; a link of a chain is part of it."""
    choices = list(itertools.takewhile(lambda part: part not in WITHIN and not part.endswith(".shards"), folders))
    if not choices or choices[0] in SHARED:
        return True
    return any(
        all(own == part or own.startswith(f"{part}+") for part, own in zip(choices, lineage.split("/"), strict=False))
        for lineage in lineages
    )


def step_of(path: Path) -> tuple[str, str]:
    """The step of a job's table, and what it is of: its folder, with split or shard if the table is named by it."""
    folder, name = path.parent.as_posix(), path.stem
    for place, step in STEPS.items():
        if f"/{place}" in f"/{folder}":
            return step, f"{folder}/{name}"
    if name.endswith(".join"):
        return "join_shards", (path.parent / name.removesuffix(".join")).as_posix()
    parent = path.parent.name.removesuffix(".shards")
    if parent == "predict" or path.parent.name.endswith(".shards"):
        return _in_folder(path)
    return name, "" if folder == "." else folder


def _in_folder(path: Path) -> tuple[str, str]:
    """Of a table in a folder that is named by the step: `predict/val.tsv`, `make_cams.shards/001-of-002.tsv`."""
    *folders, place = path.parent.parts
    step = place.removesuffix(".shards")
    if folders and folders[-1] == "predict":  # predict/val.shards/001-of-002.tsv
        return "predict", "/".join([*folders[:-1], step, path.stem])
    return step, "/".join([*folders, path.stem])


def _number(text: str | None) -> float | None:
    """A number, or None for `-`, which Snakemake writes for what it could not measure."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
