"""MS-COCO 2014: `annotations/instances_{train,val}2014.json`, and the images in `train2014` and `val2014`.

A label image is painted from the annotated outlines: overlap and crowds are settings, since label images by other rules
circulate, and scores differ by them. Or others made them (`masks`).
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsss_steps.data import voc_lists
from wsss_steps.data.archives import Tags
from wsss_steps.data.coco_instances import Outline, Size, mask_of, read_instances
from wsss_steps.data.sources import Sources, of_files
from wsss_steps.errors import UserError, all_wrong
from wsss_steps.formats.labels import read_labels
from wsss_steps.ops.labels import IGNORE
from wsss_steps.ops.painting import paint

CLASSES = (
    *("person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light"),
    *("fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow"),
    *("elephant", "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee"),
    *("skis", "snowboard", "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard"),
    *("tennis racket", "bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple"),
    *("sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch"),
    *("potted plant", "bed", "dining table", "toilet", "tv", "laptop", "mouse", "remote", "keyboard", "cell phone"),
    *("microwave", "oven", "toaster", "sink", "refrigerator", "book", "clock", "vase", "scissors", "teddy bear"),
    *("hair drier", "toothbrush"),
)
FIXED = (
    *("train_list", "image_folder", "annotation_folder", "tags_csv"),
    *("splits", "unscored", "boxes", "allow_untagged"),
)
PUBLISHED = {"train": 82783, "val": 40504}
TRAIN = "train"
DIGITS = 12  # of the number of an image in its name


def annotations_of(root: Path, split: str) -> Path:
    """The annotations of a split."""
    return root / "annotations" / f"instances_{split}2014.json"


def listed(root: Path) -> None:
    """No list tells which images a split has, but its annotations, in a file too large to read for every plan."""


def places(root: Path) -> dict[str, Any]:
    """A folder of images for each split, and the one held-out split."""
    return {"image_folder": f"{root.as_posix()}/{{split}}2014", "splits": {"val": ""}, "allow_untagged": True}


def problems(root: Path, *, published_counts: bool, masks: str | None) -> list[str]:
    """What is missing: annotations, folders, images."""
    files = [annotations_of(root, split) for split in PUBLISHED]
    wrong = [f"{path}: no such file of COCO" for path in files if not path.is_file()]
    if masks is not None and not (root / masks).is_dir():
        wrong.append(f"convert.masks: no such folder: {root / masks}")
    for split, count in PUBLISHED.items():
        folder = root / f"{split}2014"
        if not folder.is_dir():
            wrong.append(f"{folder}: no such folder of images of COCO")
        elif published_counts and (found := len(voc_lists.images_in(folder))) != count:
            wrong.append(
                f"{folder}: expected {count:,} images, as published, found {found:,}; for a part of the data set say "
                "published_counts: false"
            )
    return wrong


def sources_of_tags(root: Path, *, split: str) -> Sources:
    """The annotations."""
    return of_files("", [str(annotations_of(root, split))])


def sources_of_masks(root: Path, *, split: str, scored_list: str | None, masks: str | None) -> Sources:
    """The annotations, or the label images that others made; and the ids of those that are scored."""
    given = [annotations_of(root, split)] if masks is None else sorted((root / masks).glob("*.png"))
    return of_files(_scored(root, scored_list), map(str, given))


def _scored(root: Path, scored_list: str | None) -> list[str] | None:
    """The ids of the images that are scored, None for all."""
    return None if scored_list is None else voc_lists.read_list(root / scored_list, [])


def read_tags(
    root: Path, *, split: str, crowd: str, untagged: str, published_counts: bool, classes: Sequence[str]
) -> tuple[list[str], Tags, Counter[str]]:
    """Ids and tags of a split, those that are among `classes`, and notes: the classes of its objects.

    Crowds count as objects if `crowd` is object. Training images without a tag are left out unless `untagged` is keep.
    """
    path = annotations_of(root, split)
    found = read_instances(path, CLASSES).outlines
    if published_counts and len(found) != PUBLISHED[split]:
        count = f"{PUBLISHED[split]:,} images, as published, found {len(found):,}"
        raise UserError(f"{path}: expected {count}; for a part of the data set say published_counts: false")
    tags: Tags = {}
    for name, outlines in found.items():
        numbers = {one.label for one in outlines if crowd == "object" or not one.crowd}
        tags[name] = tuple(CLASSES[number - 1] for number in sorted(numbers) if CLASSES[number - 1] in classes)
    without = sum(not names for names in tags.values())
    left_out = split == TRAIN and untagged == "leave_out"
    ids = [name for name, names in tags.items() if names or not left_out]
    return ids, tags, Counter({f"images without a tag, {'left out' if left_out else 'kept'}": without})


def label_images(
    root: Path,
    ids: Sequence[str],
    *,
    split: str,
    overlap: str,
    crowd: str,
    masks: str | None,
    scored_list: str | None,
) -> Iterator[tuple[str, Callable[[], NDArray[np.uint8]]]]:
    """For each id that is scored, what makes its label image (H, W)."""
    scored = _scored(root, scored_list)
    known = set(ids if scored is None else scored)
    wanted = [one for one in ids if one in known]
    if masks is not None:
        yield from _given(root / masks, wanted)
        return
    found = read_instances(annotations_of(root, split), CLASSES)
    for one in wanted:
        yield one, functools.partial(render, found.outlines[one], found.sizes[one], overlap=overlap, crowd=crowd)


def _given(folder: Path, ids: Sequence[str]) -> Iterator[tuple[str, Callable[[], NDArray[np.uint8]]]]:
    """The label images that others made, by the number at the end of their name."""
    files = {_number(path.stem): path for path in sorted(folder.glob("*.png"))}
    all_wrong(f"{folder}: images without a label image", [one for one in ids if _number(one) not in files])
    for one in ids:
        yield one, functools.partial(read_labels, files[_number(one)])


def _number(name: str) -> str:
    """The number at the end of a name, with all its digits."""
    return name.rpartition("_")[2].zfill(DIGITS)


def render(outlines: Sequence[Outline], size: Size, *, overlap: str, crowd: str) -> NDArray[np.uint8]:
    """The label image (H, W) of an image: 0 background, 1..80, 255 void; crowds that are void lie below all objects.

    A UserError for an outline that is none.
    """
    shown = [one for one in outlines if crowd == "object" or not one.crowd]
    void = [one for one in outlines if one.crowd and crowd == "void"]
    try:
        masks = [mask_of(one.shape, size) for one in shown]
        image = paint(size, masks, [one.label for one in shown], smaller_on_top=overlap == "smaller")
        for one in void:
            image[(image == 0) & mask_of(one.shape, size)] = IGNORE
    except Exception as error:  # pycocotools raises what it likes for a damaged outline
        raise UserError(f"an outline that cannot be drawn ({type(error).__name__}: {error})") from None
    return image


def description(*, overlap: str, crowd: str, masks: str | None) -> str:
    """By which rules the label images came about."""
    if masks is not None:
        return f"COCO, given: {Path(masks).name}"
    on_top = {"smaller": "smaller objects on top", "later": "later annotations on top"}[overlap]
    return f"COCO, {on_top}, crowds: {crowd}"
