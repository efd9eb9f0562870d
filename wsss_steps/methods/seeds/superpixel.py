"""Seeds from a threshold and the least activated superpixel (Kim 2022, dissertation, section 3.3.2)."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float, Integer, UInt8

from wsss_steps.ops.seeds import superpixel_seeds


def seeds(
    maps: Float[np.ndarray, "n H W"],
    classes: Integer[np.ndarray, " n"],
    *,
    superpixels: Integer[np.ndarray, "H W"],
    alpha: float,
    bg_conflict: Literal["override", "keep_fg"],
) -> UInt8[np.ndarray, "H W"]:
    """Label map of one image."""
    return superpixel_seeds(maps, classes, superpixels, alpha, bg_conflict)
