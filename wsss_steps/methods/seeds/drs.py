"""Seeds from maps for the objects and a saliency map for the background (Kim, Han and Kim 2021, DRS)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Integer, UInt8

from wsss_steps.ops.saliency_refinement import binarise as binarised
from wsss_steps.ops.salient_labels import salient_labels


def seeds(
    maps: Float[np.ndarray, "n H W"],
    classes: Integer[np.ndarray, " n"],
    *,
    saliency: Float[np.ndarray, "H W"],
    binarise: int,
    alpha: float,
    conflict: float,
    rivals: int,
) -> UInt8[np.ndarray, "H W"]:
    """Label map of one image."""
    salient = binarised(saliency, binarise)
    return salient_labels(maps, classes, salient, alpha=alpha, conflict=conflict, rivals=rivals)
