"""Reads and checks the images and tags of a data set in PASCAL VOC layout; all problems are reported together.

Below the root folder: list files with one image id per line, `<images>/<id>.jpg` (or .jpeg, .png), and the tags, either
`<annotations>/<id>.xml` or one table. Splits are read separately, so that a change of one does not affect another, and
images separately from masks (`voc_masks`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from pathlib import Path

from wsss_steps.data import voc_lists, voc_tags
from wsss_steps.data.listing import Report, checked_images, entries_of
from wsss_steps.data.manifest import Manifest
from wsss_steps.errors import all_wrong

VECTORS = ".npy"  # suffix of a table of tags that is a file of NumPy's


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
    if tags_csv is not None and tags_csv.suffix == VECTORS:
        tags = voc_tags.from_vectors(tags_csv, ids, classes, report.problems)
    elif tags_csv is not None:
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
    seen = checked_images(images, split, report)
    all_wrong(f"split '{split}' of data set '{dataset}' in {root}", report.problems)
    return Manifest(dataset, tuple(classes), entries_of(images, split, tags, seen)), +report.notes
