"""Indices: stores whose images are external links into the stores of the shards."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import h5py

from wsss_steps.errors import UserError, all_wrong
from wsss_steps.formats import kinds
from wsss_steps.formats.stores import DAMAGED, Store, store_file


def kind_of(path: Path) -> kinds.Kind:
    """The kind of a store; a UserError if the file is no store."""
    try:
        with h5py.File(path, "r", locking=False) as file:
            found = file.attrs["format"]
    except DAMAGED as error:
        raise UserError(f"{path}: not a readable HDF5 file ({error}); delete it to have it made again") from None
    name = (found.decode() if isinstance(found, bytes) else str(found)).removeprefix("wsss/")
    if name not in kinds.names():
        raise UserError(f"{path}: expected one of the formats wsss/{', wsss/'.join(kinds.names())}, found {name}")
    return kinds.find(name)


def write_index(target: Path, shards: Sequence[Path], stamp: str) -> int:
    """Write a store that links to the stores `shards`, all of one kind; returns the number of images.

    The stores must lie below the folder of `target`, and stay there. A UserError if their kinds differ, or if an image
    is in more than one.
    """
    kind = kind_of(shards[0])
    names = [path.relative_to(target.parent).as_posix() for path in shards]
    with contextlib.ExitStack() as stack:
        parts = [stack.enter_context(Store(path, kind)) for path in shards]
        name_of = [(image_id, name) for name, part in zip(names, parts, strict=True) for image_id in part.ids()]
        twice = [image_id for image_id, count in Counter(image_id for image_id, _ in name_of).items() if count > 1]
        all_wrong(f"{target}: images that are in more than one shard", twice)
        digests, classes, left_out = zip(*(part.about() for part in parts), strict=True)
    missing = [image_id for ids in left_out for image_id in ids or []]
    with store_file(
        target,
        kind,
        stamp=stamp,
        classes=classes[0],
        left_out=missing if any(ids is not None for ids in left_out) else None,
        shards=[list(pair) for pair in zip(names, digests, strict=True)],
    ) as (images, _):
        for image_id, name in sorted(name_of):
            images[image_id] = h5py.ExternalLink(name, f"/images/{image_id}")
    return len(name_of)
