"""Reads and checks a data set in PASCAL VOC layout; all problems are collected and reported together.

Below the root folder: list files with one image id per line, `<images>/<id>.jpg` (or .jpeg, .png), `<masks>/<id>.png`
(indexed or grey, of the size of the upright image; 0 background, 1..K classes, 255 void), and the tags, either
`<annotations>/<id>.xml` or one table. Splits are read separately, so that a change of one does not affect another, and
images separately from masks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from PIL import Image

from wsss_steps.data import voc_lists, voc_tags
from wsss_steps.data.images import opened
from wsss_steps.data.manifest import Entry, GroundTruth, Manifest
from wsss_steps.errors import UserError, all_wrong
from wsss_steps.formats import pictures
from wsss_steps.formats.labels import read_labels
from wsss_steps.ops.labels import IGNORE
from wsss_steps.progress import track
from wsss_steps.provenance.digests import file_digest

Item = TypeVar("Item")
Found = TypeVar("Found")


@dataclass
class Report:
    """What was found: `problems` end the run, `notes` are logged."""

    problems: list[str] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Picture:
    """One image file, as checked; `sha256` is of the file's bytes.

    `height` and `width` of the upright image, px; `turned`: EXIF says that the stored image is not upright.
    """

    height: int
    width: int
    turned: bool
    problems: tuple[str, ...]
    sha256: str


@dataclass(frozen=True)
class Mask:
    """One label image, as checked: `values` are those in it; `sha256` is of the file's bytes."""

    values: frozenset[int]
    problems: tuple[str, ...]
    sha256: str


def find_images(folder: Path, ids: Sequence[str], report: Report) -> dict[str, Path]:
    """The image file of every id that has exactly one."""
    if not folder.is_dir():
        report.problems.append(f"{folder}: no such folder of images")
        return {}
    names = voc_lists.images_in(folder)
    alike = {name.casefold(): name for name in names}
    others = {path.stem: path.name for path in folder.iterdir() if path.stem not in names}
    for image_id in ids:
        found = names.get(image_id, [])
        if not found:
            hint = _hint_for(image_id, names, alike, others)
            report.problems.append(
                f"{folder / image_id}: no such image (expected {', '.join(voc_lists.SUFFIXES)}{hint})"
            )
        elif len(found) > 1:
            report.problems.append(f"{folder}: expected one image for id '{image_id}', found {', '.join(found)}")
    return {image_id: folder / names[image_id][0] for image_id in ids if len(names.get(image_id, [])) == 1}


def _hint_for(image_id: str, names: Container[str], alike: Mapping[str, str], others: Mapping[str, str]) -> str:
    """What an id without an image may have meant.

    names: existing ids; alike: the same by casefolded id; others: files that are no images, by name without suffix.
    """
    if Path(image_id).stem in names:
        return "; leave the suffix out of the list"
    if image_id.split()[0] in names:
        return f"; write the id alone, '{image_id.split()[0]}'"
    if image_id.casefold() in alike:
        return f"; there is '{alike[image_id.casefold()]}'"
    return f"; found {others[image_id]}" if image_id in others else ""


def check_image(image: Path) -> Picture:
    """Decode an image completely; a damaged or truncated file or a wrong mode is a problem."""
    try:
        with opened(image) as photo:
            photo.load()
            (height, width), turn = pictures.upright_size(photo), pictures.orientation(photo)
        return Picture(height, width, turn != 1, (), file_digest(image))
    except UserError as error:
        return Picture(0, 0, False, (str(error),), "")


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


def checked(check: Callable[[Item], Found], items: Sequence[Item], what: str) -> Iterable[Found]:
    """`check` of every item, in order; files are decoded in parallel."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        yield from track(pool.map(check, items), len(items), what)


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


def read_tags(
    ids: Sequence[str],
    split: str,
    classes: Sequence[str],
    tags_csv: Path | None,
    annotation_folder: Path,
    allow_untagged: bool,
    report: Report,
) -> voc_tags.Tags:
    """Tags of every image, from the table if there is one; an image without a tag is a problem unless allowed."""
    others: dict[str, list[str]] = {}
    if tags_csv is not None:
        tags = voc_tags.from_table(tags_csv, ids, split, classes, report.problems)
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


def read_split(
    root: Path,
    *,
    split: str,
    dataset: str,
    classes: Sequence[str],
    list_file: str,
    image_folder: str,
    annotation_folder: str,
    tags_csv: str | None,
    tagged: bool,
    allow_untagged: bool,
) -> tuple[Manifest, Counter[str]]:
    """Read and check the images and tags of one split below `root`: its manifest, and notes (what: how many).

    Args:
        root: folder of the data set; paths in the manifest begin with it as it was given.
        split: name of the split.
        dataset: name of the data set.
        classes: names of the classes 1..C.
        list_file: ids of the split, one per line.
        image_folder: images, `<id>.jpg`, `.jpeg` or `.png`.
        annotation_folder: VOC XML files, unless there is a table of tags.
        tags_csv: table of tags.
        tagged: whether the images have tags; if not, none are read.
        allow_untagged: whether an image may have no tag.

    Paths are relative to `root`. Raises one UserError that lists all problems.
    """
    report = Report()
    ids = voc_lists.read_list(root / list_file, report.problems)
    voc_lists.check_unique({split: ids}, report.problems)
    ids = list(dict.fromkeys(ids))
    table = None if tags_csv is None else root / tags_csv
    tags: voc_tags.Tags = dict.fromkeys(ids, ())
    if tagged:
        tags = read_tags(ids, split, classes, table, root / annotation_folder, allow_untagged, report)
    images = find_images(root / image_folder, ids, report)
    seen = dict(zip(images, checked(check_image, list(images.values()), f"images of {split}"), strict=True))
    for picture in seen.values():
        report.problems += picture.problems
        report.notes["images turned upright by their EXIF orientation"] += picture.turned
    all_wrong(f"split '{split}' of data set '{dataset}' in {root}", report.problems)
    entries = []
    for name in ids:
        picture = seen[name]
        entries.append(
            Entry(name, split, images[name].as_posix(), picture.height, picture.width, tags[name], picture.sha256)
        )
    return Manifest(dataset, tuple(classes), tuple(entries)), +report.notes


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
    all_wrong(f"label images of split '{split}' of data set '{manifest.dataset}' in {root}", report.problems)
    return GroundTruth(truth, table, checksums), +report.notes


def shown(mask: Mask, table: Sequence[int]) -> tuple[int, ...]:
    """The classes 1..C in a label image, ascending."""
    return tuple(sorted({table[value] for value in mask.values} - {0, IGNORE}))
