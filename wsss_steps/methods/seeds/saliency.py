"""Seeds from a saliency map corrected by class activation maps (Kim 2022, dissertation, section 2.3.2)."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float, Integer, UInt8

from wsss_steps.ops import saliency_refinement as ops
from wsss_steps.ops.seeds import saliency_seeds


def refined(
    maps: Float[np.ndarray, "n H W"],
    saliency: Float[np.ndarray, "H W"],
    *,
    binarise: int,
    refine: bool,
    tau_1: float,
    tau_2: float,
    uncertain: Literal["unlabelled", "background"],
) -> UInt8[np.ndarray, "H W"]:
    """Refined saliency map of one image (eqs. 2.5 and 2.6): 0 background, 1 object, 255 unlabelled.

    Args:
        maps: one map per present class.
        saliency: 0..1 in steps of 1/255.
        binarise: values above it, of 255, are salient.
        refine: if false, the result is just the binarised saliency map.
        tau_1: score above which a missed pixel becomes object.
        tau_2: score below which an object pixel is uncertain.
        uncertain: what uncertain pixels become.
    """
    salient = ops.binarise(saliency, binarise)
    if not refine:
        return salient
    return ops.refine(ops.object_map(maps), salient, tau_1=tau_1, tau_2=tau_2, uncertain=uncertain)


def seeds(
    maps: Float[np.ndarray, "n H W"],
    classes: Integer[np.ndarray, " n"],
    *,
    refined_saliency: UInt8[np.ndarray, "H W"],
) -> UInt8[np.ndarray, "H W"]:
    """Label map of one image."""
    return saliency_seeds(maps, classes, refined_saliency)
