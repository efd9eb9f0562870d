"""Means over superpixels."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Int64
from numpy import ndarray


def mean_by_superpixel(maps: Float32[ndarray, "n H W"], ids: Int64[ndarray, "H W"]) -> Float32[ndarray, "n H W"]:
    """Maps in which every pixel has the mean of its superpixel; ids are not negative, and need not be without gaps."""
    counts = np.bincount(ids.ravel())
    sums = (np.bincount(ids.ravel(), weights=plane.ravel()) for plane in maps.astype(np.float64))
    means = [(total / np.maximum(counts, 1))[ids] for total in sums]
    return np.stack(means).astype(np.float32) if means else maps.copy()
