"""Training images as torch data sets.

Items are indexed by (epoch, index), which with the seed decides their random augmentation.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from wsss_steps.data.augment import augment
from wsss_steps.data.images import read_image
from wsss_steps.data.manifest import Entry, tag_matrix
from wsss_steps.errors import UserError, all_wrong
from wsss_steps.formats.kinds import Kind
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.formats.kinds.superpixels import SUPERPIXELS
from wsss_steps.formats.label_maps import LabelMaps
from wsss_steps.ops.labels import IGNORE

NO_SUPERPIXEL = 0  # pixels outside the image


class TagDataset(Dataset[dict[str, Tensor]]):
    """Images with their tags: `dataset[epoch, index]` has what `augment` returns, and tags (C,) in {0, 1}.

    augmentation: the keyword arguments of `augment`. seed: with epoch and index it decides every random draw, so an
    item does not depend on the worker or the order.
    """

    def __init__(
        self, entries: Sequence[Entry], num_classes: int, *, augmentation: Mapping[str, Any], seed: int
    ) -> None:
        self.entries = list(entries)
        self.tags = torch.from_numpy(tag_matrix(self.entries, num_classes))
        self.augmentation, self.seed = dict(augmentation), seed

    def __len__(self) -> int:
        return len(self.entries)

    def label_maps(self, entry: Entry) -> dict[str, tuple[np.ndarray[Any, Any], int]]:
        """Label maps (H, W) that follow the image, each with its value outside the image."""
        return {}

    def __getitem__(self, place: tuple[int, int]) -> dict[str, Tensor]:
        epoch, index = place
        entry = self.entries[index]
        image = read_image(Path(entry.image))
        if image.shape[:2] != (entry.height, entry.width):
            found = f"{image.shape[0]} x {image.shape[1]}"
            raise UserError(f"{entry.image}: expected {entry.height} x {entry.width} px (manifest), found {found}")
        rng = np.random.default_rng([abs(self.seed), epoch, index])
        arrays = augment(rng, image, self.label_maps(entry), **self.augmentation)
        return {"tags": self.tags[index], **{name: torch.from_numpy(array) for name, array in arrays.items()}}


class SeedDataset(TagDataset):
    """Images with tags, seeds and superpixels.

    An item also has seeds (S, S) int64, 255 unlabelled or outside, and superpixels (S, S) int64, 0 outside or if none.
    """

    def __init__(
        self,
        entries: Sequence[Entry],
        num_classes: int,
        *,
        seeds: Path,
        superpixels: Path | None,
        augmentation: Mapping[str, Any],
        seed: int,
    ) -> None:
        super().__init__(entries, num_classes, augmentation=augmentation, seed=seed)
        self.seeds, self.superpixels = seeds, superpixels
        self._opened: dict[tuple[int, str], LabelMaps] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Without open files: each worker opens its own."""
        return {**self.__dict__, "_opened": {}}

    def _read(self, path: Path, kind: Kind, entry: Entry) -> np.ndarray[Any, Any]:
        """One map of a file that this process opened (an open HDF5 file must not be shared with a forked worker)."""
        key = (os.getpid(), kind.name)
        if key not in self._opened:
            self._opened[key] = LabelMaps(path, kind)
        return self._opened[key].read(entry.id, (entry.height, entry.width))

    def label_maps(self, entry: Entry) -> dict[str, tuple[np.ndarray[Any, Any], int]]:
        """Seeds and superpixels of one image."""
        none = np.zeros((entry.height, entry.width), np.uint8)
        superpixels = none if self.superpixels is None else self._read(self.superpixels, SUPERPIXELS, entry)
        return {"seeds": (self._read(self.seeds, SEEDS, entry), IGNORE), "superpixels": (superpixels, NO_SUPERPIXEL)}


def check_seeds(entries: Sequence[Entry], seeds: Path, superpixels: Path | None) -> None:
    """Raise a UserError that lists every image that a store lacks, or says that no image has a seed of a class."""
    problems = []
    for path, kind in ((seeds, SEEDS), (superpixels, SUPERPIXELS)):
        if path is not None:
            with LabelMaps(path, kind) as maps:
                known = set(maps.ids())
            problems += [f"{entry.id}: not in {path}" for entry in entries if entry.id not in known]
    all_wrong("images of the manifest that a store lacks; make the store again from this manifest", problems)
    with LabelMaps(seeds, SEEDS) as maps:
        labels = (maps[entry.id] for entry in entries if entry.tags)
        if not any(((one > 0) & (one < IGNORE)).any() for one in labels):
            advice = "lower the foreground threshold or train the classifier more"
            raise UserError(f"{seeds}: no pixel of any image is the seed of a class; {advice}")
