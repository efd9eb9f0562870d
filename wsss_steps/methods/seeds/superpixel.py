"""Seeds from a threshold and the least activated superpixel (Kim 2022, dissertation, section 3.3.2)."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float, Integer, UInt8

from wsss_steps.errors import UserError
from wsss_steps.ops.seeds import superpixel_seeds


def seeds(
    maps: Float[np.ndarray, "n H W"],
    classes: Integer[np.ndarray, " n"],
    superpixels: Integer[np.ndarray, "H W"] | None,
    refined_saliency: UInt8[np.ndarray, "H W"] | None,
    *,
    alpha: float,
    bg_conflict: Literal["override", "keep_fg"],
) -> UInt8[np.ndarray, "H W"]:
    """Label map of one image; saliency is not used. A UserError without superpixels."""
    if superpixels is None:
        raise UserError(
            "seeds method 'superpixel' needs superpixels, but the recipe has none: choose superpixels: dino or slic"
        )
    return superpixel_seeds(maps, classes, superpixels, alpha, bg_conflict)
