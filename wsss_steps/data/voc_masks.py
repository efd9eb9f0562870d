"""Reads and checks the label images of a data set in PASCAL VOC layout; all problems are reported together.

They are `<masks>/<id>.png`, indexed or grey, of the size of the upright image: 0 background, 1..K classes, 255 void.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from wsss_steps.data import voc_lists
from wsss_steps.data.images import opened
from wsss_steps.data.listing import Report, checked
from wsss_steps.data.manifest import Entry, GroundTruth, Manifest
from wsss_steps.errors import UserError, all_wrong
from wsss_steps.formats import pictures
from wsss_steps.formats.labels import read_labels
from wsss_steps.ops.labels import IGNORE
from wsss_steps.provenance.digests import file_digest


@dataclass(frozen=True)
class Mask:
    """One label image, as checked: `values` are those in it; `sha256` is of the file's bytes."""

    values: frozenset[int]
    problems: tuple[str, ...]
    sha256: str


def lies_on_its_side(image: Path) -> bool:
    """Whether an image is stored with rows and columns exchanged."""
    with opened(image) as photo:
        return pictures.orientation(photo) in pictures.ON_ITS_SIDE


def check_mask(mask: Path, entry: Entry) -> Mask:
    """Decode a label image completely; a damaged file, a wrong mode, or another size than its image is a problem."""
    try:
        labels = read_labels(mask)
    except UserError as error:
        return Mask(frozenset(), (str(error),), "")
    problems = []
    if labels.shape != (entry.height, entry.width):
        expected, found = f"{entry.height} x {entry.width}", f"{labels.shape[0]} x {labels.shape[1]}"
        if labels.shape == (entry.width, entry.height) and lies_on_its_side(Path(entry.image)):
            found += ", the size of the image as it is stored; its EXIF orientation turns it, so turn the mask as well"
        problems.append(f"{mask}: expected the size of its image, {expected} (height x width), found {found}")
    values = frozenset(value for value, count in enumerate(Image.fromarray(labels).histogram()) if count)
    return Mask(values, tuple(problems), file_digest(mask))


def class_of_value(classes: Sequence[str], mask_classes: Sequence[str], other_classes: str) -> tuple[int, ...]:
    """256 numbers: the class of each value in a label image; 255 for void, -1 for a value that must not occur."""
    other = {"background": 0, "ignore": IGNORE}[other_classes]
    table = [-1] * 256
    table[0], table[IGNORE] = 0, IGNORE
    for value, name in enumerate(mask_classes, start=1):
        table[value] = classes.index(name) + 1 if name in classes else other
    return tuple(table)


def find_masks(folder: Path, entries: Sequence[Entry], optional: bool, report: Report) -> list[tuple[Path, Entry]]:
    """The mask of every entry that has one; missing masks are a problem, unless all are missing and `optional`."""
    if not folder.is_dir():
        report.problems.append(f"{folder}: no such folder of label images; say mask_folder: null if there are none")
        return []
    paths = sorted(folder.iterdir())
    stems = {path.stem for path in paths if path.suffix == ".png"}
    others = {path.stem: f" (found {path.name}; expected the suffix .png)" for path in paths if path.suffix != ".png"}
    missing = [entry for entry in entries if entry.id not in stems]
    if optional and len(missing) == len(entries) and not others.keys() & {entry.id for entry in entries}:
        report.notes["train images without any mask: their stages will not be scored"] += len(entries)
    else:
        report.problems += [
            f"{folder / one.id}.png: no such label image, of split {one.split}{others.get(one.id, '')}"
            for one in missing
        ]
    return [(folder / f"{entry.id}.png", entry) for entry in entries if entry.id in stems]


def read_masks(
    root: Path,
    manifest: Manifest,
    *,
    split: str,
    classes: Sequence[str],
    mask_classes: Sequence[str],
    other_classes: str,
    mask_folder: str | None,
    scored_list: str | None,
    masks_optional: bool,
) -> tuple[GroundTruth, Counter[str]]:
    """Check the label images of one split: where its ground truth lies, and notes (what: how many).

    Args:
        root: folder of the data set.
        manifest: images and tags of the split.
        split: name of the split.
        classes: names of the classes 1..C.
        mask_classes: names of the values 1..K in label images; if empty, `classes`.
        other_classes: what values of other classes become, background or ignore.
        mask_folder: label images, `<id>.png`; None if there are none.
        scored_list: ids of the images to score, all in the split; None for the whole split.
        masks_optional: whether the split may have no label image at all.

    Raises one UserError that lists all problems.
    """
    report = Report()
    entries = manifest.split(split)
    table = class_of_value(classes, mask_classes or classes, other_classes)
    if mask_folder is None:
        return GroundTruth({}, table), +report.notes
    if scored_list is not None:
        scored = voc_lists.read_list(root / scored_list, report.problems)
        known = {entry.id for entry in entries}
        report.problems += [
            f"{root / scored_list}: id '{one}' is not in split {split}" for one in scored if one not in known
        ]
        chosen = set(scored)
        entries = [entry for entry in entries if entry.id in chosen]
    found = find_masks(root / mask_folder, entries, masks_optional and scored_list is None, report)
    truth = check_masks(found, table, split, report)
    all_wrong(f"label images of split '{split}' of data set '{manifest.dataset}' in {root}", report.problems)
    return truth, +report.notes


def check_masks(found: Sequence[tuple[Path, Entry]], table: tuple[int, ...], split: str, report: Report) -> GroundTruth:
    """The ground truth of a split, of label images and their entries; what is wrong with one goes to the report.

    table: the class of each value in a label image, see `class_of_value`.
    """
    masks = checked(lambda pair: check_mask(*pair), found, f"label images of {split}")
    truth, checksums = {}, {}
    for (path, entry), mask in zip(found, masks, strict=True):
        truth[entry.id], checksums[entry.id] = path.as_posix(), mask.sha256
        report.problems += mask.problems
        unknown = sorted(value for value in mask.values if table[value] < 0)
        if unknown:
            last = max((value for value in range(IGNORE) if table[value] >= 0), default=0)
            report.problems.append(f"{path}: expected values 0..{last} and {IGNORE}, found {unknown}")
        elif not mask.problems:
            report.notes["images whose mask shows other classes than its tags"] += entry.tags != shown(mask, table)
    return GroundTruth(truth, table, checksums)


def shown(mask: Mask, table: Sequence[int]) -> tuple[int, ...]:
    """The classes 1..C in a label image, ascending."""
    return tuple(sorted({table[value] for value in mask.values} - {0, IGNORE}))
