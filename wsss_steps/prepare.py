"""Check a data set in PASCAL VOC layout in full; write its manifest and, apart from it, where its ground truth lies."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path
from typing import Any

from wsss_steps.cli import main
from wsss_steps.data.manifest import GroundTruth, Manifest, write_ground_truth, write_manifest
from wsss_steps.data.voc import read_voc
from wsss_steps.methods import arguments

log = logging.getLogger(__name__)


def summary(data: Manifest, truth: GroundTruth) -> list[str]:
    """Tell what is in a data set: images and masks per split, images per class, tags per image, range of sizes."""
    lines = []
    for split in dict.fromkeys(entry.split for entry in data.entries):
        entries = data.split(split)
        masks = sum(entry.id in truth.masks for entry in entries)
        per_class = Counter(tag for entry in entries for tag in entry.tags)
        per_image = Counter(len(entry.tags) for entry in entries)
        lines += [
            f"{split}: {len(entries)} images, {masks} masks",
            f"{split}: images per class: "
            + ", ".join(f"{name} {per_class[number]}" for number, name in enumerate(data.classes, start=1)),
            f"{split}: images by number of tags: "
            + ", ".join(f"{tags}: {count}" for tags, count in sorted(per_image.items())),
        ]
    heights, widths = [entry.height for entry in data.entries], [entry.width for entry in data.entries]
    return [*lines, f"heights {min(heights)} to {max(heights)} px, widths {min(widths)} to {max(widths)} px"]


def run(*, root: Path, manifest: Path, ground_truth: Path, settings: dict[str, Any], stamp: str = "") -> None:
    """Read the data set below `root`, write `manifest` and `ground_truth` (JSON); `settings` are those of `Prepare`.

    UserError if anything is wrong with the data set: it lists every file at fault. The `stamp` is kept beside
    both, in files of its own, so that the manifest depends on the data set alone.
    """
    data, truth, notes = read_voc(root, **arguments(read_voc, settings))
    for line in summary(data, truth):
        log.info("%s", line)
    for what, count in notes.items():
        log.info("note: %d %s", count, what)
    write_ground_truth(ground_truth, truth)
    write_manifest(manifest, data)


if __name__ == "__main__":
    main(run)
