"""How a data set lies on disk: a module per layout, `layouts/<name>.py`, found by its name; nothing else registers it.

Every layout says which files a split is read from, as planning asks too: so its module is free of torch and NumPy. It
names a `READER`, the module that reads the images, tags and label images of a split. What that reads is the same for
all: a manifest (ids, images, tags, sizes) and a ground truth (label images). No other step knows of layouts. What a
layout makes of a configuration stands in `workflow/layouts`.
"""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from wsss_steps.data.sources import Sources

if TYPE_CHECKING:
    from wsss_steps.data.manifest import GroundTruth, Manifest

VOC, FOLDER = "voc", "folder"


class Layout(Protocol):
    """What a layout has at the level of its module; `root` is the folder of the data set."""

    READER: str
    """The module below the package with the functions of `Reader`."""

    def of_images(self, root: Path, settings: Mapping[str, Any]) -> Sources:
        """The files that `prepare` reads, for its settings."""

    def of_masks(self, root: Path, settings: Mapping[str, Any]) -> Sources:
        """The label images of a split, for the settings of `prepare_masks`."""

    def saliency_maps(self, root: Path, settings: Mapping[str, Any]) -> dict[str, str]:
        """The saliency maps that a table names, by image id, for the settings of `prepare`."""


class Reader(Protocol):
    """What reads a data set of a layout; the keyword arguments are settings of the layout."""

    def read_split(self, root: Path, **settings: Any) -> tuple[Manifest, Counter[str]]:
        """Every image and tag of a split, checked, and notes for the log; a UserError that lists all problems."""

    def read_masks(self, root: Path, manifest: Manifest, **settings: Any) -> tuple[GroundTruth, Counter[str]]:
        """Every label image of a split, checked, and notes; a UserError that lists all problems."""


def find(name: str) -> Layout:
    """The layout of a name."""
    return cast(Layout, importlib.import_module(f"{__name__}.{name}"))


def of_settings(settings: Mapping[str, Any]) -> Layout:
    """The layout of which the settings of a step are; those of VOC's do not say so."""
    return find(settings.get("layout", VOC))


def reader(settings: Mapping[str, Any]) -> Reader:
    """What reads the data set of which the settings of a step are."""
    return cast(Reader, importlib.import_module(f"wsss_steps.{of_settings(settings).READER}"))


def modules(name: str) -> list[str]:
    """The modules below the package that a step loads by name to read a data set, for its digest of code."""
    return [f"data.layouts.{name}", find(name).READER]
