"""Saliency maps corrected by class activation maps (Kim 2022, dissertation, section 2.3.2).

Refined maps hold 0 background, 1 object, 255 unlabelled.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float, UInt8
from numpy.typing import NDArray

from wsss_steps.ops.labels import IGNORE

ROUNDING = 1e-6  # in single precision 204/255 exceeds 0.8, which it equals


def binarise(saliency: Float[np.ndarray, "H W"], threshold: int) -> UInt8[np.ndarray, "H W"]:
    """O_u: 1 where the map, 0..1 in steps of 1/255, lies above `threshold`/255, else 0."""
    salient: NDArray[np.uint8] = (np.rint(saliency * 255) > threshold).astype(np.uint8)
    return salient


def object_map(maps: Float[np.ndarray, "n H W"]) -> Float[np.ndarray, "H W"]:
    """B_u = max_c (M_uc / max_u M_uc) over the present classes, in [0, 1] (eq. 2.5).

    A class whose maximum is 0 contributes 0; without classes B is 0.
    """
    if not len(maps):
        return np.zeros(maps.shape[1:], maps.dtype)
    peaks = maps.max(axis=(1, 2), keepdims=True)
    strongest: NDArray[np.floating] = (maps / np.where(peaks > 0, peaks, 1)).max(0)
    return strongest.astype(maps.dtype)


def refine(
    objects: Float[np.ndarray, "H W"],
    salient: UInt8[np.ndarray, "H W"],
    *,
    tau_1: float,
    tau_2: float,
    uncertain: Literal["unlabelled", "background"],
) -> UInt8[np.ndarray, "H W"]:
    """R_u (eq. 2.6): object where B > tau_1 and O = 0, uncertain where B < tau_2 and O = 1, else O; both strict.

    Args:
        objects: B, 0..1.
        salient: O, 0 or 1.
        tau_1: score above which a pixel that the saliency map missed is an object.
        tau_2: score below which an object pixel of the saliency map is uncertain.
        uncertain: what uncertain pixels become: 255, or 0 as in the second row of Table 2.5, where it does harm.
    """
    refined = salient.copy()
    refined[(salient == 0) & (objects > tau_1 + ROUNDING)] = 1
    refined[(salient == 1) & (objects < tau_2 - ROUNDING)] = IGNORE if uncertain == "unlabelled" else 0
    return refined
