"""Reading of a data set in PASCAL VOC layout, checked in full: every problem is found before any is reported.

Below the root folder: list files with one image id per line, `<images>/<id>.jpg` (or .jpeg, .png), `<masks>/<id>.png` (indexed or grey;
0 background, 1..K classes, 255 void), and the tags, either `<annotations>/<id>.xml` or one table.
"""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from wsss_steps import formats
from wsss_steps.data import voc_tags
from wsss_steps.data.manifest import Entry, GroundTruth, Manifest
from wsss_steps.errors import UserError, all_wrong
from wsss_steps.progress import track

SUFFIXES = (".jpg", ".jpeg", ".png")
MODES = ("RGB", "L", "P", "RGBA", "LA", "CMYK", "YCbCr", "1")  # 8 bits per channel: what a network's RGB input can be made of
ORIENTATION = 0x0112  # tag of EXIF
FORBIDDEN = frozenset('/\\<>:"|?*')  # of which some system makes no file name


@dataclass
class Report:
    """What was found: `problems` end the run, `notes` are worth a line of the log."""

    problems: list[str] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Picture:
    """One image file and its mask, as checked: sizes in pixels, `values` those in the mask (None: there is no mask)."""

    height: int
    width: int
    rotated: bool
    values: frozenset[int] | None
    problems: tuple[str, ...]


def unsafe(image_id: str) -> str | None:
    """Why `image_id` cannot be part of a file name on every system and a name in HDF5, or None if it can."""
    if image_id.startswith(".") or image_id.endswith("."):
        return "a dot at its start or end"
    if ".." in image_id:
        return "'..'"
    bad = sorted({letter for letter in image_id if letter in FORBIDDEN or unicodedata.category(letter)[0] == "C"})
    return f"the characters {bad}" if bad else None


def read_list(path: Path, report: Report) -> list[str]:
    """The image ids in a list file, one per line; blank lines are passed over."""
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except FileNotFoundError:
        report.problems.append(f"{path}: no such file (expected a list with one image id per line)")
        return []
    except UnicodeDecodeError as error:
        report.problems.append(f"{path}: expected text in UTF-8 ({error})")
        return []
    ids = [line for line in lines if line]
    if not ids:
        report.problems.append(f"{path}: the list is empty (expected one image id per line)")
    for number, line in enumerate(lines, start=1):
        if reason := unsafe(line):
            report.problems.append(f"{path}, line {number}: id {line!r} cannot be a file name: it has {reason}")
    return [image_id for image_id in ids if not unsafe(image_id)]


def check_unique(splits: Mapping[str, Sequence[str]], report: Report) -> None:
    """Note ids that stand twice, in one split or in two; ids that differ in case only would share a file on some systems."""
    seen: dict[str, tuple[str, str]] = {}
    for split, ids in splits.items():
        for image_id in ids:
            key = unicodedata.normalize("NFC", image_id).casefold()
            if key in seen:
                before, where = seen[key]
                alike = "" if before == image_id else f" (as '{before}', which is the same name on some systems)"
                report.problems.append(f"id '{image_id}' of {split} stands already in {where}{alike}; expected each id once")
            seen.setdefault(key, (image_id, split))


def find_images(folder: Path, ids: Sequence[str], report: Report) -> dict[str, Path]:
    """The image file of every id that has exactly one."""
    names: dict[str, list[str]] = {}
    if folder.is_dir():
        for entry in sorted(os.listdir(folder)):  # one listing instead of a look-up per id and suffix
            stem, suffix = os.path.splitext(entry)
            if suffix.lower() in SUFFIXES:
                names.setdefault(stem, []).append(entry)
    else:
        report.problems.append(f"{folder}: no such folder of images")
        return {}
    for image_id in ids:
        found = names.get(image_id, [])
        if not found:
            hint = "; leave the suffix out of the list" if os.path.splitext(image_id)[0] in names else ""
            report.problems.append(f"{folder / image_id}: no such image (expected {', '.join(SUFFIXES)}{hint})")
        elif len(found) > 1:
            report.problems.append(f"{folder}: expected one image for id '{image_id}', found {', '.join(found)}")
    return {image_id: folder / names[image_id][0] for image_id in ids if len(names.get(image_id, [])) == 1}


def check_picture(image: Path, mask: Path | None) -> Picture:
    """Decode an image and its mask in full; a damaged or truncated file, a wrong mode or size is a problem."""
    problems = []
    height, width, rotated = 0, 0, False
    try:
        with Image.open(image) as photo:
            photo.load()
            (width, height), rotated = photo.size, photo.getexif().get(ORIENTATION, 1) != 1
            if photo.mode not in MODES:
                problems.append(f"{image}: expected an image of 8 bits per channel, found mode {photo.mode}")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:  # what PIL raises on damaged files
        problems.append(f"{image}: not a readable image ({error})")
    if mask is None or problems:
        return Picture(height, width, rotated, None, tuple(problems))
    try:
        labels = formats.read_labels(mask)
    except (UserError, SyntaxError) as error:
        return Picture(height, width, rotated, None, (str(error) if isinstance(error, UserError) else f"{mask}: {error}",))
    if labels.shape != (height, width):
        found = f"{labels.shape[0]} x {labels.shape[1]}"
        problems.append(f"{mask}: expected the size of its image, {height} x {width} (height x width), found {found}")
    values = frozenset(value for value, count in enumerate(Image.fromarray(labels).histogram()) if count)
    return Picture(height, width, rotated, values, tuple(problems))


def class_of_value(classes: Sequence[str], mask_classes: Sequence[str], other_classes: str) -> tuple[int, ...]:
    """256 numbers: the class of each value in a label image; 255 for void, -1 for a value that must not occur."""
    other = {"background": 0, "ignore": formats.IGNORE}[other_classes]
    table = [-1] * 256
    table[0], table[formats.IGNORE] = 0, formats.IGNORE
    for value, name in enumerate(mask_classes, start=1):
        table[value] = classes.index(name) + 1 if name in classes else other
    return tuple(table)


def find_masks(folder: Path | None, splits: Mapping[str, Sequence[str]], report: Report) -> dict[str, Path]:
    """The mask of every image that has one. The train split may do without any; half a split of masks is a problem."""
    if folder is None:
        return {}
    if not folder.is_dir():
        report.problems.append(f"{folder}: no such folder of label images; say mask_folder: null if there are none")
        return {}
    stems = {stem for stem, suffix in map(os.path.splitext, os.listdir(folder)) if suffix == ".png"}
    for split, ids in splits.items():
        missing = [image_id for image_id in ids if image_id not in stems]
        if split == "train" and len(missing) == len(ids):
            report.notes["train images without any mask: their stages will not be scored"] += len(ids)
        else:
            report.problems += [f"{folder / image_id}.png: no such label image, of split {split}" for image_id in missing]
    return {image_id: folder / f"{image_id}.png" for ids in splits.values() for image_id in ids if image_id in stems}


def check_pictures(images: Mapping[str, Path], masks: Mapping[str, Path], table: Sequence[int], report: Report) -> dict[str, Picture]:
    """Check every image and mask; the files are decoded side by side."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        found = pool.map(lambda image_id: check_picture(images[image_id], masks.get(image_id)), images)
        pictures = dict(zip(images, track(found, len(images), "images"), strict=True))
    for image_id, picture in pictures.items():
        report.problems += picture.problems
        report.notes["images with an EXIF rotation, which is not applied"] += picture.rotated
        unknown = sorted(value for value in picture.values or () if table[value] < 0)
        if unknown:
            last = max((value for value in range(formats.IGNORE) if table[value] >= 0), default=0)
            report.problems.append(f"{masks[image_id]}: expected values 0..{last} and {formats.IGNORE}, found {unknown}")
    return pictures


def read_voc(
    root: Path,
    *,
    dataset: str,
    classes: Sequence[str],
    mask_classes: Sequence[str],
    other_classes: str,
    train_list: str,
    val_list: str,
    image_folder: str,
    mask_folder: str | None,
    annotation_folder: str,
    tags_csv: str | None,
    allow_untagged: bool,
) -> tuple[Manifest, GroundTruth, Counter[str]]:
    """Read and check the data set below `root`: its manifest, where its ground truth lies, and what is worth knowing (what: how many).

    Parameters are those of `settings.Prepare`. Paths in the results begin with `root` as it was given.
    Raises one UserError that lists all that is wrong.
    """
    report = Report()
    splits = {name: read_list(root / path, report) for name, path in (("train", train_list), ("val", val_list))}
    check_unique(splits, report)
    ids = dict.fromkeys(image_id for split in splits.values() for image_id in split)
    if tags_csv is not None:
        tags = voc_tags.from_table(root / tags_csv, splits, classes, report.problems, report.notes)
    else:
        tags = voc_tags.from_xml(root / annotation_folder, list(ids), classes, report.problems, report.notes)
    untagged = [image_id for image_id in ids if image_id in tags and not tags[image_id]]
    if allow_untagged:
        report.notes["images without a tag"] += len(untagged)
    else:
        known = ", ".join(classes)
        report.problems += [f"image '{name}' has no tag (expected one of {known}, or allow_untagged: true)" for name in untagged]
    images = find_images(root / image_folder, list(ids), report)
    masks = find_masks(None if mask_folder is None else root / mask_folder, splits, report)
    table = class_of_value(classes, mask_classes or classes, other_classes)
    pictures = check_pictures(images, masks, table, report)
    all_wrong(f"data set '{dataset}' in {root}", report.problems)
    entries = tuple(
        Entry(image_id, split, images[image_id].as_posix(), pictures[image_id].height, pictures[image_id].width, tags[image_id])
        for split, members in splits.items()
        for image_id in members
    )
    truth = GroundTruth({image_id: path.as_posix() for image_id, path in masks.items()}, table)
    disagree = sum(entry.tags != shown(pictures[entry.id], table) for entry in entries if entry.id in masks)
    report.notes["images whose mask shows other classes than its tags"] += disagree
    return Manifest(dataset, tuple(classes), entries), truth, +report.notes


def shown(picture: Picture, table: Sequence[int]) -> tuple[int, ...]:
    """The classes 1..C in an image's mask, ascending."""
    return tuple(sorted({table[value] for value in picture.values or ()} - {0, formats.IGNORE}))
