"""The manifest of a data set (ids, images, tags) and, in a separate file, the paths of the ground truth.

Only evaluation, the gallery and `ground_truth_saliency` (for an upper bound) read the ground truth, as the rule graph
shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wsss_steps.errors import UserError
from wsss_steps.formats.files import VERSION, read_json, write_json
from wsss_steps.formats.labels import read_labels
from wsss_steps.provenance.digests import file_digest


@dataclass(frozen=True)
class Entry:
    """One image: `tags` are the present classes, ascending, 1..C; `height` and `width` of the upright image, px.

    `sha256` is of the file's bytes, so that an image changed in place changes the manifest; empty if unknown.
    """

    id: str
    split: str
    image: str
    height: int
    width: int
    tags: tuple[int, ...]
    sha256: str = ""


@dataclass(frozen=True)
class Manifest:
    """All images of a data set, or of one shard of it; `classes` are the names of the classes 1..C.

    `shard` is the name of the shard, such as 003-of-008, empty for the whole data set.
    """

    dataset: str
    classes: tuple[str, ...]
    entries: tuple[Entry, ...]
    shard: str = ""

    def split(self, name: str) -> list[Entry]:
        """Entries of one split, in the order of its list file.

        A UserError if there are none; a shard may have none.
        """
        entries = [entry for entry in self.entries if entry.split == name]
        if not entries and not self.shard:
            known = ", ".join(sorted({entry.split for entry in self.entries}))
            raise UserError(
                f"manifest of '{self.dataset}': no images of split '{name}'; known splits: {known or 'none'}"
            )
        return entries


@dataclass(frozen=True)
class GroundTruth:
    """Label images by image id, and how their values map to the classes of the manifest.

    `class_of_value` has 256 numbers: the class 0..C of each value in a label image, 255 for void, -1 for a value that
    must not occur. `sha256` is of the bytes of each label image when it was checked; empty if unknown.
    """

    masks: dict[str, str]
    class_of_value: tuple[int, ...]
    sha256: dict[str, str] = field(default_factory=dict)

    def labels(self, image_id: str) -> NDArray[np.uint8]:
        """The ground truth (H, W) of one image: 0 background, 1..C, 255 void.

        A UserError if there is none, or if the label image has changed since it was checked.
        """
        if image_id not in self.masks:
            raise UserError(f"no ground truth for image '{image_id}' ({len(self.masks)} other images have one)")
        path = Path(self.masks[image_id])
        values = read_labels(path)
        if image_id in self.sha256 and file_digest(path) != self.sha256[image_id]:
            raise UserError(f"{path}: has changed since it was checked; run Snakemake again")
        mapped = np.array(self.class_of_value, np.int16)[values]
        if (mapped < 0).any():
            bad = sorted({int(value) for value in values[mapped < 0]})
            raise UserError(f"{self.masks[image_id]}: values {bad} are no class of the data set")
        return mapped.astype(np.uint8)


def tag_matrix(entries: Sequence[Entry], num_classes: int) -> NDArray[np.float32]:
    """Image-level labels (N, C) in {0, 1}; column c - 1 is class c."""
    matrix = np.zeros((len(entries), num_classes), np.float32)
    for row, entry in enumerate(entries):
        matrix[row, [tag - 1 for tag in entry.tags]] = 1.0
    return matrix


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write a manifest as JSON."""
    content = {
        "dataset": manifest.dataset,
        "classes": list(manifest.classes),
        "images": [asdict(entry) for entry in manifest.entries],
    }
    if manifest.shard:
        content = {"shard": manifest.shard, **content}
    write_json(path, {"format": "wsss/manifest", "version": VERSION, **content})


def read_manifest(path: Path) -> Manifest:
    """Read a manifest written by `write_manifest`."""
    content = read_json(path, "manifest")
    entries = tuple(Entry(**{**row, "tags": tuple(row["tags"])}) for row in content["images"])
    return Manifest(content["dataset"], tuple(content["classes"]), entries, content.get("shard", ""))


def write_ground_truth(path: Path, truth: GroundTruth) -> None:
    """Write the paths of the label images as JSON."""
    content = {"class_of_value": list(truth.class_of_value), "masks": truth.masks, "sha256": truth.sha256}
    write_json(path, {"format": "wsss/ground_truth", "version": VERSION, **content})


def read_ground_truth(path: Path) -> GroundTruth:
    """Read what `write_ground_truth` wrote."""
    content = read_json(path, "ground_truth")
    return GroundTruth(content["masks"], tuple(content["class_of_value"]), content.get("sha256", {}))
