"""Pseudo-labels of localisation maps for the objects and a saliency map for the background (Kim et al. 2021, DRS)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Integer, UInt8
from numpy.typing import NDArray

from wsss_steps.ops.labels import IGNORE


def salient_labels(
    maps: Float[np.ndarray, "n H W"],
    classes: Integer[np.ndarray, " n"],
    salient: UInt8[np.ndarray, "H W"],
    *,
    alpha: float,
    conflict: float,
    rivals: int,
) -> UInt8[np.ndarray, "H W"]:
    """The largest of the background, 1 where nothing is salient, and the maps; 255 where these do not agree.

    As general knowledge of the authors' program has it, not the paper.

    Args:
        maps: one map per present class, 0..1.
        classes: their ids, 1..C, ascending.
        salient: 0 or 1.
        alpha: a map below it is taken for 0.
        conflict: a pixel has no label where more than `rivals` of the background and the maps exceed it.
        rivals: how many may.

    Returns:
        The label of every pixel; of equal ones the first, and background before the classes. What is salient and of no
        class has no label either.
    """
    sure = np.where(maps < alpha, 0, maps)
    background = (1 - salient[None]).astype(sure.dtype)
    channels = np.concatenate([background, sure])
    labels: NDArray[np.uint8] = np.array([0, *classes], np.uint8)[channels.argmax(axis=0)]
    labels[(channels > conflict).sum(axis=0) > rivals] = IGNORE
    labels[(salient == 1) & (labels == 0)] = IGNORE
    return labels
