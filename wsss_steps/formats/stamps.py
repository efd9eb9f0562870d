"""The stamp of an artifact: inside the file, in its folder, or beside it."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py

from wsss_steps.errors import UserError
from wsss_steps.formats import pictures
from wsss_steps.formats.files import IN_A_FOLDER, guarded, write_json

DAMAGED = (*pictures.DAMAGED, KeyError, RuntimeError, TypeError)
DECIDE = ("step", "settings", "code", "inputs")  # parts of a stamp that distinguish artifacts of the same name
CLOCK = {"began": 0.0}  # when this process began its work, in seconds since the epoch


def begin() -> None:
    """Set the begin of this process to now, as after waiting for another, whose output then counts as older."""
    CLOCK["began"] = time.time()


@contextlib.contextmanager
def newest(stamp: str) -> Iterator[None]:
    """Within the block, refuse to replace an artifact with another stamp that was made since this process began.

    A job that Snakemake has lost track of may still run with old settings beside its successor, and must not overwrite
    the newer output. Step, settings, code and inputs of the two stamps are compared.
    """
    own = json.loads(stamp or "{}")
    begin()

    def guard(target: Path) -> None:
        if target.stat().st_mtime <= CLOCK["began"]:
            return
        try:
            found = read_stamp(target)
        except UserError:  # damaged: replace it
            return
        if found and any(found.get(key) != own.get(key) for key in DECIDE):
            raise UserError(
                f"{target}: was made by another process since this one began, of other settings, code or inputs; "
                "it is left as it is, and what this process made is dropped: run Snakemake again"
            )

    with guarded(guard):
        yield


def beside(path: Path) -> Path:
    """Path of the stamp of a file that cannot hold one, such as a table."""
    return path.with_name(f"{path.name}.{IN_A_FOLDER}")


def write_beside(path: Path, stamp: str) -> None:
    """Write the stamp of a file that cannot hold one."""
    write_json(beside(path), json.loads(stamp or "{}"))


def read_stamp(path: Path) -> dict[str, Any] | None:
    """The stamp of the artifact `path`, or None if it has none; a UserError if the artifact cannot be read."""
    try:
        place = path / IN_A_FOLDER if path.is_dir() else beside(path)
        if place.is_file():
            return _json(place) or None
        reader = None if path.is_dir() else READERS.get(path.suffix)
        return (reader(path) if reader else None) or None
    except DAMAGED as error:
        raise UserError(f"{path}: its provenance cannot be read ({error})") from None


def _json(path: Path) -> dict[str, Any]:
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError(f"expected a JSON object, found a {type(content).__name__}")
    return content


def _of_json(path: Path) -> dict[str, Any] | None:
    found: dict[str, Any] | None = _json(path).get("provenance")
    return found


def _of_store(path: Path) -> dict[str, Any] | None:
    with h5py.File(path, "r", locking=False) as file:
        text = file.attrs.get("provenance")
    return dict(json.loads(text)) if text is not None else None


def _of_weights(path: Path) -> dict[str, Any] | None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            header = json.loads((file.metadata() or {}).get("wsss", "{}"))
    except SafetensorError as error:
        raise ValueError(str(error)) from None
    found: dict[str, Any] | None = header.get("provenance")
    return found


def _of_picture(path: Path) -> dict[str, Any] | None:
    with pictures.opened(path, ("PNG",)) as image:
        text = image.info.get("provenance")
    return dict(json.loads(text)) if text else None


READERS: dict[str, Callable[[Path], dict[str, Any] | None]] = {
    ".json": _of_json,
    ".h5": _of_store,
    ".safetensors": _of_weights,
    ".png": _of_picture,
}
