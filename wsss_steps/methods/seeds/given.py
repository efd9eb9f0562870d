"""Seeds or pseudo-labels that were made elsewhere: a folder of label maps, or a store of this workflow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from wsss_steps.data.images import resize_nearest
from wsss_steps.data.manifest import Entry
from wsss_steps.errors import UserError
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.formats.stores import Store
from wsss_steps.methods import given
from wsss_steps.methods.given import Read
from wsss_steps.ops.labels import IGNORE

FORMS = {".png": "label maps", ".npy": "arrays (H, W)"}
Untagged = Literal["stop", "unlabelled", "keep"]


def maker(
    entries: Sequence[Entry],
    *,
    source: Path,
    classes: Sequence[str],
    sizes: given.Sizes,
    class_numbers: Mapping[str, int],
    untagged: Untagged,
) -> Callable[..., NDArray[np.uint8]]:
    """The labels (H, W) of every image: 0 background, 1..C, 255 unlabelled.

    Label maps of the size of an original are reduced to the pixels nearest. A UserError lists everything that is
    missing, damaged, of another size, of unknown values, and, unless they are kept or made 255, of classes that an
    image is not tagged with.
    """
    if source.is_file():
        of_image, known = _of_store(source, classes)
    else:
        suffix = given.form_of(source, FORMS)
        of_image = lambda entry: given.whole_numbers(source / f"{entry.id}{suffix}")  # noqa: E731
        known = given.numbers(classes, class_numbers, 1)

    def read(entry: Entry) -> Read[NDArray[np.uint8]]:
        try:
            found = of_image(entry)
        except UserError as error:
            return Read(None, [str(error)])
        problems = list(filter(None, [given.wrong_size(found.shape, entry, sizes), _unknown(found, known, classes)]))
        if problems:
            return Read(None, problems)
        labels = resize_nearest(_labels(found, known), (entry.height, entry.width))
        return _of_tags(labels, entry, classes, untagged)

    return given.checked(source, entries, read)


def _of_store(source: Path, classes: Sequence[str]) -> tuple[Callable[[Entry], NDArray[Any]], dict[int, int]]:
    """The labels in a store by image, and the numbers of its classes, which it knows by name."""
    store = Store(source, SEEDS)
    named = given.named_classes(store, classes)
    return lambda entry: store[entry.id]["seeds"], named


def _unknown(found: NDArray[Any], known: Mapping[int, int], classes: Sequence[str]) -> str:
    """What is said of values that are no label."""
    values = set(np.unique(found).tolist()) - {0, IGNORE, *known}
    if not values:
        return ""
    meant = ", ".join(f"{value} {classes[number - 1]}" for value, number in known.items())
    return f"expected the values 0 background, {meant}, 255 unlabelled, found {sorted(values)[:10]}"


def _labels(found: NDArray[Any], known: Mapping[int, int]) -> NDArray[np.uint8]:
    """Values of the file as labels 0, 1..C and 255."""
    table = np.full(max(IGNORE, *known) + 1, IGNORE, np.uint8)
    table[0] = 0
    for value, number in known.items():
        table[value] = number
    labels: NDArray[np.uint8] = table[found]
    return labels


def _of_tags(
    labels: NDArray[np.uint8], entry: Entry, classes: Sequence[str], untagged: Untagged
) -> Read[NDArray[np.uint8]]:
    """The labels, after what is to be done about those of other classes than the image's tags."""
    others = sorted(set(np.unique(labels).tolist()) - {0, IGNORE, *entry.tags})
    if others and untagged == "stop":
        names = ", ".join(f"'{classes[number - 1]}'" for number in others)
        pixels = int(np.isin(labels, others).sum())
        return Read(None, [f"{pixels} px of {names}, which it is not tagged with (`untagged` says what to do)"])
    if others and untagged == "unlabelled":
        labels = np.where(np.isin(labels, others), np.uint8(IGNORE), labels)
    return Read(labels)
