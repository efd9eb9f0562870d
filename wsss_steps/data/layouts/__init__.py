"""How a data set lies on disk: a module per layout, `layouts/<name>.py`, found by its name; nothing else registers it.

Every layout answers the questions of `Layout` for planning, which must be quick and free of torch and NumPy, and names
a `READER`, the module that reads the images, tags and label images of a split (see `Reader`). What it reads is the same
for all: a manifest (ids, images, tags, sizes) and a ground truth (label images). No other step knows of layouts.
"""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from wsss_steps.data.sources import Sources
from wsss_steps.settings.steps import Prepare

if TYPE_CHECKING:
    from wsss_steps.data.manifest import GroundTruth, Manifest

VOC, FOLDER = "voc", "folder"


class Layout(Protocol):
    """What a layout has at the level of its module. `data` is the configuration, `root` the folder of the data set."""

    READER: str
    """The module below the package with the functions of `Reader`."""

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

    def saliency_maps(self, root: Path, settings: Mapping[str, Any]) -> dict[str, str]:
        """The saliency maps that a table names, by image id, for settings of `images_settings`."""

    def of_images(self, root: Path, settings: Mapping[str, Any]) -> Sources:
        """The files that `prepare` reads, for settings of `images_settings`."""

    def of_masks(self, root: Path, settings: Mapping[str, Any]) -> Sources:
        """The label images of a split, for settings of `masks_settings`."""


class Reader(Protocol):
    """What reads a data set of a layout; the keyword arguments are settings of the layout."""

    def read_split(self, root: Path, **settings: Any) -> tuple[Manifest, Counter[str]]:
        """Every image and tag of a split, checked, and notes for the log; a UserError that lists all problems."""

    def read_masks(self, root: Path, manifest: Manifest, **settings: Any) -> tuple[GroundTruth, Counter[str]]:
        """Every label image of a split, checked, and notes; a UserError that lists all problems."""


def name_of(data: Prepare) -> str:
    """The layout of a configured data set."""
    return VOC if data.images is None else FOLDER


def find(name: str) -> Layout:
    """The layout of a name."""
    return cast(Layout, importlib.import_module(f"{__name__}.{name}"))


def of(data: Prepare) -> Layout:
    """The layout of a configured data set."""
    return find(name_of(data))


def of_settings(settings: Mapping[str, Any]) -> Layout:
    """The layout of which the settings of a step are; those of VOC's do not say so."""
    return find(settings.get("layout", VOC))


def reader(settings: Mapping[str, Any]) -> Reader:
    """What reads the data set of which the settings of a step are."""
    return cast(Reader, importlib.import_module(f"wsss_steps.{of_settings(settings).READER}"))


def modules(data: Prepare) -> list[str]:
    """The modules below the package that a step loads by name to read a data set, for its digest of code."""
    return [f"data.layouts.{name_of(data)}", of(data).READER]
