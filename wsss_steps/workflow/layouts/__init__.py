"""What a layout of a data set makes of a configuration: a module for each in `data/layouts`. Free of torch."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, Protocol, cast

from wsss_steps.data.layouts import FOLDER, VOC
from wsss_steps.settings.data_set import Prepare


class Layout(Protocol):
    """What a layout has at the level of its module. `data` is the configuration, `root` the folder of the data set."""

    def completed(self, root: Path, data: Prepare) -> tuple[dict[str, Any], list[str]]:
        """The keys of the configuration that the files decide; and what is wrong, as far as names and tables tell."""

    def images_settings(self, data: Prepare, split: str) -> dict[str, Any]:
        """The settings of `prepare` for one split, which name no other split."""

    def masks_settings(self, data: Prepare, split: str) -> dict[str, Any]:
        """The settings of `prepare_masks` for one split."""

    def list_of(self, data: Prepare, split: str) -> str | None:
        """The list of the split's images, below the root; None if there is none."""

    def table_of(self, root: Path, data: Prepare, split: str) -> str | None:
        """The table of tags, as the working directory sees it; None if there is none."""


def name_of(data: Prepare) -> str:
    """The layout of a configured data set."""
    return VOC if data.images is None else FOLDER


def of(data: Prepare) -> Layout:
    """The layout of a configured data set."""
    return cast(Layout, importlib.import_module(f"{__name__}.{name_of(data)}"))
