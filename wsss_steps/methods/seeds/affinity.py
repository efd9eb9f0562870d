"""Seeds that affinities are learnt from: sure of a class, or sure of the background (Ahn and Kwak 2018)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float, Integer, UInt8

from wsss_steps.ops import crf as dense
from wsss_steps.ops.labels import IGNORE


def seeds(
    maps: Float[np.ndarray, "n H W"],
    classes: Integer[np.ndarray, " n"],
    *,
    image: UInt8[np.ndarray, "H W 3"],
    alpha_low: float,
    alpha_high: float,
    crf: Mapping[str, Any] | None,
) -> UInt8[np.ndarray, "H W"]:
    """Label map of one image: background where even the faintest background wins, a class where it beats a strong one.

    The background plane is (1 - max_c M_c)^alpha: a large alpha makes it faint. Each version goes through a dense CRF
    with the maps; without a map all is background.
    """
    if not len(classes):
        return np.zeros(maps.shape[1:], np.uint8)
    preset = dense.preset_of(crf)
    names = np.array([IGNORE, *classes], np.uint8)

    def winners(alpha: float) -> np.ndarray:
        background = (1 - maps.max(axis=0, keepdims=True)) ** alpha
        found: np.ndarray = dense.refine(image, np.concatenate([background, maps]), preset).argmax(axis=0)
        return found

    return np.where(winners(alpha_high) == 0, np.uint8(0), names[winners(alpha_low)])
