"""A folder of small photographs with a table of tags; tests break one thing in it at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from wsss_steps.data.photo_folder import Folder, read_folder
from wsss_steps.workflow import configuration
from wsss_steps.workflow.config import Config

COLOURS = {"cat": (220, 40, 40), "dog": (40, 40, 220)}
ON_ITS_SIDE = 6  # EXIF


def photograph(
    path: Path, names: Sequence[str], size: tuple[int, int] = (48, 64), turn: int = 1, seed: int = 0
) -> Path:
    """A noisy photograph of `size` (height, width) as it is stored, with a square of the colour of each class."""
    height, width = size
    pixels = np.random.default_rng(seed).integers(60, 120, (height, width, 3), dtype=np.uint8)
    for place, name in enumerate(names):
        left = width * (1 + 4 * place) // 9
        pixels[height // 4 : height // 2, left : left + width * 3 // 9] = COLOURS[name]
    exif = Image.Exif()
    exif[0x0112] = turn
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, exif=exif)
    return path


PHOTOGRAPHS = {
    "cats/IMG 1.JPG": ("cat",),
    "cats/IMG 2.png": ("cat",),
    "dogs/a.webp": ("dog",),
    "dogs/old/a.jpeg": ("dog",),
    "both.jpg": ("cat", "dog"),
}


def make_folder(root: Path) -> Path:
    """The photographs below `root`, in sub-folders, in three formats, one of them on its side; returns it."""
    for seed, (name, classes) in enumerate(PHOTOGRAPHS.items()):
        photograph(root / name, classes, turn=ON_ITS_SIDE if name == "both.jpg" else 1, seed=seed)
    (root / ".thumbnails").mkdir()
    (root / ".thumbnails/both.jpg").write_text("hidden files are none of ours")
    (root / "notes.txt").write_text("nor are texts")
    return root


def write_table(path: Path, *lines: str) -> Path:
    """A table of these lines."""
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def table_of_all(path: Path) -> Path:
    """The table of all photographs."""
    rows = (f"{name},{';'.join(names)}" for name, names in PHOTOGRAPHS.items())
    return write_table(path, "file,tags", *rows)


def read(root: Path, tags: Path | str, *classes: str) -> tuple[Folder, list[str]]:
    """What is read of a folder, and what is wrong with it."""
    problems: list[str] = []
    return read_folder(root, str(tags), classes, problems), problems


def config(folder: Path, table: Path | str, **overrides: Any) -> Config:
    """A configuration for it, as loaded before any job is planned."""
    content = {"dataset": "mine", "images": str(folder), "tags": str(table), "recipes": {"cam": {}}}
    return configuration.load(content | overrides)
