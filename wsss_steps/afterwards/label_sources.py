"""Folders of label maps of a run, with the photographs that they label."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wsss_steps.data.manifest import Entry
from wsss_steps.data.originals import as_original, read_originals
from wsss_steps.errors import UserError, all_wrong
from wsss_steps.formats.labels import read_labels
from wsss_steps.report.artifacts.identify import label_maps_below
from wsss_steps.report.artifacts.surroundings import MANIFESTS, around

TRAIN = "train"


@dataclass(frozen=True)
class Labelled:
    """A photograph with its label map: `id`, absolute paths of both, height and width of the upright photograph, px."""

    id: str
    image: Path
    maps: Path
    height: int
    width: int

    def labels(self) -> NDArray[np.uint8]:
        """The label map (H, W): 0 background, 1..C, 255 unlabelled; a UserError if it has another size."""
        found = read_labels(self.maps)
        if found.shape != (self.height, self.width):
            expected = f"expected the size of its photograph, {self.height} x {self.width} px (height x width)"
            raise UserError(f"{self.maps}: {expected}, found {found.shape[0]} x {found.shape[1]}")
        return found


@dataclass(frozen=True)
class Split:
    """The label maps of one split: a `folder`, and its photographs in the order of their ids."""

    name: str
    folder: Path
    classes: tuple[str, ...]
    labelled: tuple[Labelled, ...]


def read(folders: Sequence[Path]) -> list[Split]:
    """The split of each folder of label maps of a run: of `segmentation_crf/val` val, of `pseudo_labels` train.

    A UserError lists what is no such folder, label maps of no image and missing photographs; of two folders with one
    split, or with other classes.
    """
    splits, problems = [], list[str]()
    for folder in folders:
        splits.append(_split(folder, problems))
    all_wrong("label maps to export", problems)
    names = [split.name for split in splits]
    if len(set(names)) < len(names):
        raise UserError(f"expected one folder for each split, found the splits {', '.join(names)}")
    if len({split.classes for split in splits}) > 1:
        raise UserError(f"expected label maps of the same classes, found {[list(split.classes) for split in splits]}")
    return splits


def _split(folder: Path, problems: list[str]) -> Split:
    ids = label_maps_below(folder) if folder.is_dir() else []
    of = around(folder)
    if not ids or of.root is None:
        what = "in no results folder" if ids else "none" if folder.is_dir() else "no such folder"
        problems.append(f"{folder}: expected label maps <id>.png of a run, such as .../pseudo_labels, found {what}")
        return Split(str(folder), folder, (), ())
    name = folder.resolve().name if folder.resolve().name in of.manifests else TRAIN
    entries = {entry.id: entry for entry in of.manifests[name].entries}
    originals = read_originals(of.root / MANIFESTS.replace("*", name))
    found = []
    for one in ids:
        entry = as_original(entries[one], originals) if one in entries else None
        image = of.find(entry.image) if entry else None
        if entry is None or image is None:
            reason = f"its photograph {entry.image} is missing" if entry else f"of no image of the split {name}"
            problems.append(f"{folder / one}.png: {reason}")
        else:
            found.append(_labelled(entry, image, folder))
    return Split(name, folder, of.manifests[name].classes, tuple(found))


def _labelled(entry: Entry, image: Path, folder: Path) -> Labelled:
    maps = (folder / f"{entry.id}.png").absolute()
    return Labelled(entry.id, Path(os.path.abspath(image)), maps, entry.height, entry.width)  # noqa: PTH100 (links stay)
