"""Which classes may appear in which photograph: one list for all, or a table with a row for each."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from wsss_steps.afterwards.photographs import Found
from wsss_steps.data import voc_tags
from wsss_steps.data.photo_tables import BETWEEN_TAGS, Row, read_table
from wsss_steps.errors import all_wrong

Tags = tuple[int, ...]


def tags_of(text: str, photographs: Mapping[str, Found], classes: Sequence[str]) -> dict[str, Tags]:
    """The classes 1..C that may appear in each photograph, ascending, by the photographs' names.

    text: a table as for plain folders (`file,tags`), or classes with commas between them, for all photographs. A
    UserError lists unknown classes, photographs without a row, and rows that name several.
    """
    problems: list[str] = []
    if _is_table(text):
        rows = _matched(Path(text), photographs, classes, problems)
    else:
        given = tuple(name for part in BETWEEN_TAGS.split(text) if (name := part.strip()))
        _check(given, classes, "--tags", problems)
        rows = dict.fromkeys(photographs, given)
    all_wrong("tags of the photographs", problems)
    return {name: tuple(sorted({classes.index(one) + 1 for one in names})) for name, names in rows.items()}


def _is_table(text: str) -> bool:
    return Path(text).is_file() or Path(text).suffix.lower() in (".csv", ".tsv", ".txt")


def _check(names: Sequence[str], classes: Sequence[str], where: str, problems: list[str]) -> None:
    """Note the names that are no classes."""
    for name in names:
        if name not in classes:
            hint = voc_tags.meant([name], classes)
            problems.append(f"{where}: unknown class '{name}'; known classes: {', '.join(classes)}{hint or ''}")


def _matched(
    table: Path, photographs: Mapping[str, Found], classes: Sequence[str], problems: list[str]
) -> dict[str, tuple[str, ...]]:
    """The tags of each photograph from the row that names it; rows of other photographs are passed over."""
    rows: dict[str, Row] = {}
    for row in read_table(table, problems, classes).rows:
        where, key = f"{table}, line {row.line}", _plain(row.image)
        _check(row.names, classes, where, problems)
        if key in rows:
            problems.append(f"{where}: '{row.image}' is already in line {rows[key].line}; expected a row per image")
        rows[key] = row
    found, used = dict[str, tuple[str, ...]](), dict[int, str]()
    for name, one in photographs.items():
        match = next((rows[key] for key in _spellings(name, one, table) if key in rows), None)
        if match is None:
            problems.append(f"{one.path}: no row in {table}")
        elif match.line in used:
            both = f"{used[match.line]} and {one.path}"
            problems.append(f"{table}, line {match.line}: '{match.image}' may mean {both}; give the path")
        else:
            found[name], used[match.line] = match.names, str(one.path)
    return found


def _spellings(name: str, one: Found, table: Path) -> Iterator[str]:
    """How a row may name a photograph, from the most exact: paths, the name of the file, each also without suffix."""
    paths = [one.path.as_posix(), os.path.relpath(one.path, table.parent), one.below, one.path.name]
    yield from map(_plain, paths)
    yield from (_plain(path.rpartition(".")[0]) for path in paths)
    yield _plain(name)


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name.replace("\\", "/").removeprefix("./")).casefold()
