"""What every layout reads of a split: which images, where they lie, what they show; and how the images are checked.

Problems are collected and reported together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from wsss_steps.data.images import opened
from wsss_steps.data.manifest import Entry
from wsss_steps.errors import UserError
from wsss_steps.formats import pictures
from wsss_steps.progress import track
from wsss_steps.provenance.digests import file_digest

Item = TypeVar("Item")
Found = TypeVar("Found")


@dataclass
class Report:
    """What was found: `problems` end the run, `notes` are logged."""

    problems: list[str] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Picture:
    """One image file, as checked; `sha256` is of the file's bytes.

    `height` and `width` of the upright image, px; `turned`: EXIF says that the stored image is not upright.
    """

    height: int
    width: int
    turned: bool
    problems: tuple[str, ...]
    sha256: str


def check_image(image: Path) -> Picture:
    """Decode an image completely; a damaged or truncated file or a wrong mode is a problem."""
    try:
        with opened(image) as photo:
            photo.load()
            (height, width), turn = pictures.upright_size(photo), pictures.orientation(photo)
        return Picture(height, width, turn != 1, (), file_digest(image))
    except UserError as error:
        return Picture(0, 0, False, (str(error),), "")


def checked(check: Callable[[Item], Found], items: Sequence[Item], what: str) -> Iterable[Found]:
    """`check` of every item, in order; files are decoded in parallel."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        yield from track(pool.map(check, items), len(items), what)


def checked_images(images: Mapping[str, Path], split: str, report: Report) -> dict[str, Picture]:
    """Every image by id, decoded in parallel; what is wrong with one, and how many are turned, goes to the report."""
    seen = dict(zip(images, checked(check_image, list(images.values()), f"images of {split}"), strict=True))
    for picture in seen.values():
        report.problems += picture.problems
        report.notes["images turned upright by their EXIF orientation"] += picture.turned
    return seen


def entries_of(
    images: Mapping[str, Path], split: str, tags: Mapping[str, tuple[int, ...]], seen: Mapping[str, Picture]
) -> tuple[Entry, ...]:
    """The entries of a split, in the order of `images`, all of which have been seen without a problem."""
    return tuple(
        Entry(name, split, path.as_posix(), seen[name].height, seen[name].width, tags[name], seen[name].sha256)
        for name, path in images.items()
    )
