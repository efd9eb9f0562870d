"""Check all images and tags of one split of a data set, and write its manifest; copy large images at working size."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path
from typing import Any

from wsss_steps.cli import main
from wsss_steps.data import layouts, sources
from wsss_steps.data.copies import copy_maps, with_copies
from wsss_steps.data.manifest import Manifest
from wsss_steps.data.originals import Original, without_copy, write_with_originals
from wsss_steps.formats.records import record_of
from wsss_steps.methods import arguments

log = logging.getLogger(__name__)


def summary(data: Manifest, split: str) -> list[str]:
    """Lines that describe a split: number of images, images per class, tags per image, range of sizes."""
    entries = data.split(split)
    per_class = Counter(tag for entry in entries for tag in entry.tags)
    per_image = Counter(len(entry.tags) for entry in entries)
    named = (f"{name} {per_class[number]}" for number, name in enumerate(data.classes, start=1))
    heights, widths = [entry.height for entry in entries], [entry.width for entry in entries]
    return [
        f"{split}: {len(entries)} images",
        f"{split}: images per class: {', '.join(named)}",
        f"{split}: images by number of tags: " + ", ".join(f"{tags}: {n}" for tags, n in sorted(per_image.items())),
        f"{split}: heights {min(heights)} to {max(heights)} px, widths {min(widths)} to {max(widths)} px",
    ]


def run(
    *,
    root: Path,
    list_file: Path | None = None,
    tags: Path | None = None,
    manifest: Path,
    copies: Path | None = None,
    saliency: Path | None = None,
    settings: dict[str, Any],
    stamp: str = "",
) -> None:
    """Read one split of the data set below `root` and write its `manifest` (JSON).

    `list_file` and `tags`, a table, if the layout has them, repeat those in `settings` (from `splits.images_settings`),
    so that the stamp has their checksums. `copies` is the folder of the copies of images that are larger than the
    setting `max_side`, and `saliency` that of the saliency maps that a table names, if there are any. The manifest
    depends on the data set only; its stamp and a record of all files read lie beside it. A UserError lists everything
    that is wrong with the split.
    """
    found = layouts.of_settings(settings).of_images(root, settings)
    read_split = layouts.reader(settings).read_split
    data, notes = read_split(root, **arguments(read_split, settings))
    for line in summary(data, settings["split"]):
        log.info("%s", line)
    for what, count in notes.items():
        log.info("note: %d %s", count, what)
    originals: dict[str, Original] = {}
    if copies is not None:
        data, originals = with_copies(data, settings["max_side"], copies, stamp)
        log.info(
            "%s: %d of %d images are read as copies of at most %s px",
            settings["split"],
            len(originals),
            len(data.entries),
            settings["max_side"],
        )
    if saliency is not None:
        copy_maps(data.entries, layouts.of_settings(settings).saliency_maps(root, settings), saliency, stamp)
    write_with_originals(manifest, data, originals)
    sources.keep(found, record_of(manifest), without_copy(data.entries, originals))


if __name__ == "__main__":
    main(run)
