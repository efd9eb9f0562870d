"""The photographs in a folder and its sub-folders. Free of torch and NumPy."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")  # in small or capital letters
UNREADABLE = (".heic", ".heif", ".avif", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf")  # of cameras and telephones


def photographs(folder: Path) -> tuple[list[str], Counter[str]]:
    """Paths of the photographs below `folder`, relative, sorted; and how many files of what else a camera writes.

    Hidden files and folders are passed over. Links to folders are followed, a folder is entered once.
    """
    paths, others = [], Counter[str]()
    for name in _files(folder):
        suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122 (a Path takes ten times as long)
        if suffix in SUFFIXES:
            paths.append(name)
        elif suffix in UNREADABLE:
            others[suffix] += 1
    return sorted(paths), others


def _files(folder: Path) -> Iterator[str]:
    """Paths of all files that are not hidden, relative to `folder`, with `/` between folders."""
    seen: set[str] = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        folders[:] = [] if real in seen else sorted(name for name in folders if not name.startswith("."))
        below = "" if place == str(folder) else Path(place).relative_to(folder).as_posix() + "/"
        yield from (f"{below}{name}" for name in files if real not in seen and not name.startswith("."))
        seen.add(real)
