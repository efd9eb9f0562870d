"""Mean colour of square cells: the simplest feature, for comparison (Kim 2022, dissertation, Fig. 3.10)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from skimage.color import rgb2lab

from wsss_steps.data.images import read_image
from wsss_steps.data.manifest import Entry
from wsss_steps.data.patches import item
from wsss_steps.methods.per_image import Arrays


def maker(*, cell: int) -> Callable[[Entry, Mapping[str, Arrays]], Arrays]:
    """A function from an image to the mean CIELAB colour of each cell of `cell` px, minus the mean over the image.

    The dissertation uses plain RGB. All RGB vectors lie in one octant, where cosines are positive and ignore lightness;
    so here the image's mean colour is subtracted, in a space where distances are perceptual. Cells at the right and
    bottom edge average the pixels that they have.
    """

    def make(entry: Entry, _: Mapping[str, Arrays]) -> Arrays:
        lab = rgb2lab(read_image(Path(entry.image))).astype(np.float32)
        starts = [np.arange(0, side, cell) for side in lab.shape[:2]]
        sums = np.add.reduceat(np.add.reduceat(lab, starts[0], axis=0), starts[1], axis=1)
        heights, widths = (np.diff([*start, side]) for start, side in zip(starts, lab.shape[:2], strict=True))
        means = sums / np.outer(heights, widths)[:, :, None]
        return item(means, np.array([len(start) * cell for start in starts], np.float32), centre=True)

    return make
