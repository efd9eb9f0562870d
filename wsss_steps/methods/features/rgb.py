"""Mean colour of square cells: the simplest feature, for comparison (Kim 2022, dissertation, Fig. 3.10)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.color import rgb2lab

from wsss_steps.data.patches import item


def extractor(
    weights: Path | None, device: str, *, cell: int
) -> Callable[[NDArray[np.uint8]], dict[str, NDArray[Any]]]:
    """A function from an image to the mean CIELAB colour of each cell of `cell` px, minus the mean over the image.

    The dissertation uses plain RGB. All RGB vectors lie in one octant, where cosines are positive and ignore lightness;
    so here the image's mean colour is subtracted, in a space where distances are perceptual. Cells at the right and
    bottom edge average the pixels that they have.
    """

    def extract(image: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
        lab = rgb2lab(image).astype(np.float32)
        starts = [np.arange(0, side, cell) for side in lab.shape[:2]]
        sums = np.add.reduceat(np.add.reduceat(lab, starts[0], axis=0), starts[1], axis=1)
        heights, widths = (np.diff([*start, side]) for start, side in zip(starts, lab.shape[:2], strict=True))
        means = sums / np.outer(heights, widths)[:, :, None]
        return item(means, np.array([len(start) * cell for start in starts], np.float32), centre=True)

    return extract
