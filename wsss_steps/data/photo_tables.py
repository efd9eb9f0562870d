"""A table of what photographs show, as people have them: one row per image. Free of torch and NumPy.

The image stands in a column `path`, `file`, `filename`, `image` or `id`; its classes in a column `tags`, `tag`,
`classes`, `class`, `labels` or `label`, or in a column per class with 0 or 1. Columns are separated by `,`, `;` or
tabulators, tags by `;`, `,` or `|`. Optional columns are `split`, `mask` and `saliency`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

IMAGE = ("path", "file", "filename", "image", "id")
TAGS = ("tags", "tag", "classes", "class", "labels", "label")
EXTRA = ("split", "mask", "saliency")
DELIMITERS = (",", ";", "\t")
BETWEEN_TAGS = re.compile(r"[;,|]")
YES, NO = ("1", "1.0", "true", "yes", "x"), ("0", "0.0", "false", "no", "")
MOST_COLUMNS, LONGEST_NAME = 8, 40  # shown of a wrong table
EXPECTED = f"expected a column {', '.join(IMAGE)}, and a column {TAGS[0]} or one per class with 0 and 1"


@dataclass(frozen=True)
class Row:
    """One line of a table: `names` are the classes that the image shows; `split`, `mask`, `saliency` may be empty."""

    line: int
    image: str
    names: tuple[str, ...]
    split: str = ""
    mask: str = ""
    saliency: str = ""


@dataclass(frozen=True)
class Table:
    """Its rows, and the classes that its columns name: none, if a column has the tags of an image."""

    rows: tuple[Row, ...]
    columns: tuple[str, ...] = ()


def read_table(path: Path, problems: list[str], classes: Sequence[str] = ()) -> Table:
    """The rows of a table; what is wrong with it is added to `problems`, with the line.

    classes: those that are known: a tag that is one is not taken apart at a separator in it.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        problems.append(f"{path}: no such table of tags")
        return Table(())
    except (UnicodeDecodeError, OSError) as error:
        problems.append(f"{path}: not a readable table in UTF-8 ({error})")
        return Table(())
    try:
        lines = list(_lines(text))
    except csv.Error as error:
        problems.append(f"{path}: not a readable table ({error})")
        return Table(())
    if problem := _problem_of(lines):
        problems.append(f"{path}: {problem}")
        return Table(())
    return _Reading(path, lines[0][1], frozenset(classes), problems).table(lines[1:])


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and fields of every line that is not blank, with the delimiter that makes a table of it."""
    header = text.lstrip().split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=lambda mark: (_is_header(header, mark), header.count(mark)))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    for fields in reader:
        if any(field.strip() for field in fields):
            yield reader.line_num, [field.strip() for field in fields]


def _is_header(line: str, delimiter: str) -> bool:
    """Whether a line, taken apart at `delimiter`, names a column of images and another."""
    names = [name.strip().strip('"').casefold() for name in line.split(delimiter)]
    return len(names) > 1 and bool(set(names) & set(IMAGE))


def _problem_of(lines: Sequence[tuple[int, list[str]]]) -> str | None:
    """What is wrong with a table as a whole."""
    if not lines:
        return "the table of tags is empty"
    header = lines[0][1]
    shown = [name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}..." for name in header[:MOST_COLUMNS]]
    found = f"found {shown}" + (" and more" if len(header) > MOST_COLUMNS else "")
    folded = [name.casefold() for name in header if name]
    if header[0][:1] in ("{", "["):
        return f"{EXPECTED}, found JSON; write a table as CSV, one image per line"
    if not set(folded) & set(IMAGE):
        return f"{EXPECTED} in its first line, {found}"
    if twice := sorted({name for name in folded if folded.count(name) > 1}):
        return f"expected each column once, found {twice} more than once"
    if not set(folded) & set(TAGS) and not set(folded) - {*IMAGE, *EXTRA}:
        return f"{EXPECTED}, {found}"
    return "the table of tags has no rows below its first line" if len(lines) == 1 else None


@dataclass
class _Reading:
    """Reads the lines of one table."""

    path: Path
    header: Sequence[str]
    classes: frozenset[str]
    problems: list[str]

    def __post_init__(self) -> None:
        folded = [name.casefold() for name in self.header]
        self.image = next(folded.index(name) for name in IMAGE if name in folded)
        self.tags = next((folded.index(name) for name in TAGS if name in folded), None)
        self.extra = {name: folded.index(name) for name in EXTRA if name in folded}
        taken = {self.image, *self.extra.values()} | {folded.index(name) for name in IMAGE if name in folded}
        others = {n: name for n, name in enumerate(self.header) if name and n not in taken}
        wanted = {n: name for n, name in others.items() if not self.classes or name in self.classes}
        self.columns = wanted if self.tags is None else {}
        if self.tags is None and (missing := sorted(self.classes - set(wanted.values()))):
            self.wrong(1, f"no column for the classes {missing}; found {list(others.values())}")

    def table(self, lines: Sequence[tuple[int, list[str]]]) -> Table:
        """All rows of which the image is known."""
        rows = [self.row(line, fields) for line, fields in lines]
        return Table(tuple(row for row in rows if row is not None), tuple(self.columns.values()))

    def row(self, line: int, fields: list[str]) -> Row | None:
        """One row; None if it names no image."""
        more, width = [], len(self.header)
        if len(fields) > width and any(fields[width:]):
            more = fields[width:]
            if self.tags != width - 1:  # tags that are separated as the columns are, if they are the last
                self.wrong(
                    line, f"expected {width} columns, found {len(fields)}; put quotes around a field with commas"
                )
                more = []
        fields = fields[:width] + [""] * (width - len(fields))
        if not fields[self.image]:
            self.wrong(line, f"no image in column {self.header[self.image]}")
            return None
        names = self.one_hot(line, fields) if self.tags is None else self.named([fields[self.tags], *more])
        extra = {name: fields[column] for name, column in self.extra.items()}
        return Row(line, fields[self.image], names, **extra)

    def named(self, texts: Sequence[str]) -> tuple[str, ...]:
        """The classes in fields of tags, each once, in their order."""
        found = [part.strip() for text in texts for part in self.parts(text)]
        return tuple(dict.fromkeys(name for name in found if name))

    def parts(self, text: str) -> list[str]:
        """One field of tags, taken apart."""
        if text in self.classes:
            return [text]
        parts = [part.strip(" \"'[]") for part in BETWEEN_TAGS.split(text)]
        words = text.split()
        return words if len(parts) == 1 and self.classes and set(words) <= self.classes else parts

    def one_hot(self, line: int, fields: Sequence[str]) -> tuple[str, ...]:
        """The classes whose column says yes."""
        for column, name in self.columns.items():
            if fields[column].casefold() not in (*YES, *NO):
                self.wrong(line, f"expected 0 or 1 in column {name}, found '{fields[column]}'")
        return tuple(name for column, name in self.columns.items() if fields[column].casefold() in YES)

    def wrong(self, line: int, problem: str) -> None:
        """Note a problem of one line."""
        self.problems.append(f"{self.path}, line {line}: {problem}")
