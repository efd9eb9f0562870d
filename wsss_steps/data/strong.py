"""Training images with seeds, some of which have label images too."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wsss_steps.data.datasets import SeedDataset
from wsss_steps.data.manifest import Entry
from wsss_steps.errors import UserError
from wsss_steps.formats.kinds.strong_masks import STRONG_MASKS
from wsss_steps.formats.stores import Store
from wsss_steps.ops.labels import IGNORE


class StrongDataset(SeedDataset):
    """An item also has strong_masks (S, S) int64: its label image, 0..C and 255; all 255 if it has none."""

    def __init__(self, *args: Any, strong_masks: Path, **options: Any) -> None:
        super().__init__(*args, **options)
        self.strong_masks, self.strong_ids = strong_masks, known_ids(strong_masks, self.entries)

    def label_maps(self, entry: Entry) -> dict[str, tuple[np.ndarray[Any, Any], int]]:
        """Seeds, superpixels and label image of one image."""
        if entry.id in self.strong_ids:
            masks = self._read(self.strong_masks, STRONG_MASKS, entry)
        else:
            masks = np.full((entry.height, entry.width), IGNORE, np.uint8)
        return {**super().label_maps(entry), "strong_masks": (masks, IGNORE)}


def known_ids(path: Path, entries: Sequence[Entry]) -> frozenset[str]:
    """The images that have a label image; a UserError if none of `entries` has."""
    with Store(path, STRONG_MASKS) as store:
        known = frozenset(store.ids()) & {entry.id for entry in entries}
    if not known:
        raise UserError(f"{path}: expected label images of some training images, found none of theirs")
    return known
