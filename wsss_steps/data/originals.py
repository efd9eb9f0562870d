"""Photographs that are larger than the working size (`max_side`): their files and sizes, and labels at their size.

`prepare` copies them at working size, and every step sees only the copies. The manifest has the originals besides, so
that label maps come back at the size of the photograph and the ground truth may have that size too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray
from numpy.typing import NDArray
from PIL import Image

from wsss_steps.data.images import resize_nearest
from wsss_steps.data.manifest import Entry, GroundTruth, Manifest, write_manifest
from wsss_steps.formats.files import read_json, write_json


@dataclass(frozen=True)
class Original:
    """The user's file of an image that is read as a smaller copy; `height` and `width` when upright, px."""

    image: str
    height: int
    width: int
    sha256: str


Originals = Mapping[str, Original]  # by image id


def write_with_originals(path: Path, manifest: Manifest, originals: Originals) -> None:
    """Write a manifest, and what is left of its images' originals, as JSON: see `read_originals`."""
    write_manifest(path, manifest)
    found = {entry.id: asdict(originals[entry.id]) for entry in manifest.entries if entry.id in originals}
    if found:
        write_json(path, {**read_json(path, "manifest"), "originals": found})


def read_originals(manifest: Path) -> dict[str, Original]:
    """The originals of the images of a manifest, by id, of which a copy is read instead."""
    found: dict[str, dict[str, Any]] = read_json(manifest, "manifest").get("originals", {})
    return {image_id: Original(**one) for image_id, one in found.items()}


def as_original(entry: Entry, originals: Originals) -> Entry:
    """The entry with the user's own file and its size."""
    one = originals.get(entry.id)
    return entry if one is None else replace(entry, **asdict(one))


def of_originals(manifest: Manifest, originals: Originals) -> Manifest:
    """The manifest with the user's own files and their sizes."""
    return replace(manifest, entries=tuple(as_original(entry, originals) for entry in manifest.entries))


def working_size(height: int, width: int, max_side: int | None) -> tuple[int, int]:
    """Height and width of an image whose long side is at most `max_side`, px."""
    scale = 1.0 if max_side is None else min(1.0, max_side / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def resized_labels(labels: UInt8[ndarray, "h w"], size: tuple[int, int]) -> UInt8[ndarray, "H W"]:
    """A label map at `size` (height, width): where each label's area, smoothed between pixels, is the largest.

    So edges of an enlarged map are smooth, without the steps of its pixels. Of equal labels the smaller one wins. It
    takes three bytes per pixel of the result, however many labels there are.
    """
    if labels.shape == tuple(size):
        return labels
    height, width = size
    present = np.unique(labels)
    result = np.full(size, present[0], np.uint8)
    most = np.zeros(size, np.uint8)
    for label in present if len(present) > 1 else ():
        area = Image.fromarray((labels == label).astype(np.uint8) * 255)
        share = np.asarray(area.resize((width, height), Image.Resampling.BILINEAR))
        larger = share > most
        result[larger], most[larger] = label, share[larger]
    return result


def at_original_size(maps: Mapping[str, ndarray], entry: Entry, originals: Originals) -> dict[str, ndarray]:
    """Label maps (H, W) of one image at the size of its original."""
    one = as_original(entry, originals)
    return {name: resized_labels(labels, (one.height, one.width)) for name, labels in maps.items()}


@dataclass(frozen=True)
class WorkingTruth(GroundTruth):
    """Ground truth at the size at which images are read; `sizes` are those (height, width) of images with a copy."""

    sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def labels(self, image_id: str) -> NDArray[np.uint8]:
        """The labels (H, W) of one image, as those of the ground truth; the nearest pixel's, where they are fewer."""
        labels = super().labels(image_id)
        return resize_nearest(labels, self.sizes[image_id]) if image_id in self.sizes else labels


def at_working_size(truth: GroundTruth, entries: Iterable[Entry], originals: Originals) -> GroundTruth:
    """The ground truth for what lies at the size at which images are read."""
    sizes = {entry.id: (entry.height, entry.width) for entry in entries if entry.id in originals}
    return WorkingTruth(truth.masks, truth.class_of_value, truth.sha256, sizes)


def without_copy(entries: Sequence[Entry], originals: Originals) -> dict[str, str]:
    """Checksums of the user's own files, by path."""
    return {one.image: one.sha256 for one in (as_original(entry, originals) for entry in entries)}
