"""PASCAL VOC 2012 (`VOCdevkit/VOC2012`) with the Semantic Boundaries Dataset (`benchmark_RELEASE/dataset`).

The training images are `train_aug`: those of VOC's train and of SBD, without those of VOC's val. A label image is VOC's
own where there is one, and else SBD's, which has no void.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsss_steps.data import voc_lists, voc_tags
from wsss_steps.data.archives import Tags
from wsss_steps.data.sbd import read_segmentation
from wsss_steps.data.sources import Sources, of_files
from wsss_steps.errors import UserError, all_wrong
from wsss_steps.formats.labels import read_labels
from wsss_steps.ops.labels import IGNORE

CLASSES = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog"),
    *("horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)
FIXED = ("train_list", "image_folder", "annotation_folder", "tags_csv")
LISTS, IMAGES, MASKS = "ImageSets/Segmentation", "JPEGImages", "SegmentationClass"
TRAIN = "train"
PUBLISHED = {"VOC train": 1464, "VOC val": 1449, "SBD train": 8498, "SBD val": 2857, "train_aug": 10582}
SHOWN = 3  # ids in a message


def lists(root: Path, sbd: str) -> dict[str, Path]:
    """The four lists that `train_aug` is made of."""
    return {
        **{f"VOC {name}": root / LISTS / f"{name}.txt" for name in ("train", "val")},
        **{f"SBD {name}": root / sbd / f"{name}.txt" for name in ("train", "val")},
    }


def train_aug(root: Path, sbd: str, wrong: list[str]) -> list[str]:
    """The ids of VOC's train and of SBD without VOC's val, sorted; what is wrong with the lists is added to `wrong`."""
    ids = {name: set(voc_lists.read_list(path, wrong)) for name, path in lists(root, sbd).items()}
    return sorted((ids["VOC train"] | ids["SBD train"] | ids["SBD val"]) - ids["VOC val"])


def listed(root: Path, *, split: str, list_file: str, sbd: str) -> list[str]:
    """The ids of a split: `train_aug`, or a list of VOC's."""
    return train_aug(root, sbd, []) if split == TRAIN else voc_lists.read_list(root / list_file, [])


def places(root: Path, *, splits: dict[str, str]) -> dict[str, Any]:
    """The folder of all images, and the held-out splits that the configuration asks for."""
    return {"image_folder": (root / IMAGES).as_posix(), "splits": splits}


def problems(root: Path, *, sbd: str, tags: str, published_counts: bool, all_masks: bool) -> list[str]:
    """What is missing: folders, lists, counts, images of `train_aug`, and label images if all are needed."""
    folders = [root / IMAGES, root / MASKS, root / sbd, *([root / "Annotations"] if tags == "xml" else [])]
    wrong = [f"{path}: no such folder of PASCAL VOC 2012 or SBD" for path in folders if not path.is_dir()]
    if tags not in ("xml", "masks") and not (root / tags).is_file():
        wrong.append(f"convert.tags: expected xml, masks or the path of a file, found no file {root / tags}")
    if wrong:
        return wrong
    ids = train_aug(root, sbd, wrong)
    counts = {name: len(set(voc_lists.read_list(path, []))) for name, path in lists(root, sbd).items()}
    counts["train_aug"] = len(ids)
    if published_counts:
        wrong += _other_counts(root, sbd, counts)
    images = voc_lists.images_in(root / IMAGES)
    wrong += _missing(root / IMAGES, "images of train_aug", [one for one in ids if one not in images])
    if all_masks or tags == "masks":
        known = with_label_image(root, sbd)
        wrong += _missing(root / sbd / "cls", "label images of train_aug", [one for one in ids if one not in known])
    return wrong


def _other_counts(root: Path, sbd: str, counts: dict[str, int]) -> Iterator[str]:
    """One line for each list of another length than was published."""
    known = lists(root, sbd)
    for name, count in counts.items():
        if count != PUBLISHED[name]:
            where = known.get(name, "train_aug (VOC train and SBD, without VOC val)")
            yield (
                f"{where}: expected {PUBLISHED[name]:,} ids, as published, found {count:,}; for a part of the data set "
                "say published_counts: false"
            )


def _missing(folder: Path, what: str, ids: Sequence[str]) -> list[str]:
    """One line for all ids that a folder lacks."""
    shown = ", ".join(ids[:SHOWN]) + (", ..." if len(ids) > SHOWN else "")
    return [f"{folder}: {len(ids):,} {what} are missing: {shown}"] if ids else []


def with_label_image(root: Path, sbd: str) -> dict[str, Path]:
    """The file of the label image of every image that has one: VOC's, else SBD's."""
    found = {path.stem: path for path in (root / sbd / "cls").glob("*.mat")}
    return found | {path.stem: path for path in (root / MASKS).glob("*.png")}


def read_label_image(path: Path) -> NDArray[np.uint8]:
    """A label image (H, W) of VOC or SBD: 0 background, 1..20, 255 void."""
    return read_segmentation(path) if path.suffix == ".mat" else read_labels(path)


def sources_of_tags(root: Path, *, split: str, list_file: str, sbd: str, tags: str, tagged: bool) -> Sources:
    """The ids of a split, and the files of its tags."""
    ids = listed(root, split=split, list_file=list_file, sbd=sbd)
    if not tagged:
        files = []
    elif tags == "masks":
        known = with_label_image(root, sbd)
        files = [known[one] for one in ids if one in known]
    else:
        files = [root / "Annotations" / f"{one}.xml" for one in ids] if tags == "xml" else [root / tags]
    return of_files(ids, map(str, files))


def sources_of_masks(root: Path, *, split: str, list_file: str, scored_list: str | None, sbd: str) -> Sources:
    """The ids of the images of a split that are scored, and their label images."""
    ids = listed(root, split=split, list_file=list_file, sbd=sbd)
    ids = ids if scored_list is None else voc_lists.read_list(root / scored_list, [])
    known = with_label_image(root, sbd)
    return of_files(ids, (str(known[one]) for one in ids if one in known))


def read_tags(
    root: Path, *, split: str, list_file: str, sbd: str, tags: str, tagged: bool, classes: Sequence[str]
) -> tuple[list[str], Tags, Counter[str]]:
    """Ids and tags of a split, those that are among `classes`, and notes; a UserError lists all problems."""
    wrong, notes = list[str](), Counter[str]()
    ids = train_aug(root, sbd, wrong) if split == TRAIN else voc_lists.read_list(root / list_file, wrong)
    names: Tags = {}
    if tagged and tags == "xml":
        found = voc_tags.from_xml(root / "Annotations", ids, classes, wrong, notes, {})
        names = {one: tuple(classes[number - 1] for number in numbers) for one, numbers in found.items()}
    elif tagged:
        numbered = _from_masks(root, sbd, ids, wrong) if tags == "masks" else _from_vectors(root / tags, ids, wrong)
        names = {one: tuple(name for name in shown if name in classes) for one, shown in numbered.items()}
    all_wrong(f"split '{split}' of PASCAL VOC 2012 in {root}", wrong)
    return ids, names, notes


def _from_masks(root: Path, sbd: str, ids: Sequence[str], wrong: list[str]) -> Tags:
    """The classes in the label image of every image."""
    known, tags = with_label_image(root, sbd), dict[str, tuple[str, ...]]()
    wrong += _missing(root / sbd / "cls", "label images", [one for one in ids if one not in known])
    for one in (one for one in ids if one in known):
        try:
            values = sorted(set(np.unique(read_label_image(known[one])).tolist()) - {0, IGNORE})
            tags[one] = tuple(CLASSES[value - 1] for value in values)
        except UserError as error:
            wrong.append(str(error))
        except IndexError:
            wrong.append(f"{known[one]}: expected values 0..{len(CLASSES)} and {IGNORE}, found {values}")
    return tags


def _from_vectors(path: Path, ids: Sequence[str], wrong: list[str]) -> Tags:
    """The tags of a `cls_labels.npy`."""
    found = voc_tags.from_vectors(path, ids, CLASSES, wrong)
    return {one: tuple(CLASSES[number - 1] for number in numbers) for one, numbers in found.items()}


def label_images(
    root: Path, ids: Sequence[str], *, scored_list: str | None, sbd: str
) -> Iterator[tuple[str, Callable[[], NDArray[np.uint8]]]]:
    """For each id that is scored and has one, what makes its label image (H, W)."""
    scored = None if scored_list is None else set(voc_lists.read_list(root / scored_list, []))
    known = with_label_image(root, sbd)
    for one in ids:
        if one in known and (scored is None or one in scored):
            yield one, functools.partial(read_label_image, known[one])


def description(*, scored_list: str | None, split: str) -> str:
    """VOC's own label images, or SBD's too."""
    return "VOC" if split != TRAIN or scored_list is not None else "VOC, else SBD"
