"""Reading of a data set in PASCAL VOC layout, checked in full: every problem is found before any is reported.

Below the root folder: list files with one image id per line, `<images>/<id>.jpg` (or .jpeg, .png), `<masks>/<id>.png`
(indexed or grey, of the size of the upright image; 0 background, 1..K classes, 255 void), and the tags, either
`<annotations>/<id>.xml` or one table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from PIL import Image

from wsss_steps import formats
from wsss_steps.data import voc_lists, voc_tags
from wsss_steps.data.images import opened
from wsss_steps.data.manifest import Entry, GroundTruth, Manifest
from wsss_steps.errors import UserError, all_wrong
from wsss_steps.formats import pictures
from wsss_steps.progress import track
from wsss_steps.provenance import file_digest

SUFFIXES = (".jpg", ".jpeg", ".png")


@dataclass
class Report:
    """What was found: `problems` end the run, `notes` are worth a line of the log."""

    problems: list[str] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Picture:
    """One image file and its mask, as checked: `values` are those in the mask (None: there is no mask).

    `height` and `width` are of the upright image in pixels; `turned`: EXIF says that the stored one is not upright.
    `sha256` is of the image file's bytes.
    """

    height: int
    width: int
    turned: bool
    values: frozenset[int] | None
    problems: tuple[str, ...]
    sha256: str


def find_images(folder: Path, ids: Sequence[str], report: Report) -> dict[str, Path]:
    """The image file of every id that has exactly one."""
    names: dict[str, list[str]] = {}
    others: dict[str, str] = {}
    if folder.is_dir():
        for path in sorted(folder.iterdir()):  # one listing instead of a look-up per id and suffix
            if path.suffix.lower() in SUFFIXES:
                names.setdefault(path.stem, []).append(path.name)
            else:
                others[path.stem] = path.name
    else:
        report.problems.append(f"{folder}: no such folder of images")
        return {}
    alike = {stem.casefold(): stem for stem in names}
    for image_id in ids:
        found = names.get(image_id, [])
        if not found:
            hint = ""
            if Path(image_id).stem in names:
                hint = "; leave the suffix out of the list"
            elif image_id.split()[0] in names:
                hint = f"; write the id alone, '{image_id.split()[0]}'"
            elif image_id.casefold() in alike:
                hint = f"; there is '{alike[image_id.casefold()]}'"
            elif image_id in others:
                hint = f"; found {others[image_id]}"
            report.problems.append(f"{folder / image_id}: no such image (expected {', '.join(SUFFIXES)}{hint})")
        elif len(found) > 1:
            report.problems.append(f"{folder}: expected one image for id '{image_id}', found {', '.join(found)}")
    return {image_id: folder / names[image_id][0] for image_id in ids if len(names.get(image_id, [])) == 1}


def check_picture(image: Path, mask: Path | None) -> Picture:
    """Decode an image and its mask in full; a damaged or truncated file, a wrong mode or size is a problem."""
    height, width, turn, digest = 0, 0, 1, ""
    try:
        with opened(image) as photo:
            photo.load()
            (height, width), turn = pictures.upright_size(photo), pictures.orientation(photo)
        digest = file_digest(image)
        labels = None if mask is None else formats.read_labels(mask)
    except UserError as error:
        return Picture(height, width, turn != 1, None, (str(error),), digest)
    if labels is None:
        return Picture(height, width, turn != 1, None, (), digest)
    problems = []
    if labels.shape != (height, width):
        found = f"{labels.shape[0]} x {labels.shape[1]}"
        if turn in pictures.ON_ITS_SIDE and labels.shape == (width, height):
            found += ", the size of the image as it is stored; its EXIF orientation turns it, so turn the mask as well"
        problems.append(f"{mask}: expected the size of its image, {height} x {width} (height x width), found {found}")
    values = frozenset(value for value, count in enumerate(Image.fromarray(labels).histogram()) if count)
    return Picture(height, width, turn != 1, values, tuple(problems), digest)


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
    paths = sorted(folder.iterdir())
    stems = {path.stem for path in paths if path.suffix == ".png"}
    others = {path.stem: f" (found {path.name}; expected the suffix .png)" for path in paths if path.suffix != ".png"}
    for split, ids in splits.items():
        missing = [image_id for image_id in ids if image_id not in stems]
        if split == "train" and len(missing) == len(ids) and not others.keys() & set(ids):
            report.notes["train images without any mask: their stages will not be scored"] += len(ids)
        else:
            report.problems += [
                f"{folder / image_id}.png: no such label image, of split {split}{others.get(image_id, '')}"
                for image_id in missing
            ]
    return {image_id: folder / f"{image_id}.png" for ids in splits.values() for image_id in ids if image_id in stems}


def check_pictures(
    images: Mapping[str, Path], masks: Mapping[str, Path], table: Sequence[int], report: Report
) -> dict[str, Picture]:
    """Check every image and mask; the files are decoded side by side."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        found = pool.map(lambda image_id: check_picture(images[image_id], masks.get(image_id)), images)
        pictures = dict(zip(images, track(found, len(images), "images"), strict=True))
    for image_id, picture in pictures.items():
        report.problems += picture.problems
        report.notes["images turned upright by their EXIF orientation"] += picture.turned
        unknown = sorted(value for value in picture.values or () if table[value] < 0)
        if unknown:
            last = max((value for value in range(formats.IGNORE) if table[value] >= 0), default=0)
            report.problems.append(
                f"{masks[image_id]}: expected values 0..{last} and {formats.IGNORE}, found {unknown}"
            )
    return pictures


def read_tags(
    splits: Mapping[str, Sequence[str]],
    classes: Sequence[str],
    tags_csv: Path | None,
    annotation_folder: Path,
    allow_untagged: bool,
    report: Report,
) -> voc_tags.Tags:
    """Tags of every image, from the table if there is one; an image without a tag is a problem unless allowed."""
    ids = list(dict.fromkeys(chain(*splits.values())))
    others: dict[str, list[str]] = {}
    if tags_csv is not None:
        tags = voc_tags.from_table(tags_csv, splits, classes, report.problems, report.notes)
    else:
        tags = voc_tags.from_xml(annotation_folder, ids, classes, report.problems, report.notes, others)
    untagged = [image_id for image_id in ids if tags.get(image_id) == ()]
    if allow_untagged:
        report.notes["images without a tag"] += len(untagged)
    else:
        expected = f"expected at least one of {', '.join(classes)}, or allow_untagged: true"
        for image_id in untagged:
            names = sorted(set(others.get(image_id, ())))
            found = f"; found {', '.join(names)}{voc_tags.meant(names, classes)}" if names else ""
            report.problems.append(f"image '{image_id}' has no tag ({expected}){found}")
    return tags


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
    """Read and check the data set below `root`: its manifest, where its ground truth lies, and notes (what: how many).

    Parameters are those of `settings.Prepare`. Paths in the results begin with `root` as it was given.
    Raises one UserError that lists all that is wrong.
    """
    report = Report()
    splits = {
        name: voc_lists.read_list(root / path, report.problems)
        for name, path in (("train", train_list), ("val", val_list))
    }
    voc_lists.check_unique(splits, report.problems)
    table_of_tags = None if tags_csv is None else root / tags_csv
    tags = read_tags(splits, classes, table_of_tags, root / annotation_folder, allow_untagged, report)
    images = find_images(root / image_folder, list(dict.fromkeys(chain(*splits.values()))), report)
    masks = find_masks(None if mask_folder is None else root / mask_folder, splits, report)
    table = class_of_value(classes, mask_classes or classes, other_classes)
    pictures = check_pictures(images, masks, table, report)
    all_wrong(f"data set '{dataset}' in {root}", report.problems)
    entries = []
    for split, ids in splits.items():
        for name in ids:
            seen = pictures[name]
            path = images[name].as_posix()
            entries.append(Entry(name, split, path, seen.height, seen.width, tags[name], seen.sha256))
    disagree = sum(entry.tags != shown(pictures[entry.id], table) for entry in entries if entry.id in masks)
    report.notes["images whose mask shows other classes than its tags"] += disagree
    truth = GroundTruth({image_id: path.as_posix() for image_id, path in masks.items()}, table)
    return Manifest(dataset, tuple(classes), tuple(entries)), truth, +report.notes


def shown(picture: Picture, table: Sequence[int]) -> tuple[int, ...]:
    """The classes 1..C in an image's mask, ascending."""
    return tuple(sorted({table[value] for value in picture.values or ()} - {0, formats.IGNORE}))
