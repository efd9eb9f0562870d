"""What the methods `given` share: files of the user's by image, all of them checked before the first is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from wsss_steps.data.manifest import Entry
from wsss_steps.errors import UserError, all_wrong
from wsss_steps.formats import pictures
from wsss_steps.formats.array_dicts import read_arrays
from wsss_steps.formats.stores import Store

Sizes = Mapping[str, tuple[int, int]]
"""Height and width of the user's image, px, by id, of images that are read as smaller copies."""
EACH = 5  # problems told of one image
Item = TypeVar("Item")


@dataclass(frozen=True)
class Read(Generic[Item]):
    """What was read of one image, and what is wrong with it; None with the problem of a file that is missing."""

    item: Item | None
    problems: Sequence[str] = ()


def checked(source: Path, entries: Sequence[Entry], read: Callable[[Entry], Read[Item]]) -> Callable[..., Item]:
    """A function of an image to what `read` reads of it, after all images have been read once.

    A UserError lists all that is wrong with any of them; later, one says that a file has changed since.
    """
    problems = []
    for entry in entries:
        found = read(entry).problems
        problems += [f"{entry.id}: {problem}" for problem in found[:EACH]]
        problems += [f"{entry.id}: and {len(found) - EACH} more"] if len(found) > EACH else []
    all_wrong(f"{source}: cannot be used as given", problems)

    def make(entry: Entry, _: Mapping[str, Any]) -> Item:
        again = read(entry)
        if again.item is None or again.problems:
            raise UserError(f"{source}: what was given of '{entry.id}' changed while it was read: {again.problems}")
        return again.item

    return make


def form_of(source: Path, forms: Mapping[str, str]) -> str:
    """Which of the forms (suffix -> what it holds) lies in a folder; a UserError if none does, or several do.

    forms: `.png` and the like; `/` stands for a folder per image.
    """
    found = {"/" if path.is_dir() else path.suffix for path in source.iterdir() if not path.name.startswith(".")}
    known = [suffix for suffix in forms if suffix in found]
    if len(known) != 1:
        expected = " or ".join(f"{what} (`<id>{suffix}`)" for suffix, what in forms.items())
        others = ", ".join(sorted(found)) or "nothing"
        raise UserError(f"{source}: expected one form of files, {expected}, found {others}")
    return known[0]


def numbers(classes: Sequence[str], given: Mapping[str, int], first: int) -> dict[int, int]:
    """Number in the user's files -> number of the class, 1..C; a UserError for names that are wrong or missing.

    given: class -> number in the files; if empty, the classes have numbers from `first` in their order.
    """
    if not given:
        return {first + index: index + 1 for index in range(len(classes))}
    problems = [f"unknown class '{name}'; known classes: {', '.join(classes)}" for name in given if name not in classes]
    problems += [f"no number of class '{name}'" for name in classes if name not in given]
    twice = sorted({number for number in given.values() if list(given.values()).count(number) > 1})
    problems += [f"number {number} stands for several classes" for number in twice]
    all_wrong("class_numbers: expected one number for each class", problems)
    return {given[name]: index + 1 for index, name in enumerate(classes)}


def wrong_size(shape: tuple[int, ...], entry: Entry, sizes: Sizes, *others: tuple[int, int]) -> str:
    """What is said of a map of another size than its image, its original or `others`; empty if it has one of them."""
    known = [(entry.height, entry.width), *([sizes[entry.id]] if entry.id in sizes else []), *others]
    if shape in known:
        return ""
    expected = " or ".join(f"{height} x {width}" for height, width in dict.fromkeys(known))
    found = " x ".join(map(str, shape))
    hint = "; it must be upright, as EXIF turns its image" if shape == known[0][::-1] else ""
    return f"expected {expected} px (height x width), found {found}{hint}"


def whole_numbers(path: Path) -> NDArray[Any]:
    """A map (H, W) of whole numbers from a `.npy` file, or from a PNG of 8 or 16 bits, grey or indexed.

    A UserError, without the path, for a missing or damaged file, and another form.
    """
    try:
        found = _of_npy(path) if path.suffix == ".npy" else _of_picture(path)
    except FileNotFoundError:
        raise UserError(missing(path)) from None
    except pictures.DAMAGED as error:
        raise UserError(str(error) if isinstance(error, UserError) else f"damaged ({error})") from None
    if found.ndim != 2 or found.dtype.kind not in "bui":
        raise UserError(f"expected whole numbers (H, W), found {found.dtype} of shape {found.shape}")
    return found.astype(np.uint8) if found.dtype.kind == "b" else found


def missing(path: Path) -> str:
    """What is said of a file that is missing, with a namesake of another suffix if there is one."""
    others = sorted(other.name for other in path.parent.glob(f"{path.stem}.*")) if path.parent.is_dir() else []
    return f"missing, expected {path.name}" + (f"; found {others[0]}" if others else "")


def _of_npy(path: Path) -> NDArray[Any]:
    found = read_arrays(path)
    if isinstance(found, dict):
        raise UserError(f"expected an array, found a dict with {', '.join(map(str, found))}")
    return found


def _of_picture(path: Path) -> NDArray[Any]:
    with pictures.opened_without_loss(path) as image:
        if image.mode not in ("P", "L", "1", "I", "I;16", "I;16B"):
            raise UserError(f"expected one channel of 8 or 16 bits, grey or indexed, found mode {image.mode}")
        return np.array(pictures.upright(image))


def named_classes(store: Store, classes: Sequence[str]) -> dict[int, int]:
    """Number of a class in a store of this workflow -> its number here, 1..C, by name.

    Classes of the store that the data set lacks get none. A store that does not say its classes has those here.
    """
    theirs = store.about()[1] or list(classes)
    return {theirs.index(name) + 1: number for number, name in enumerate(classes, start=1) if name in theirs}
