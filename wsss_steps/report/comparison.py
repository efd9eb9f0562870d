"""Whether two folders of results hold the same numbers: arrays, weights, label maps, scores and tables.

What made an artifact (its stamp) is left out: other code or another place may lead to equal numbers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from wsss_steps.errors import UserError
from wsss_steps.formats.indices import kind_of
from wsss_steps.formats.pictures import opened
from wsss_steps.formats.stores import Store
from wsss_steps.report.artifacts import files, table_differences

COMPARED = (".h5", ".safetensors", ".png", ".json", ".csv")
NOT_NUMBERS = ("provenance.json", ".provenance.json")  # ends of names of files that hold a stamp alone
FOLDERS_LEFT_OUT = ("configurations", "scenes", "pairs")  # records, and drawn images, which are inputs


def differences(first: Path, second: Path) -> Iterator[tuple[str, str]]:
    """Path below the folders and what is different, of every artifact that is not the same in both."""
    ours, theirs = (_artifacts(folder) for folder in (first, second))
    for name in sorted(ours.keys() | theirs.keys()):
        if name not in theirs or name not in ours:
            yield name, f"only in {first if name in ours else second}"
        else:
            try:
                what = _difference(ours[name], theirs[name])
            except UserError as error:  # such as a store of another version
                what = str(error)
            if what:
                yield name, what


def count(folder: Path) -> int:
    """How many artifacts of a folder are compared."""
    return len(_artifacts(folder))


def _artifacts(folder: Path) -> dict[str, Path]:
    paths = {path.relative_to(folder): path for path in folder.rglob("*") if path.suffix in COMPARED and path.is_file()}
    return {
        name.as_posix(): path
        for name, path in paths.items()
        if not name.name.endswith(NOT_NUMBERS)
        and not name.name.startswith(".")  # records of times
        and name.parts[0] not in FOLDERS_LEFT_OUT
    }


def _difference(ours: Path, theirs: Path) -> str | None:
    """What is different in the numbers of two artifacts of one kind; None if nothing is."""
    if ours.suffix == ".h5":
        return _of_stores(ours, theirs)
    if ours.suffix == ".csv":
        return _of_tables(ours, theirs)
    if ours.suffix == ".json":
        return None if _content(ours) == _content(theirs) else "other values"
    read = load_file if ours.suffix == ".safetensors" else _pixels
    return _of_arrays(read(ours), read(theirs))


def _of_tables(ours: Path, theirs: Path) -> str | None:
    """The columns that differ, with how many rows; None if nothing does."""
    if ours.read_bytes() == theirs.read_bytes():
        return None
    first, second, _ = table_differences.keyed(files.read_table(ours), files.read_table(theirs))
    if list(first.columns) != list(second.columns) or list(first.index) != list(second.index):
        return "other rows or columns"
    return "; ".join(table_differences.summary(table_differences.cells(first, second)))


def _of_stores(ours: Path, theirs: Path) -> str | None:
    with Store(ours, kind_of(ours)) as first, Store(theirs, kind_of(theirs)) as second:
        if first.ids() != second.ids():
            return "other images"
        found = ((name, _of_arrays(first[name], second[name])) for name in first.ids())
        changed = [(name, what) for name, what in found if what]
    return f"{len(changed)} images, first {changed[0][0]}: {changed[0][1]}" if changed else None


def _of_arrays(ours: dict[str, Any], theirs: dict[str, Any]) -> str | None:
    """Names of the arrays that differ, with the largest difference where they have one shape."""
    if ours.keys() != theirs.keys():
        return f"other arrays: {sorted(ours.keys() ^ theirs.keys())}"
    unequal = [name for name in ours if not _equal(ours[name], theirs[name])]
    return ", ".join(f"{name} {_distance(ours[name], theirs[name])}" for name in unequal) or None


def _equal(ours: Any, theirs: Any) -> bool:
    return np.array_equal(ours, theirs, equal_nan=ours.dtype.kind == "f")


def _distance(ours: Any, theirs: Any) -> str:
    if ours.shape != theirs.shape:
        return f"{ours.shape} and {theirs.shape}"
    return f"by up to {np.nanmax(np.abs(ours.astype(np.float64) - theirs.astype(np.float64))):.3g}"


def distances(first: Path, second: Path) -> dict[str, float]:
    """Largest difference of every tensor that two checkpoints do not share, by name; infinite for another shape.

    Tensors that only one of them has are left out.
    """
    ours, theirs = load_file(first), load_file(second)
    unequal = [name for name in ours if name in theirs and not _equal(ours[name], theirs[name])]
    return {
        name: float(np.nanmax(np.abs(ours[name].astype(np.float64) - theirs[name].astype(np.float64))))
        if ours[name].shape == theirs[name].shape
        else float("inf")
        for name in unequal
    }


def _pixels(path: Path) -> dict[str, Any]:
    with opened(path, ("PNG",)) as image:
        return {"pixels": np.asarray(image)}


def _content(path: Path) -> Any:
    content = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(content, dict):
        content.pop("provenance", None)
    return content
