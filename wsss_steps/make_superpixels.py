"""Make superpixel maps of the training images, from features or from colour."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wsss_steps import methods, progress
from wsss_steps.cli import main
from wsss_steps.data.images import read_image
from wsss_steps.data.manifest import Entry, read_manifest
from wsss_steps.errors import UserError, all_wrong
from wsss_steps.formats.kinds.features import FEATURES
from wsss_steps.formats.kinds.superpixels import SUPERPIXELS
from wsss_steps.formats.stores import Store, write_store

log = logging.getLogger(__name__)


def _items(
    entries: list[Entry], features: Store | None, settings: dict[str, Any], counts: list[int]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The superpixels of each image; their numbers are appended to `counts`."""
    superpixels = methods.load("superpixels", settings["method"]).superpixels
    arguments = methods.arguments(superpixels, settings)
    for entry in progress.track(entries, len(entries), "superpixels"):
        image = read_image(Path(entry.image))
        given = features[entry.id] if features else None
        try:
            item = superpixels(image, given, **arguments)
        except UserError as error:
            raise UserError(f"image '{entry.id}': {error}") from None
        counts.append(len(item["seed_patches"]))
        yield entry.id, item


def run(
    *, manifest: Path, features: Path | None = None, output: Path, settings: dict[str, Any], stamp: str = ""
) -> None:
    """Write the superpixels of every image of the train split to `output`.

    `features` is the store that the method reads, if any. UserError if it lacks an image, or its grid does not fit
    the image.
    """
    listed = read_manifest(manifest)
    entries = listed.split("train")
    counts: list[int] = []
    with contextlib.ExitStack() as stack:
        store = stack.enter_context(Store(features, FEATURES)) if features else None
        if store:
            known = set(store.ids())
            all_wrong(f"{features}: images without features", [entry.id for entry in entries if entry.id not in known])
        write_store(output, SUPERPIXELS, _items(entries, store, settings, counts), stamp=stamp)
    log.info(
        "%d images, %.2f superpixels each on average, %d to %d",
        len(counts),
        sum(counts) / max(1, len(counts)),
        min(counts, default=0),
        max(counts, default=0),
    )


if __name__ == "__main__":
    main(run)
