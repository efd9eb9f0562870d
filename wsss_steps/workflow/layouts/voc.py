"""PASCAL VOC's layout: what planning asks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wsss_steps.data import voc_lists
from wsss_steps.settings.data_set import TRAIN, Prepare

HINTS = {
    "mask_folder": "; say mask_folder: null if there are no label images",
    "annotation_folder": "; give tags in a table with tags_csv instead",
    "boxes": "; say boxes: null if there are none",
}


def completed(root: Path, data: Prepare) -> tuple[dict[str, Any], list[str]]:
    """No split `val` if none is configured and its list does not exist; problems of folders, tables and lists."""
    listed = all((root / path).exists() for path in data.splits.values())
    keys: dict[str, Any] = {} if "splits" in data.model_fields_set or listed else {"splits": {}}
    return keys, problems(root, data.model_copy(update=keys))


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
    lists = {split: voc_lists.read_list(root / path, found) for split, path in _lists(data).items()}
    voc_lists.check_unique(lists, found)
    if data.scored_list is not None:
        scored = voc_lists.read_list(root / data.scored_list, found)
        unknown = sorted(set(scored) - set(lists[TRAIN]))
        found += [f"{root / data.scored_list}: id '{one}' is not in {data.train_list}" for one in unknown]
    return found


def _lists(data: Prepare) -> dict[str, str]:
    return {TRAIN: data.train_list, **data.splits}


def list_of(data: Prepare, split: str) -> str | None:
    """The list of the split's images, below the root."""
    return _lists(data)[split]


def table_of(root: Path, data: Prepare, split: str) -> str | None:
    """The table of tags, if there is one and the split has tags."""
    read = data.tags_csv is not None and split not in data.unscored
    return f"{root.as_posix()}/{data.tags_csv}" if read else None


def images_settings(data: Prepare, split: str) -> dict[str, Any]:
    """The settings of `prepare` for one split."""
    keys = ("dataset", "classes", "image_folder", "annotation_folder", "tags_csv", "allow_untagged")
    table = data.model_dump(mode="json", include=set(keys))
    table |= {} if data.max_side is None else {"max_side": data.max_side}
    return table | {"split": split, "list_file": list_of(data, split), "tagged": split not in data.unscored}


def masks_settings(data: Prepare, split: str) -> dict[str, Any]:
    """The settings of `prepare_masks` for one split."""
    table = data.model_dump(mode="json", include={"classes", "mask_classes", "other_classes", "mask_folder"})
    return table | {
        "split": split,
        "list_file": list_of(data, split),
        "scored_list": data.scored_list if split == TRAIN else None,
        "masks_optional": split == TRAIN,
    }
