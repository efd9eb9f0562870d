"""Check all label images of one split, and write where its ground truth lies; no weakly supervised step reads it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from wsss_steps.cli import main
from wsss_steps.data import layouts, sources
from wsss_steps.data.manifest import read_manifest, write_ground_truth
from wsss_steps.data.originals import of_originals, read_originals
from wsss_steps.formats.records import record_of
from wsss_steps.methods import arguments

log = logging.getLogger(__name__)


def run(*, root: Path, manifest: Path, ground_truth: Path, settings: dict[str, Any], stamp: str = "") -> None:
    """Read the masks of the split that `manifest` lists, and write `ground_truth` (JSON).

    `settings` are those of `splits.masks_settings`. The stamp and a record of all masks are written beside the output.
    A UserError lists everything that is wrong with the masks.
    """
    found = layouts.of_settings(settings).of_masks(root, settings)
    data = of_originals(read_manifest(manifest), read_originals(manifest))
    read_masks = layouts.reader(settings).read_masks
    truth, notes = read_masks(root, data, **arguments(read_masks, settings))
    log.info("%s: %d label images of %d images", settings["split"], len(truth.masks), len(data.entries))
    for what, count in notes.items():
        log.info("note: %d %s", count, what)
    write_ground_truth(ground_truth, truth)
    known = {path: truth.sha256[image_id] for image_id, path in truth.masks.items()}
    sources.keep(found, record_of(ground_truth), known)


if __name__ == "__main__":
    main(run)
