"""Stand-in for saliency from the image alone, by no network: what is vivid and not far from the middle."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wsss_steps.data.images import read_image
from wsss_steps.data.manifest import Entry
from wsss_steps.methods.per_image import Arrays


def maker(
    entries: Sequence[Entry], *, reach: float
) -> tuple[list[str], Callable[[Entry, Mapping[str, Arrays]], NDArray[np.float32]]]:
    """How far a pixel is from grey, times a bump in the middle; no image is left out."""

    def make(entry: Entry, _: Mapping[str, Arrays]) -> NDArray[np.float32]:
        pixels = read_image(Path(entry.image)).astype(np.float32)
        rows, columns = (np.linspace(-1, 1, side, dtype=np.float32) for side in pixels.shape[:2])
        near = np.exp(-(rows[:, None] ** 2 + columns**2) / reach**2)
        found: NDArray[np.float32] = near * (pixels.max(2) - pixels.min(2)) / 255
        return found

    return [], make
