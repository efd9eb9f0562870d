"""Seeds from one dense CRF of the maps and a background: every pixel has a label (Wang et al. 2020, SEAM)."""

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
    background_power: float,
    sure: float,
    crf: Mapping[str, Any] | None,
) -> UInt8[np.ndarray, "H W"]:
    """Label map of one image: the most probable of the background (1 - max_c M_c)^background_power and the classes.

    A pixel whose label has at most the probability `sure` stays unlabelled. Without a map all is background.
    """
    background = (1 - maps.max(axis=0, keepdims=True, initial=0)) ** background_power
    found = dense.refine(image, np.concatenate([background, maps]), dense.preset_of(crf))
    label = np.array([0, *classes], np.uint8)[found.argmax(axis=0)]
    return np.where(found.max(axis=0) > sure * found.sum(axis=0), label, np.uint8(IGNORE))
