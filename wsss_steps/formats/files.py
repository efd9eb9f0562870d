"""Files that are either whole or absent, and JSON."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from wsss_steps.errors import UserError

VERSION = 1


@contextlib.contextmanager
def whole(target: Path) -> Iterator[Path]:
    """Give a temporary path beside `target`, for a file or a folder: it becomes `target`, or on an error is removed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.parent / f".{target.name}.{os.getpid()}.tmp"
    try:
        yield temporary
        if temporary.is_file():
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
        elif target.is_dir():
            shutil.rmtree(target)
        temporary.replace(target)
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary)
        else:
            temporary.unlink(missing_ok=True)


def write_text(target: Path, text: str) -> None:
    """Write a UTF-8 text file whole."""
    with whole(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(target: Path, content: Mapping[str, Any]) -> None:
    """Write JSON whole, indented, keys in their order."""
    write_text(target, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def read_json(path: Path, kind: str) -> dict[str, Any]:
    """Read a JSON artifact with keys `format` and `version`; a UserError if it is of another kind or version."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file (expected a {kind})") from None
    except json.JSONDecodeError as error:
        raise UserError(f"{path}: not valid JSON ({error}); delete it to have it made again") from None
    found = (content.get("format"), content.get("version"))
    if found != (f"wsss/{kind}", VERSION):
        raise UserError(f"{path}: expected format wsss/{kind} version {VERSION}, found {found[0]} version {found[1]}")
    return content
