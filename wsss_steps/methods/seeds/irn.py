"""Seeds that boundaries are learnt from: labels of two thresholds, each smoothed by a dense CRF (Ahn et al. 2019)."""

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
    foreground: float,
    background: float,
    crf: Mapping[str, Any] | None,
) -> UInt8[np.ndarray, "H W"]:
    """Label map of one image: a class where it is found above `foreground`, 0 where none is above `background`.

    A pixel of which only the lower threshold says that it is of a class has no label. The labels of either threshold
    go through a dense CRF, which may move them; without a map all is background.
    """
    preset = dense.preset_of(crf)
    names = np.array([0, *classes], np.uint8)

    def found(threshold: float) -> UInt8[np.ndarray, "H W"]:
        plane = np.full((1, *maps.shape[1:]), threshold, np.float32)
        labels = np.concatenate([plane, maps]).argmax(axis=0)
        smooth: UInt8[np.ndarray, "H W"] = names[dense.refine_labels(image, labels, len(names), preset)]
        return smooth

    return agreed(found(foreground), found(background))


def agreed(sure: UInt8[np.ndarray, "*place"], broad: UInt8[np.ndarray, "*place"]) -> UInt8[np.ndarray, "*place"]:
    """Labels of the higher threshold; where these are 0 and those of the lower one are not, no label."""
    return np.where((sure == 0) & (broad != 0), np.uint8(IGNORE), sure)
