"""Check the boxes of all objects of one split, and write them; no weakly supervised step reads them."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path
from typing import Any

from wsss_steps.cli import main
from wsss_steps.data import sources
from wsss_steps.data.box_sources import of_boxes
from wsss_steps.data.boxes import write_boxes
from wsss_steps.data.manifest import read_manifest
from wsss_steps.data.voc_boxes import read_boxes
from wsss_steps.formats.records import record_of
from wsss_steps.methods import arguments

log = logging.getLogger(__name__)


def run(*, root: Path, manifest: Path, boxes: Path, settings: dict[str, Any], stamp: str = "") -> None:
    """Read the boxes of the split that `manifest` lists, and write `boxes` (JSON).

    `settings` are those of `splits.boxes_settings`. The stamp and a record of all annotations are written beside the
    output. A UserError lists everything that is wrong with the annotations.
    """
    before = of_boxes(root, **arguments(of_boxes, settings))
    data = read_manifest(manifest)
    objects, notes = read_boxes(root, data, **arguments(read_boxes, settings))
    counts = Counter(one.label for ones in objects.values() for one in ones)
    named = ", ".join(f"{name} {counts[number]}" for number, name in enumerate(data.classes, 1))
    log.info("%s: boxes of %d of %d images: %s", settings["split"], len(objects), len(data.entries), named)
    for what, count in notes.items():
        log.info("note: %d %s", count, what)
    write_boxes(boxes, objects)
    sources.keep(before, record_of(boxes), {})


if __name__ == "__main__":
    main(run)
