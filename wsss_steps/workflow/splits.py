"""The splits of a data set: their lists, what is wrong with them before any image is opened, and their steps' settings.

The settings of one split name no other, so that a change of one reruns nothing of another. Free of torch.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wsss_steps.data import voc_lists
from wsss_steps.settings.steps import Prepare

TRAIN = "train"
HINTS = {
    "mask_folder": "; say mask_folder: null if there are no label images",
    "annotation_folder": "; give tags in a table with tags_csv instead",
    "boxes": "; say boxes: null if there are none",
}


def list_files(data: Prepare) -> dict[str, str]:
    """The list file of every split, below the root, train first."""
    return {TRAIN: data.train_list, **data.splits}


def all_listed(root: Path, data: Prepare) -> bool:
    """Whether the lists of all held-out splits exist."""
    return all((root / path).exists() for path in data.splits.values())


def problems(root: Path, data: Prepare) -> list[str]:
    """What is wrong with the folders, tables and lists of the data set below `root`."""
    if not root.is_dir():
        return [f"root: no such folder: {root}"]
    places = {"image_folder": data.image_folder, "mask_folder": data.mask_folder, "boxes": data.boxes}
    places |= {} if data.tags_csv else {"annotation_folder": data.annotation_folder}
    found = [
        f"{key}: no such folder: {root / place}{HINTS.get(key, '')}"
        for key, place in places.items()
        if place is not None and not (root / place).is_dir()
    ]
    if data.tags_csv and not (root / data.tags_csv).is_file():
        found.append(f"tags_csv: no such table of tags: {root / data.tags_csv}")
    lists = {split: voc_lists.read_list(root / path, found) for split, path in list_files(data).items()}
    voc_lists.check_unique(lists, found)
    if data.scored_list is not None:
        scored = voc_lists.read_list(root / data.scored_list, found)
        unknown = sorted(set(scored) - set(lists[TRAIN]))
        found += [f"{root / data.scored_list}: id '{one}' is not in {data.train_list}" for one in unknown]
    return found


def images_settings(data: Prepare, split: str) -> dict[str, Any]:
    """The settings of `prepare` for one split."""
    keys = ("dataset", "classes", "image_folder", "annotation_folder", "tags_csv", "allow_untagged")
    table = _of_split(data.model_dump(mode="json", include=set(keys)), split)
    return table | {"split": split, "list_file": list_files(data)[split], "tagged": split not in data.unscored}


def _of_split(table: dict[str, Any], split: str) -> dict[str, Any]:
    """Settings of one split: `{split}` in a path, which conversion puts there (`conversion.applied`), is its name."""
    return {key: text.replace("{split}", split) if isinstance(text, str) else text for key, text in table.items()}


def masks_settings(data: Prepare, split: str) -> dict[str, Any]:
    """The settings of `prepare_masks` for one split."""
    keys = {"classes", "mask_classes", "other_classes", "mask_folder"}
    table = _of_split(data.model_dump(mode="json", include=keys), split)
    return table | {
        "split": split,
        "list_file": list_files(data)[split],
        "scored_list": data.scored_list if split == TRAIN else None,
        "masks_optional": split == TRAIN,
    }


def boxes_settings(data: Prepare, split: str) -> dict[str, Any]:
    """The settings of `prepare_boxes` for one split."""
    table = data.model_dump(mode="json", include={"classes", "mask_classes", "boxes"})
    scored = data.scored_list if split == TRAIN else None
    return table | {"split": split, "list_file": list_files(data)[split], "scored_list": scored}
