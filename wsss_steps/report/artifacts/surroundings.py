"""What a results folder says of an image: its photograph, tags and ground truth, found from any artifact in it."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wsss_steps.data.boxes import Boxes, read_boxes
from wsss_steps.data.images import read_image
from wsss_steps.data.manifest import Entry, GroundTruth, Manifest, read_ground_truth, read_manifest
from wsss_steps.errors import UserError

MANIFESTS = "splits/*/manifest.json"
NEAREST = 5  # similar ids that an error names


class Surroundings:
    """A results folder, read as needed: `of.entry(image_id)`, `of.photograph(entry)`, `of.truth(image_id)`.

    `root` is the folder results/<name>, or None if an artifact lies in none: then nothing is known of its images.
    """

    def __init__(self, root: Path | None) -> None:
        self.root = root

    @functools.cached_property
    def manifests(self) -> dict[str, Manifest]:
        """The manifest of each split."""
        paths = sorted(self.root.glob(MANIFESTS)) if self.root else []
        return {path.parent.name: read_manifest(path) for path in paths}

    @functools.cached_property
    def entries(self) -> dict[str, Entry]:
        """Every image of every split, by id; of an id in several splits, the first."""
        found: dict[str, Entry] = {}
        for name in sorted(self.manifests, key=lambda split: (split != "train", split)):
            for entry in self.manifests[name].entries:
                found.setdefault(entry.id, entry)
        return found

    @functools.cached_property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes 1..C; empty if unknown."""
        return next((manifest.classes for manifest in self.manifests.values()), ())

    @functools.cached_property
    def truths(self) -> list[GroundTruth]:
        """The ground truth of each split that has any."""
        paths = sorted(self.root.glob("splits/*/ground_truth.json")) if self.root else []
        return [read_ground_truth(path) for path in paths]

    @functools.cached_property
    def boxes(self) -> Boxes:
        """The boxes of all objects, by image."""
        paths = sorted(self.root.glob("splits/*/boxes.json")) if self.root else []
        return {name: found for path in paths for name, found in read_boxes(path).items()}

    def photograph(self, image_id: str) -> NDArray[np.uint8] | None:
        """The upright photograph (H, W, 3); None if the image or its file is unknown here."""
        entry = self.entries.get(image_id)
        path = self.find(entry.image) if entry else None
        return read_image(path) if path else None

    def truth(self, image_id: str) -> NDArray[np.uint8] | None:
        """The ground truth (H, W): 0 background, 1..C, 255 void; None if there is none, or its file is not found."""
        for truth in self.truths:
            path = self.find(truth.masks[image_id]) if image_id in truth.masks else None
            if path:
                return GroundTruth({image_id: str(path)}, truth.class_of_value, truth.sha256).labels(image_id)
        return None

    def find(self, name: str) -> Path | None:
        """A file that a manifest names, relative to the current folder or to one above the results; None if none is."""
        bases = [Path(), *(self.root.absolute().parents if self.root else ())]
        return next((base / name for base in bases if (base / name).is_file()), None)


def around(path: Path) -> Surroundings:
    """The results folder that an artifact lies in."""
    place = path.absolute()
    folders = (place, *place.parents)
    return Surroundings(next((folder for folder in folders if any(folder.glob(MANIFESTS))), None))


def with_image(image_id: str, results: Path | None, below: Path = Path("results")) -> Surroundings:
    """The results folder whose manifests list an image: `results`, or the only one of those `below`.

    A UserError if none lists it (with the nearest ids), or more than one.
    """
    if results is not None and not any(results.glob(MANIFESTS)):
        raise UserError(f"{results}: expected a results folder (with {MANIFESTS}), found none{_known(results.parent)}")
    folders = [results] if results is not None else folders_below(below)
    if not folders:
        raise UserError(f"{image_id}: no such file, and no results folder in {below}/ to look for an image of that id")
    found = [one for one in map(Surroundings, folders) if image_id in one.entries]
    if not found:
        raise unknown(image_id, {name for one in map(Surroundings, folders) for name in one.entries}, folders)
    if len(found) > 1:
        places = ", ".join(str(one.root) for one in found)
        raise UserError(f"image '{image_id}' is in {len(found)} results folders: {places}; choose one by --results")
    return found[0]


def folders_below(below: Path) -> list[Path]:
    """The results folders in a folder."""
    return sorted(path.parents[2] for path in below.glob("*/splits/train/manifest.json"))


def _known(folder: Path) -> str:
    found = folders_below(folder)
    return f"; there are {', '.join(map(str, found))}" if found else ""


def unknown(image_id: str, ids: Iterable[str], places: Sequence[Path]) -> UserError:
    """The error for an id that no artifact holds, with the nearest ones."""
    names = sorted(ids)
    near = difflib.get_close_matches(image_id, names, NEAREST, cutoff=0.5) or names[:NEAREST]
    where = ", ".join(map(str, places))
    return UserError(
        f"no image '{image_id}' in {where} ({len(names)} others); nearest ids: {', '.join(near) or 'none'}"
    )
