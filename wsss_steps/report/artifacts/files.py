"""Artifacts that hold nothing per image, as lines for the terminal: checkpoints, tables, JSON, logs, pictures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from wsss_steps.errors import UserError
from wsss_steps.formats.pictures import DAMAGED, PHOTOGRAPHS, opened
from wsss_steps.formats.tensors import count, tensors_of
from wsss_steps.formats.weights import kind_of_weights, read_weights_content
from wsss_steps.report import boxes, tables
from wsss_steps.report.artifacts import identify
from wsss_steps.report.artifacts.statistics import made

LONGEST = 300  # characters of one value
MOST_ROWS = 60  # of a table: of a longer one, the first and the last half of them


def described(path: Path, kind: str) -> Iterator[str]:
    """The lines of an artifact of one of the kinds that hold nothing per image."""
    yield from PRINTERS.get(kind, _json)(path)


def _checkpoint(path: Path) -> Iterator[str]:
    """Network, classes, parameters, initial weights, mean and std, from the header of the file."""
    found, kind = tensors_of(path), kind_of_weights(path)
    yield f"{path}: checkpoint" + (f" of a {kind}" if kind else ", not of this workflow")
    yield from made(path)
    yield from (f"{name}: {value}" for name, value in content_of(path))
    parts: dict[str, list[int]] = {}
    for name, (_, shape) in found.items():
        parts.setdefault(_part(name), []).append(count(shape))
    yield f"parameters and buffers: {sum(map(sum, parts.values())):,} numbers in {len(found)} tensors of "
    yield f"  {', '.join(sorted({dtype for dtype, _ in found.values()}))}"
    frame = pd.DataFrame([{"part": part, "tensors": len(n), "numbers": f"{sum(n):,}"} for part, n in parts.items()])
    yield from (f"  {line}" for line in tables.lines_of(frame.astype(str)))


def content_of(path: Path) -> Iterator[tuple[str, str]]:
    """What a checkpoint says of its network, keys with dots between them; nothing of one that is not ours."""
    kind = kind_of_weights(path)
    return _flat(read_weights_content(path, kind)) if kind else iter(())


def _part(name: str) -> str:
    """The part of a network that a tensor belongs to: the first two parts of its name."""
    return ".".join(name.split(".")[:-1][:2]) or name


def _flat(content: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Keys with dots between them, and their values as text."""
    for key, value in content.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            yield prefix + key, text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text)} characters)"


def _table(path: Path) -> Iterator[str]:
    """A summary and the table of boxes as at the end of a run, any other table with all its columns."""
    if boxes.holds(path):
        yield boxes.printed(path)
        return
    frame = read_table(path)
    if path.suffix == ".csv" and (tuple(frame.columns) in (tables.COLUMNS, tables.MEANS) or _is_superpixels(frame)):
        yield tables.printed(path)
        return
    yield f"{path}: {len(frame)} rows"
    half = MOST_ROWS // 2
    short = frame if len(frame) <= MOST_ROWS else pd.concat([frame[:half], frame[-half:]])
    for index, line in enumerate(tables.lines_of(short.map(_shorter))):
        if len(frame) > MOST_ROWS and index == half + 1:
            yield f"... {len(frame) - MOST_ROWS} rows ..."
        yield line


def _is_superpixels(frame: pd.DataFrame) -> bool:
    return tuple(frame.columns[:1]) == ("superpixels",)


def read_table(path: Path) -> pd.DataFrame:
    """Any table, every field as text; a UserError if it is none, or has no rows."""
    try:
        separator = "\t" if path.suffix == ".tsv" else ","
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, sep=separator)
    except FileNotFoundError:
        raise UserError(f"{path}: no such table") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: expected a table ({error})") from None
    if frame.empty:
        raise UserError(f"{path}: the table has no rows")
    return frame


def _shorter(text: str) -> str:
    """A number with five digits; any other text as it is."""
    try:
        return f"{float(text):.5g}" if "." in text or "e" in text else text
    except ValueError:
        return text


def _json(path: Path) -> Iterator[str]:
    """Any JSON: single values, then lists of objects as tables."""
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        yield json.dumps(content, ensure_ascii=False)[:LONGEST]
        return
    yield f"{path}: {content.get('format', 'JSON')}"
    single = {key: value for key, value in content.items() if key != "provenance" and not _is_rows(value)}
    yield from (f"{name}: {text}" for name, text in _flat(single))
    for key, value in content.items():
        if _is_rows(value):
            frame = pd.DataFrame(value).map(lambda one: f"{one:.4g}" if isinstance(one, float) else str(one))
            yield from ("", f"{key}:", *(f"  {line}" for line in tables.lines_of(frame[:MOST_ROWS])))
            if len(value) > MOST_ROWS:
                yield f"  ... {len(value) - MOST_ROWS} more"


def _is_rows(value: object) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(isinstance(row, dict) for row in value)


def _text(path: Path) -> Iterator[str]:
    yield path.read_text(encoding="utf-8", errors="replace").rstrip()


def _picture(path: Path) -> Iterator[str]:
    """Size and mode of a picture that is no label map."""
    try:
        with opened(path, PHOTOGRAPHS) as image:
            yield f"{path}: picture, {image.height} x {image.width} px (height x width), mode {image.mode}"
    except DAMAGED as error:
        raise UserError(f"{path}: not a readable picture ({error})") from None
    yield from made(path)


PRINTERS: dict[str, Callable[[Path], Iterator[str]]] = {
    identify.CHECKPOINT: _checkpoint,
    identify.TABLE: _table,
    identify.TEXT: _text,
    identify.PICTURE: _picture,
}
