"""Check the label images of some training images, and copy them into a store, for methods that learn from them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wsss_steps.cli import main
from wsss_steps.data import sources
from wsss_steps.data.manifest import Entry, read_manifest
from wsss_steps.data.originals import at_working_size, of_originals, read_originals
from wsss_steps.data.voc_masks import read_masks
from wsss_steps.formats.kinds.strong_masks import STRONG_MASKS
from wsss_steps.formats.records import record_of
from wsss_steps.methods import arguments, per_image
from wsss_steps.methods.per_image import Arrays


def run(*, root: Path, manifest: Path, output: Path, settings: dict[str, Any], stamp: str = "") -> None:
    """Check the listed label images of the train split, and write them to the store `output` (HDF5).

    `settings` are those of `strong.settings`; the images are those of `manifest`. A record of all label images is
    written beside the output. A UserError lists everything that is wrong with them.
    """
    found = sources.of_masks(root, **arguments(sources.of_masks, settings))
    data, originals = read_manifest(manifest), read_originals(manifest)
    checked, notes = read_masks(root, of_originals(data, originals), **arguments(read_masks, settings))
    truth = at_working_size(checked, data.entries, originals)
    entries = [entry for entry in data.split(settings["split"]) if entry.id in truth.masks]

    def make(entry: Entry, _: Mapping[str, Arrays]) -> Arrays:
        return {"masks": truth.labels(entry.id)}

    count = per_image.write(output, STRONG_MASKS, entries, make, stamp=stamp, classes=data.classes)
    log = logging.getLogger(__name__)
    log.info("label images of %d training images to learn from", count)
    for what, number in notes.items():
        log.info("note: %d %s", number, what)
    known = {path: truth.sha256[image_id] for image_id, path in truth.masks.items()}
    sources.keep(found, record_of(output), known)


if __name__ == "__main__":
    main(run)
