"""What reads a plain folder of photographs (see `layouts`)."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from wsss_steps.data.listing import Report, checked_images, entries_of
from wsss_steps.data.manifest import GroundTruth, Manifest
from wsss_steps.data.photo_folder import FOLDERS, read_folder
from wsss_steps.data.voc_masks import check_masks, class_of_value
from wsss_steps.errors import all_wrong

log = logging.getLogger(__name__)


def read_split(
    root: Path, *, split: str, dataset: str, classes: Sequence[str], tags: str
) -> tuple[Manifest, Counter[str]]:
    """Read and check the photographs of one split below `root`: its manifest, and notes (what: how many).

    Args:
        root: the folder of photographs.
        split: name of the split.
        dataset: name of the data set.
        classes: names of the classes 1..C.
        tags: table of tags, or `folders`.

    Photographs are in the order of their paths. Raises one UserError that lists all problems.
    """
    report = Report()
    found = read_folder(root, tags, classes, report.problems)
    photos, number = found.split(split), {name: index for index, name in enumerate(classes, start=1)}
    where = "the folders" if tags == FOLDERS else f"the table {tags}"
    log.info("classes of %s: %s", where, ", ".join(f"{index} {name}" for name, index in number.items()))
    images = {image_id: root / photo.path for image_id, photo in photos.items()}
    seen = checked_images(images, split, report)
    all_wrong(f"split '{split}' of data set '{dataset}' in {root}", report.problems)
    present = {one: tuple(sorted(number[name] for name in photo.names)) for one, photo in photos.items()}
    return Manifest(dataset, tuple(classes), entries_of(images, split, present, seen)), +(report.notes + found.notes)


def read_masks(
    root: Path,
    manifest: Manifest,
    *,
    split: str,
    classes: Sequence[str],
    mask_classes: Sequence[str],
    other_classes: str,
    tags: str,
) -> tuple[GroundTruth, Counter[str]]:
    """Check the label images of the photographs of one split that have one: as `voc_masks.read_masks`."""
    report = Report()
    masks = {image_id: photo.mask for image_id, photo in read_folder(root, tags, classes, []).photos.items()}
    pairs = [(Path(masks[entry.id]), entry) for entry in manifest.split(split) if masks.get(entry.id)]
    truth = check_masks(pairs, class_of_value(classes, mask_classes or classes, other_classes), split, report)
    all_wrong(f"label images of split '{split}' of data set '{manifest.dataset}' in {root}", report.problems)
    return truth, +report.notes
