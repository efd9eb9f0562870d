"""The splits of a data set: what is wrong with them before any image is opened, and their steps' settings.

The settings of one split name no other, so that a change of one reruns nothing of another. What a layout decides stands
in `layouts`. Free of torch.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wsss_steps.settings.data_set import TRAIN, Prepare
from wsss_steps.workflow import layouts


def list_files(data: Prepare) -> dict[str, str]:
    """The list file of every split, below the root, train first; of a plain folder, its table."""
    return {TRAIN: data.train_list, **data.splits}


def completed(root: Path, data: Prepare) -> tuple[dict[str, Any], list[str]]:
    """The keys of a configuration that the files decide; and what is wrong with folders, tables and lists."""
    return layouts.of(data).completed(root, data)


def images_settings(data: Prepare, split: str) -> dict[str, Any]:
    """The settings of `prepare` for one split."""
    return _of_split(layouts.of(data).images_settings(data, split), split)


def _of_split(table: dict[str, Any], split: str) -> dict[str, Any]:
    """Settings of one split: `{split}` in a path, which conversion puts there (`conversion.applied`), is its name."""
    return {key: text.replace("{split}", split) if isinstance(text, str) else text for key, text in table.items()}


def masks_settings(data: Prepare, split: str) -> dict[str, Any]:
    """The settings of `prepare_masks` for one split."""
    return _of_split(layouts.of(data).masks_settings(data, split), split)


def boxes_settings(data: Prepare, split: str) -> dict[str, Any]:
    """The settings of `prepare_boxes` for one split."""
    table = data.model_dump(mode="json", include={"classes", "mask_classes", "boxes"})
    scored = data.scored_list if split == TRAIN else None
    return table | {"split": split, "list_file": list_files(data)[split], "scored_list": scored}
