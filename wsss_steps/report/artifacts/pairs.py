"""What `compare` prints of two folders of results, two artifacts or two tables."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from wsss_steps.data.manifest import read_manifest
from wsss_steps.errors import UserError
from wsss_steps.formats.tensors import tensors_of
from wsss_steps.report import comparison
from wsss_steps.report.artifacts import differences, differences_drawn, files, identify, sources, table_differences
from wsss_steps.report.artifacts.surroundings import around

Line = tuple[str, bool]  # what is printed, and whether it tells of a difference


def are_results(first: Path, second: Path) -> bool:
    """Whether two paths are folders of results, and no folders of label maps; a UserError if one is missing."""
    for path in (first, second):
        if not path.exists():
            raise UserError(f"{path}: no such folder or file")
    if first.is_dir() != second.is_dir():
        raise UserError(f"{first} and {second}: expected two folders or two files, found one of each")
    return first.is_dir() and not (identify.label_maps_below(first) and identify.label_maps_below(second))


def of_results(first: Path, second: Path) -> Iterator[Line]:
    """Every artifact of two folders that is not the same in both."""
    found = 0
    for name, what in comparison.differences(first, second):
        yield f"{name}: {what}", True
        found += 1
    counts = " and ".join(f"{comparison.count(folder)} artifacts in {folder}" for folder in (first, second))
    yield f"{counts}; {found or 'none'} different", False


def of_artifacts(
    first: Path, second: Path, wanted: Sequence[str], output: Path | None, most: int, drawn: int
) -> Iterator[Line]:
    """Where two artifacts of one kind differ; drawn into `output`, if given. A UserError if they are of two kinds."""
    kind, other = identify.identify(first), identify.identify(second)
    if kind != other:
        raise UserError(f"expected two artifacts of one kind, found {first}: {kind}, and {second}: {other}")
    if kind != "manifest" and sources.holds_images(kind):
        yield from _of_images(first, second, wanted, output, most, drawn)
        return
    if output or wanted:
        raise UserError(f"{first}: a {kind} is compared in numbers only; leave out --out and --image")
    found = list(_of_files(first, second, kind, most))
    yield from ((line, True) for line in found)
    yield f"{first} and {second} {'differ' if found else 'hold the same'}", False


def _of_images(
    first: Path, second: Path, wanted: Sequence[str], output: Path | None, most: int, drawn: int
) -> Iterator[Line]:
    of = around(first)
    with contextlib.ExitStack() as stack:
        ours, theirs = (stack.enter_context(sources.opened(path, of)) for path in (first, second))
        _same_images(ours, theirs)
        found = differences.differing(ours, theirs, wanted)
        same = not found and set(ours.ids) == set(theirs.ids)
        yield from ((line, not same) for line in differences.lines(ours, theirs, found, most))
        if output and found:
            differences_drawn.draw(ours, theirs, of, found[:drawn], output)
            yield f"the {len(found[:drawn])} images that differ most, drawn into {output}", False


def _same_images(first: sources.Source, second: sources.Source) -> None:
    """A UserError if two artifacts have no image in common."""
    if not set(first.ids) & set(second.ids):
        raise UserError(f"{first.path} and {second.path}: no image that both hold")


def _of_files(first: Path, second: Path, kind: str, most: int) -> Iterator[str]:
    if kind == identify.TABLE:
        yield from table_differences.lines(files.read_table(first), files.read_table(second), most)
    elif kind == "manifest":
        yield from table_differences.lines(_entries(first), _entries(second), most)
    elif kind == identify.CHECKPOINT:
        yield from _of_checkpoints(first, second, most)
    elif first.suffix == ".json":
        yield from table_differences.lines(_fields(first), _fields(second), most)
    elif first.read_bytes() != second.read_bytes():
        yield f"{first} and {second}: other content"


def _entries(path: Path) -> pd.DataFrame:
    """A manifest as a table, every field as text."""
    rows = [{name: str(value) for name, value in vars(entry).items()} for entry in read_manifest(path).entries]
    return pd.DataFrame(rows)


def _fields(path: Path) -> pd.DataFrame:
    """JSON as a table of fields, keys with dots between them, and their values; without its stamp."""
    content = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(content, dict):
        content.pop("provenance", None)
    return _as_table(_flat(content, ""))


def _as_table(fields: Iterable[tuple[str, str]]) -> pd.DataFrame:
    return pd.DataFrame(list(fields), columns=["field", "value"])


def _flat(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{place}.{key}" if place else key)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for index, inner in enumerate(value):
            yield from _flat(inner, f"{place}.{inner.get('class', index)}")
    else:
        yield place, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _of_checkpoints(first: Path, second: Path, most: int) -> Iterator[str]:
    """What the headers say, then the tensors that differ, those furthest apart first."""
    ours, theirs = (_as_table(files.content_of(path)) for path in (first, second))
    yield from table_differences.lines(ours, theirs, most)
    shapes, others = tensors_of(first), tensors_of(second)
    for path, only in ((first, shapes.keys() - others.keys()), (second, others.keys() - shapes.keys())):
        if only:
            yield f"tensors only in {path}: {', '.join(sorted(only)[:20])}"
    found = comparison.distances(first, second)
    for name, distance in sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))[:most]:
        yield f"{name}: {'another shape' if np.isinf(distance) else f'by up to {distance:.4g}'}"
    if len(found) > most:
        yield f"... and {len(found) - most} more tensors"
