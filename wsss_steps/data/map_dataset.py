"""Training images with their class activation maps, for networks that learn from the maps themselves."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wsss_steps.data.datasets import TagDataset
from wsss_steps.data.manifest import Entry
from wsss_steps.errors import UserError, all_wrong
from wsss_steps.formats.kinds.cams import CAMS
from wsss_steps.formats.stores import Store
from wsss_steps.ops.resize import resize_maps

PREFIX = "map of class "  # of the name under which a map follows its image
LEVELS = 255  # maps are stored in steps of 1/255


class MapDataset(TagDataset):
    """Images with tags and class activation maps.

    An item also has maps (C, S, S) float32, 0..1. Those of the tagged classes follow the image, by nearest neighbour;
    those of other classes are 0, and so is what lies outside the image.
    """

    def __init__(
        self, entries: Sequence[Entry], num_classes: int, *, cams: Path, augmentation: Mapping[str, Any], seed: int
    ) -> None:
        super().__init__(entries, num_classes, augmentation=augmentation, seed=seed)
        self.cams, self.num_classes = cams, num_classes
        self._opened: dict[int, Store] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Without open files: each worker opens its own."""
        return {**self.__dict__, "_opened": {}}

    def _read(self, image_id: str) -> dict[str, np.ndarray[Any, Any]]:
        """Maps and classes of an image, from a file that this process opened."""
        if os.getpid() not in self._opened:
            self._opened[os.getpid()] = Store(self.cams, CAMS)
        return self._opened[os.getpid()][image_id]

    def label_maps(self, entry: Entry) -> dict[str, tuple[np.ndarray[Any, Any], int]]:
        """The maps of one image at its size, as they are stored: 8-bit numbers, which follow it like labels."""
        stored = self._read(entry.id)
        maps = np.rint(resize_maps(stored["cam"], (entry.height, entry.width)) * LEVELS).astype(np.uint8)
        return {f"{PREFIX}{number}": (one, 0) for number, one in zip(stored["class"].tolist(), maps, strict=True)}

    def __getitem__(self, place: tuple[int, int]) -> dict[str, Tensor]:
        item = super().__getitem__(place)
        maps = torch.zeros(self.num_classes, *item["inside"].shape)
        for name in [name for name in item if name.startswith(PREFIX)]:
            maps[int(name.removeprefix(PREFIX)) - 1] = item.pop(name) / LEVELS
        return item | {"maps": maps}


def check_maps(entries: Sequence[Entry], cams: Path) -> None:
    """Raise a UserError that lists every image without maps of its tags, or says that no map is above 0 anywhere."""
    problems, found = [], False
    with Store(cams, CAMS) as store:
        for entry in entries:
            if entry.id not in store:
                problems.append(f"{entry.id}: not in {cams}")
                continue
            stored = store[entry.id]
            found = found or bool(stored["cam"].any())
            if tuple(stored["class"].tolist()) != entry.tags:
                problems.append(f"{entry.id}: maps of classes {stored['class'].tolist()}, tags are {list(entry.tags)}")
    all_wrong(f"images of the manifest that do not fit {cams}; make the maps again from this manifest", problems)
    if not found:
        raise UserError(f"{cams}: no map is above 0 anywhere; train the classifier more")
