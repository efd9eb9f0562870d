"""Atomic writing of files and folders, and JSON."""

from __future__ import annotations

import contextlib
import errno
import glob
import json
import os
import platform
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from wsss_steps.errors import UserError

VERSION = 1
IN_A_FOLDER = "provenance.json"  # in every folder that this workflow makes
FORMER = "former"  # in the name of a folder that was moved aside for the new one
GUARDS: list[Callable[[Path], None]] = []  # called before anything is replaced
HOST = platform.node().split(".")[0] or "host"  # in the names of temporary files: process ids are unique per host only


# Errors of the target location, not of the program: no space, no permission, no folder.
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NO_WAY = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG)


@contextlib.contextmanager
def whole(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target`, for a file or folder: it becomes `target`, or is removed on an error.

    Leftovers of killed processes on this host for the same target are removed first. A UserError if there is no space
    or no permission to write.
    """
    temporary = target.parent / f".{target.name}.{HOST}.{os.getpid()}.tmp"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for path in leftovers(target):
            remove(path)
        yield temporary
        if temporary.is_file():
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
        publish(temporary, target)
    except OSError as error:
        if error.errno in NO_SPACE or (error.errno in NO_WAY and _within(error.filename, target.parent)):
            in_the_way = error.errno in (errno.EEXIST, errno.ENOTDIR)
            reason = "a file is where a folder should be" if in_the_way else os.strerror(error.errno) + free(target)
            raise UserError(f"{target}: cannot be written: {reason}; nothing half-written is left") from None
        raise
    finally:
        with contextlib.suppress(OSError):
            remove(temporary)


def leftovers(target: Path) -> list[Path]:
    """What dead processes on this host left of `target`: temporary files, and folders moved aside."""
    found = []
    for middle in ("", f"{FORMER}."):
        for path in target.parent.glob(f".{glob.escape(target.name)}.{middle}{glob.escape(HOST)}.*.tmp"):
            process = path.name.split(".")[-2]
            if process.isdecimal() and int(process) != os.getpid() and not _lives(int(process)):
                found.append(path)
    return found


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # it belongs to another user
    return True


@contextlib.contextmanager
def guarded(guard: Callable[[Path], None]) -> Iterator[None]:
    """Within the block, `guard` is called with every target about to be replaced; it may raise a UserError."""
    GUARDS.append(guard)
    try:
        yield
    finally:
        GUARDS.remove(guard)


def publish(temporary: Path, target: Path) -> None:
    """Rename `temporary` to `target`; an existing folder is moved aside first, so that none is ever incomplete.

    A UserError, and `target` stays unchanged, if it is a folder that this workflow did not make, or if a guard says so.
    """
    if target.exists():
        for guard in GUARDS:
            guard(target)
    if temporary.is_dir() and target.is_dir():
        if any(target.iterdir()) and not (target / IN_A_FOLDER).is_file():
            raise UserError(
                f"{target}: expected no folder, or one that this workflow made, found one without {IN_A_FOLDER}; "
                "it is left as it is: take another place for the output"
            )
        aside = temporary.with_name(f".{target.name}.{FORMER}.{HOST}.{os.getpid()}.tmp")
        target.replace(aside)
        temporary.replace(target)
        remove(aside)
    else:
        temporary.replace(target)


def remove(path: Path) -> None:
    """Remove a file, or a folder with its content, if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _within(name: object, folder: Path) -> bool:
    """Whether the path `name` lies in the folder, or the folder below it."""
    if not isinstance(name, str):
        return False
    return Path(name).is_relative_to(folder) or folder.is_relative_to(name)


def free(target: Path) -> str:
    """The free space at `target`, in words; empty if unknown."""
    try:
        return f" ({shutil.disk_usage(target.parent).free / 1e6:.1f} MB are free)"
    except OSError:
        return ""


def write_text(target: Path, text: str) -> None:
    """Write a UTF-8 text file atomically."""
    with whole(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(target: Path, content: Mapping[str, Any]) -> None:
    """Write JSON atomically, indented, with keys in the given order."""
    write_text(target, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def read_json(path: Path, kind: str) -> dict[str, Any]:
    """Read a JSON artifact with keys `format` and `version`; a UserError if it is of another kind or version."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file (expected a {kind})") from None
    except ValueError as error:  # also for bytes that are not UTF-8
        raise UserError(f"{path}: not valid JSON ({error}); delete it to have it made again") from None
    if not isinstance(content, dict):
        raise UserError(f"{path}: expected a {kind}, found a JSON {type(content).__name__}; delete it")
    found = (content.get("format"), content.get("version"))
    if found != (f"wsss/{kind}", VERSION):
        raise UserError(f"{path}: expected format wsss/{kind} version {VERSION}, found {found[0]} version {found[1]}")
    return content
