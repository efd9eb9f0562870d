"""Which rows and columns of two tables differ, and by how much."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from wsss_steps.report import tables

# columns that say what a row is of, in the tables of this workflow
KEYS = (
    *("recipe", "other", "random_seed", "cams", "stage", "split", "class", "size", "from", "to", "superpixels"),
    *("epoch", "image", "id", "field"),
)


@dataclass(frozen=True)
class Cell:
    """A field that differs: its row, its column, both texts, and the difference of two numbers (None for texts)."""

    row: str
    column: str
    first: str
    second: str
    apart: float | None


def keyed(first: pd.DataFrame, second: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """Both with an index by which rows belong together, and how that is called: key columns, else numbers of rows."""
    keys = [name for name in KEYS if name in first.columns and name in second.columns]
    if keys and not any(frame.duplicated(keys).any() for frame in (first, second)):
        joined = [frame.set_index(frame[keys].agg(", ".join, axis=1)) for frame in (first, second)]
        return joined[0], joined[1], ", ".join(keys)
    return first, second, "number of the row"


def cells(first: pd.DataFrame, second: pd.DataFrame) -> list[Cell]:
    """The fields that differ in the rows and columns that both have, in the order of the first."""
    ours, theirs = ({row: fields.astype(str) for row, fields in frame.iterrows()} for frame in (first, second))
    columns = [name for name in first.columns if name in set(second.columns)]
    return [
        Cell(str(row), column, ours[row][column], theirs[row][column], _apart(ours[row][column], theirs[row][column]))
        for row in ours
        if row in theirs
        for column in columns
        if ours[row][column] != theirs[row][column]
    ]


def _apart(first: str, second: str) -> float | None:
    try:
        return float(second) - float(first)
    except ValueError:
        return None


def _only(first: list[str], second: list[str], what: str) -> Iterator[str]:
    for word, ours, theirs in (("first", first, second), ("second", second, first)):
        if only := [name for name in ours if name not in set(theirs)]:
            yield f"{what} only in the {word}: {'; '.join(only[:20])}{'; ...' if len(only) > 20 else ''}"


def lines(first: pd.DataFrame, second: pd.DataFrame, most: int) -> Iterator[str]:
    """What differs: rows and columns of one alone, then the fields, up to `most`, and the columns with how many rows.

    Both tables hold texts. Nothing if they are equal.
    """
    ours, theirs, by = keyed(first, second)
    yield from _only(list(first.columns), list(second.columns), "columns")
    yield from _only(
        [str(row) for row in ours.index], [str(row) for row in theirs.index], "rows" if by != "field" else "fields"
    )
    found = cells(ours, theirs)
    if not found:
        return
    shown = pd.DataFrame(
        [
            {by: one.row, "column": one.column, "first": one.first or "-", "second": one.second or "-"}
            | {"difference": "" if one.apart is None else f"{one.apart:+.4g}"}
            for one in found[:most]
        ]
    )
    yield from tables.lines_of(shown)
    if len(found) > most:
        yield f"... and {len(found) - most} more"
    yield from summary(found)


def summary(found: list[Cell]) -> Iterator[str]:
    """A line for each column that differs: in how many rows, and by how much at most."""
    for column in dict.fromkeys(one.column for one in found):
        own = [one for one in found if one.column == column]
        numbers = [abs(one.apart) for one in own if one.apart is not None]
        largest = f", by up to {max(numbers):.4g}" if numbers else ""
        yield f"{column}: differs in {len(own)} row{'s' if len(own) > 1 else ''}{largest}"
