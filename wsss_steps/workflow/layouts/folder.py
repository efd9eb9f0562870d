"""A plain folder of photographs: what planning asks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wsss_steps.data.photo_folder import FOLDERS, Folder, read_folder
from wsss_steps.data.photo_folder import table_of as table_in
from wsss_steps.settings.data_set import TRAIN, Prepare
from wsss_steps.settings.saliency import COLUMN

DEFAULT_TABLE = "tags.csv"
MASKED = "column mask"  # in place of a folder of label images
MOST_CLASSES = 254
MAX_SIDE = 640  # px, as the largest images of COCO: what the settings of all methods were chosen for


def named_by_column(data: Prepare) -> bool:
    """Whether the saliency maps are those that the table names."""
    given: dict[str, Any] = getattr(data, "saliency", {}).get("given", {})
    return data.images is not None and given.get("folder") == COLUMN


def _tags(data: Prepare) -> str:
    return data.tags or DEFAULT_TABLE


def completed(root: Path, data: Prepare) -> tuple[dict[str, Any], list[str]]:
    """Classes and splits as the table has them, whether it has masks, and the table itself; and what is wrong."""
    if not root.is_dir():
        return {}, [f"images: no such folder: {root}"]
    tags = _tags(data)
    table = table_in(root, tags)
    if tags != FOLDERS and not table.is_file():
        where = f"{Path(tags).absolute()}" + ("" if Path(tags).is_absolute() else f" or {root / tags}")
        return {}, [f"tags: no such table: {where}; give a table, or tags: {FOLDERS} if each class has a folder"]
    problems: list[str] = []
    found = read_folder(root, tags, data.classes, problems)
    classes = data.classes or found.classes
    if len(classes) > MOST_CLASSES:
        some = ", ".join(classes[:5])
        problems.append(f"{table}: expected at most {MOST_CLASSES} classes, found {len(classes)}: {some}, ...")
    if found.photos and not classes:
        problems.append(f"{table}: expected classes in the column of tags, found none in any row")
    if found.photos and not found.split(TRAIN):
        problems.append(f"{table}: expected photographs of split {TRAIN}, found {', '.join(found.splits[1:])} alone")
    if named_by_column(data) and not any(photo.saliency for photo in found.photos.values()):
        problems.append(
            f"saliency: given: folder: {COLUMN}: expected maps in the column saliency of {table}, found none"
        )
    problems += [] if data.allow_untagged or tags == FOLDERS else _untagged(found)
    return _keys(data, tags if tags == FOLDERS else table.as_posix(), classes, found), problems


def _keys(data: Prepare, tags: str, classes: tuple[str, ...], found: Folder) -> dict[str, Any]:
    """What the files decide of a configuration."""
    held_out = found.splits[1:]
    return {
        "tags": tags,
        "classes": classes,
        "splits": dict.fromkeys(held_out, tags),
        "unscored": tuple(split for split in held_out if not _is_tagged(found, split)),
        "mask_folder": MASKED if any(photo.mask for photo in found.photos.values()) else None,
        "max_side": data.max_side if "max_side" in data.model_fields_set else MAX_SIDE,
    }


def _is_tagged(found: Folder, split: str) -> bool:
    """Whether any photograph of a split has a tag."""
    return any(photo.names for photo in found.split(split).values())


def _untagged(found: Folder) -> list[str]:
    """Photographs without a tag, in a split in which others have some."""
    tagged = {split for split in found.splits if split == TRAIN or _is_tagged(found, split)}
    expected = "expected a tag, or allow_untagged: true if none of the classes is to be seen"
    return [
        f"{photo.where}: {photo.path} has no tag; {expected}"
        for photo in found.photos.values()
        if photo.split in tagged and not photo.names
    ]


def list_of(data: Prepare, split: str) -> str | None:
    """None: there are no lists."""
    return None


def table_of(root: Path, data: Prepare, split: str) -> str | None:
    """The table of tags, if there is one."""
    return None if data.tags in (None, FOLDERS) else data.tags


def images_settings(data: Prepare, split: str) -> dict[str, Any]:
    """The settings of `prepare` for one split."""
    table = data.model_dump(mode="json", include={"dataset", "classes", "tags", "max_side"})
    return table | {"layout": "folder", "split": split}


def masks_settings(data: Prepare, split: str) -> dict[str, Any]:
    """The settings of `prepare_masks` for one split."""
    table = data.model_dump(mode="json", include={"classes", "mask_classes", "other_classes", "tags"})
    return table | {"layout": "folder", "split": split}
