"""Stand-in for a maker of maps without a classifier and without scales, as CLIP-ES: patches against a class's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from wsss_steps.data.images import read_image
from wsss_steps.data.manifest import Entry
from wsss_steps.methods.per_image import Arrays

EMBEDDINGS = {"red": (2, -1, -1), "green": (-1, 2, -1), "blue": (-1, -1, 2)}
"""In place of a text encoder; names that it does not know are like nothing."""


def maker(
    *, classes: Sequence[str], patch: int, sharpness: float
) -> Callable[[Entry, Mapping[str, Arrays]], Float32[ndarray, "n _ _"]]:
    """The likeness of every patch to the name of each tagged class."""

    def make(entry: Entry, _: Mapping[str, Arrays]) -> Float32[ndarray, "n _ _"]:
        patches = read_image(Path(entry.image)).astype(np.float32)
        rows, columns = (np.arange(0, side, patch) for side in patches.shape[:2])
        sums = np.add.reduceat(np.add.reduceat(patches, rows, axis=0), columns, axis=1) / patch**2
        maps = np.zeros((len(entry.tags), entry.height, entry.width), np.float32)
        for number, tag in enumerate(entry.tags):
            likeness = np.maximum(0, sums @ np.array(EMBEDDINGS.get(classes[tag - 1], (0, 0, 0)), np.float32))
            sharp = (likeness / max(1e-6, likeness.max())) ** sharpness
            enlarged = sharp.repeat(patch, axis=0).repeat(patch, axis=1)
            maps[number] = enlarged[: entry.height, : entry.width]
        return maps

    return make
