"""The mean of every map over each superpixel."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from wsss_steps.data.images import resize_nearest
from wsss_steps.data.manifest import Entry
from wsss_steps.methods.per_image import Arrays
from wsss_steps.methods.refiner._shared import Make
from wsss_steps.ops.superpixel_means import mean_by_superpixel


def maker() -> Make:
    """Means on the grid of the maps, to which the superpixels are brought by nearest neighbour."""

    def make(_: Entry, given: Mapping[str, Arrays]) -> Float32[ndarray, "n h w"]:
        maps = given["cams"]["cam"]
        ids = resize_nearest(given["superpixels"]["superpixels"], (maps.shape[-2], maps.shape[-1]))
        return mean_by_superpixel(maps, ids.astype(np.int64))

    return make
