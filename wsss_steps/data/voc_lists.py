"""The image ids of a data set, from list files; checked to be unique and valid file names."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

SUFFIXES = (".jpg", ".jpeg", ".png")  # of images
FORBIDDEN = frozenset('/\\<>:"|?*')  # not allowed in file names on some systems
LONGEST_SHOWN = 80  # characters of a line in a message: a file of another kind may be one long line


def unsafe(image_id: str) -> str | None:
    """Why `image_id` is not valid in file names on every system and in HDF5, or None if it is."""
    if image_id.startswith(".") or image_id.endswith("."):
        return "a dot at its start or end"
    if ".." in image_id:
        return "'..'"
    bad = sorted({letter for letter in image_id if letter in FORBIDDEN or unicodedata.category(letter)[0] == "C"})
    return f"the characters {bad}" if bad else None


def id_of(line: str) -> str:
    """The id that a line gives: itself, or in a list of DeepLab's (`/JPEGImages/x.jpg /SegmentationClassAug/x.png`) x.

    A line of paths that name several images is returned as it is, and no id.
    """
    paths = line.split()
    if not paths or not all(path.startswith("/") and path.lower().endswith(SUFFIXES) for path in paths):
        return line
    names = {PurePosixPath(path).stem for path in paths}
    return names.pop() if len(names) == 1 else line


def read_list(path: Path, problems: list[str]) -> list[str]:
    """The image ids in a list file, one per line, also of DeepLab's form (see `id_of`); blank lines are skipped."""
    try:
        lines = [id_of(line.strip()) for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except FileNotFoundError:
        problems.append(f"{path}: no such file (expected a list with one image id per line)")
        return []
    except UnicodeDecodeError as error:
        problems.append(f"{path}: expected text in UTF-8 ({error})")
        return []
    except OSError as error:
        problems.append(f"{path}: not a readable list ({error.strerror})")
        return []
    ids = [line for line in lines if line]
    if not ids:
        problems.append(f"{path}: the list is empty (expected one image id per line)")
    for number, line in enumerate(lines, start=1):
        if reason := unsafe(line):
            shown = line if len(line) <= LONGEST_SHOWN else f"{line[:LONGEST_SHOWN]}..."
            hint = "; write the id alone, without folder and suffix" if "/" in line else ""
            problems.append(f"{path}, line {number}: id {shown!r} cannot be a file name: it has {reason}{hint}")
    return [image_id for image_id in ids if not unsafe(image_id)]


def images_in(folder: Path) -> dict[str, list[str]]:
    """Names of the image files in a folder by id (the name without suffix), from one listing of the folder."""
    names: dict[str, list[str]] = {}
    for name in sorted(entry.name for entry in os.scandir(folder)):
        stem, dot, suffix = name.rpartition(".")
        if stem and dot + suffix.lower() in SUFFIXES:
            names.setdefault(stem, []).append(name)
    return names


def check_unique(splits: Mapping[str, Sequence[str]], problems: list[str]) -> None:
    """Add duplicate ids, within a split or across splits, to `problems`.

    Ids that differ in case, or in how Unicode writes a letter, are the same: they would share a file on some systems.
    """
    seen: dict[str, tuple[str, str]] = {}
    for split, ids in splits.items():
        for image_id in ids:
            key = unicodedata.normalize("NFC", image_id).casefold()
            if key in seen:
                before, where = seen[key]
                alike = "" if before == image_id else f" (as '{before}', which is the same name on some systems)"
                problems.append(f"id '{image_id}' of {split} is already in {where}{alike}; expected each id once")
            seen.setdefault(key, (image_id, split))
