"""Seeds from a foreground and a background threshold on class activation maps (Kim 2022, dissertation, chapter 1)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Integer, UInt8

from wsss_steps.ops.seeds import threshold_seeds


def seeds(
    maps: Float[np.ndarray, "n H W"],
    classes: Integer[np.ndarray, " n"],
    *,
    foreground: float,
    background: float,
) -> UInt8[np.ndarray, "H W"]:
    """Label map of one image."""
    return threshold_seeds(maps, classes, foreground, background)
