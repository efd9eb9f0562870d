"""Superpixels that were made elsewhere: a folder of label maps, or a store of this workflow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsss_steps.data.images import resize_nearest
from wsss_steps.data.manifest import Entry
from wsss_steps.errors import UserError
from wsss_steps.formats.kinds.superpixels import SUPERPIXELS
from wsss_steps.formats.stores import Store
from wsss_steps.methods import given
from wsss_steps.methods.given import Read
from wsss_steps.methods.per_image import Arrays

FORMS = {".png": "label maps of 8 or 16 bits", ".npy": "arrays (H, W)"}
MOST = np.iinfo(np.uint16).max


def maker(entries: Sequence[Entry], *, source: Path, sizes: given.Sizes) -> Callable[..., Arrays]:
    """Ids 1..n of every image, in the order of the numbers in its file, and no seed patches (-1).

    A store of this workflow is taken as it is, with its seed patches. Maps of the size of an original are reduced to
    the pixels nearest. A UserError lists everything that is missing, damaged, of another size or of no whole numbers.
    """
    of_image = _of_store(source) if source.is_file() else _of_folder(source)

    def read(entry: Entry) -> Read[Arrays]:
        try:
            item = of_image(entry)
        except UserError as error:
            return Read(None, [str(error)])
        if problem := given.wrong_size(item["superpixels"].shape, entry, sizes):
            return Read(None, [problem])
        return _numbered(resize_nearest(item["superpixels"], (entry.height, entry.width)), item.get("seed_patches"))

    return given.checked(source, entries, read)


def _of_store(source: Path) -> Callable[[Entry], Arrays]:
    store = Store(source, SUPERPIXELS)
    return lambda entry: store[entry.id]


def _of_folder(source: Path) -> Callable[[Entry], Arrays]:
    suffix = given.form_of(source, FORMS)
    return lambda entry: {"superpixels": given.whole_numbers(source / f"{entry.id}{suffix}")}


def _numbered(numbers: NDArray[Any], patches: NDArray[Any] | None) -> Read[Arrays]:
    """The numbers (H, W) as ids 1..n without gaps, which they keep if they are such."""
    found, ids = np.unique(numbers, return_inverse=True)
    if len(found) > MOST:
        return Read(None, [f"expected at most {MOST} superpixels, found {len(found)}"])
    if patches is None or len(patches) != len(found):
        patches = np.full(len(found), -1, np.int32)
    return Read({"superpixels": (ids.reshape(numbers.shape) + 1).astype(np.uint16), "seed_patches": patches})
