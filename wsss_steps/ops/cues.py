"""Cues of localisation: classes where maps are high, background where nothing is salient (DSRG, FickleNet)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Integer, UInt8

from wsss_steps.ops.labels import IGNORE
from wsss_steps.ops.seeds import strongest_class


def cues(
    maps: Float[np.ndarray, "n H W"],
    classes: Integer[np.ndarray, " n"],
    saliency: Float[np.ndarray, "H W"],
    *,
    theta: float,
    background: float,
) -> UInt8[np.ndarray, "H W"]:
    """Label map: the strongest class that exceeds theta; else 0 where the saliency is below `background`; else 255.

    Both comparisons are strict.

    Args:
        maps: one map per present class, 0..1.
        classes: their ids, 1..C, ascending.
        saliency: 0..1.
        theta: threshold of the maps.
        background: threshold of the saliency.

    Returns:
        The label of every pixel. An image without classes is background everywhere.
    """
    strength, label = strongest_class(maps, classes)
    if not len(classes):
        return label
    elsewhere = np.where(saliency < background, np.uint8(0), np.uint8(IGNORE))
    return np.where(strength > theta, label, elsewhere)
