"""Reads and checks the boxes in VOC's XML annotations, `<boxes>/<id>.xml`; all problems are reported together.

VOC counts pixels from 1 and includes the last one, so a box covers the columns xmin - 1 up to xmax, without the latter,
of columns counted from 0. VOC 2012 gives fractions in a few places: coordinates are rounded.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree

from wsss_steps.data import voc_lists
from wsss_steps.data.boxes import Boxes, ObjectBox
from wsss_steps.data.listing import Report
from wsss_steps.data.manifest import Entry, Manifest
from wsss_steps.data.voc_tags import meant
from wsss_steps.errors import all_wrong
from wsss_steps.ops.overlap import Box
from wsss_steps.progress import track

SIDES = ("ymin", "xmin", "ymax", "xmax")
DIFFICULT = {"": False, "0": False, "1": True}


class _Wrong(ValueError):
    """What is wrong with one object."""


def _text(element: ElementTree.Element, tag: str) -> str:
    return (element.findtext(tag) or "").strip()


def box_of(element: ElementTree.Element, height: int, width: int) -> Box:
    """The half-open box of an `object`; a ValueError if it has none, or none that lies within the image.

    Boxes of its parts, such as the heads of persons, are passed over.
    """
    bounds = element.find("bndbox")
    texts = ["" if bounds is None else _text(bounds, side) for side in SIDES]
    try:
        values = [float(text) for text in texts]
    except ValueError:
        found = "none" if bounds is None else ", ".join(f"'{text}'" for text in texts)
        raise _Wrong(f"expected a bndbox with {', '.join(SIDES)} in px, found {found}") from None
    found = ", ".join(f"{side} {text}" for side, text in zip(SIDES, texts, strict=True))
    if not all(map(math.isfinite, values)):
        raise _Wrong(f"expected numbers of px, found {found}")
    y_min, x_min, y_max, x_max = map(round, values)
    if not (1 <= y_min <= y_max <= height and 1 <= x_min <= x_max <= width):
        within = f"1 <= ymin <= ymax <= {height} and 1 <= xmin <= xmax <= {width}"
        raise _Wrong(f"expected a box within its image, {within}, found {found}")
    return y_min - 1, x_min - 1, y_max, x_max


def object_of(element: ElementTree.Element, entry: Entry, classes: Sequence[str]) -> ObjectBox:
    """An `object` of a class; a ValueError for a wrong box or flag. Without a flag it is not difficult."""
    flag = _text(element, "difficult")
    if flag not in DIFFICULT:
        raise _Wrong(f"expected difficult 0 or 1, found '{flag}'")
    label = classes.index(_text(element, "name")) + 1
    return ObjectBox(label, box_of(element, entry.height, entry.width), DIFFICULT[flag])


def _problems_of_size(root: ElementTree.Element, entry: Entry) -> Iterator[str]:
    """What is wrong with the size that an annotation gives its image, if it gives one."""
    found = _text(root, "size/height"), _text(root, "size/width")
    expected = str(entry.height), str(entry.width)
    if any(found) and found != expected:
        hint = "; boxes have to be those of the upright image" if found == expected[::-1] else ""
        size, other = " x ".join(expected), " x ".join(found)
        yield f"expected the size of its image, {size} (height x width), found {other}{hint}"


def read_annotation(
    path: Path, entry: Entry, classes: Sequence[str], others: Sequence[str], report: Report
) -> tuple[ObjectBox, ...]:
    """The objects of the classes in one annotation; those of `others` are counted in the notes of the report."""
    try:
        root = ElementTree.parse(path).getroot()
    except FileNotFoundError:
        report.problems.append(f"{path}: no such annotation, of an image of split {entry.split}")
        return ()
    except (ElementTree.ParseError, OSError) as error:
        report.problems.append(f"{path}: not a readable XML file ({error})")
        return ()
    report.problems += [f"{path}: {problem}" for problem in _problems_of_size(root, entry)]
    found = []
    for number, element in enumerate(root.iterfind("object"), 1):
        name = _text(element, "name")
        if name in classes:
            try:
                found.append(object_of(element, entry, classes))
            except _Wrong as error:
                report.problems.append(f"{path}, object {number}, '{name}': {error}")
        elif name in others:
            report.notes["objects of classes that are not listed, passed over"] += 1
        else:
            known = ", ".join([*classes, *others])
            hint = meant([name], classes)
            report.problems.append(f"{path}, object {number}: unknown class '{name}'; known classes: {known}{hint}")
    return tuple(found)


def scored_entries(root: Path, manifest: Manifest, split: str, scored_list: str | None, report: Report) -> list[Entry]:
    """The images whose boxes count: those of the list, or of the whole split."""
    entries = manifest.split(split)
    if scored_list is None:
        return entries
    listed, known = voc_lists.read_list(root / scored_list, report.problems), {entry.id for entry in entries}
    report.problems += [
        f"{root / scored_list}: id '{one}' is not in split {split}" for one in listed if one not in known
    ]
    chosen = set(listed)
    return [entry for entry in entries if entry.id in chosen]


def read_boxes(
    root: Path,
    manifest: Manifest,
    *,
    split: str,
    classes: Sequence[str],
    mask_classes: Sequence[str],
    boxes: str,
    scored_list: str | None,
) -> tuple[Boxes, Counter[str]]:
    """The boxes of one split, and notes (what: how many).

    Args:
        root: folder of the data set.
        manifest: images and tags of the split.
        split: name of the split.
        classes: names of the classes 1..C.
        mask_classes: names of all classes of the data set; objects of those that are no class are passed over.
        boxes: folder of the annotations, below the root.
        scored_list: ids of the images to score, all in the split; None for the whole split.

    Raises one UserError that lists all problems.
    """
    report, found = Report(), dict[str, tuple[ObjectBox, ...]]()
    entries = scored_entries(root, manifest, split, scored_list, report)
    others = [name for name in mask_classes if name not in classes]
    for entry in track(entries, len(entries), f"annotations of {split}"):
        objects = read_annotation(root / boxes / f"{entry.id}.xml", entry, classes, others, report)
        found[entry.id] = objects
        report.notes["difficult objects"] += sum(one.difficult for one in objects)
        shown = tuple(sorted({one.label for one in objects}))
        report.notes["images whose boxes show other classes than their tags"] += shown != entry.tags
    all_wrong(f"boxes of split '{split}' of data set '{manifest.dataset}' in {root}", report.problems)
    return found, +report.notes
