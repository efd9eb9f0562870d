"""Partial label maps ("seeds") from class activation maps: 0 background, 1..C classes, 255 unlabelled."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float, Integer, UInt8
from numpy.typing import NDArray

from wsss_steps.ops.labels import IGNORE


def strongest_class(
    maps: Float[np.ndarray, "n H W"], classes: Integer[np.ndarray, " n"]
) -> tuple[Float[np.ndarray, "H W"], UInt8[np.ndarray, "H W"]]:
    """Value and id of the strongest class of every pixel.

    Args:
        maps: one map per present class, each divided by its maximum: 0..1.
        classes: their ids, 1..C, ascending.

    Returns:
        The foreground map F = max over classes, and the id of that class; ties go to the first class. Without classes
        both are 0.
    """
    if not len(classes):
        return np.zeros(maps.shape[1:], maps.dtype), np.zeros(maps.shape[1:], np.uint8)
    return maps.max(0), classes.astype(np.uint8)[maps.argmax(0)]


def threshold_seeds(
    maps: Float[np.ndarray, "n H W"], classes: Integer[np.ndarray, " n"], foreground: float, background: float
) -> UInt8[np.ndarray, "H W"]:
    """Seeds from two thresholds (Kim 2022, dissertation, eqs. 1.12 and 1.13); both comparisons are strict.

    Args:
        maps: one map per present class, each divided by its maximum: 0..1.
        classes: their ids, 1..C, ascending.
        foreground: tau_2; a pixel above it takes its strongest class.
        background: tau_3 <= tau_2; a pixel where all maps lie below it is background.

    Returns:
        The label of every pixel. An image without classes is background everywhere.
    """
    if background > foreground:
        raise ValueError(f"background threshold {background} must not exceed foreground threshold {foreground}")
    strength, label = strongest_class(maps, classes)
    if not len(classes):
        return label
    labels = np.full(strength.shape, IGNORE, np.uint8)
    labels[strength < background] = 0
    chosen = strength > foreground
    labels[chosen] = label[chosen]
    return labels


def saliency_seeds(
    maps: Float[np.ndarray, "n H W"], classes: Integer[np.ndarray, " n"], refined: UInt8[np.ndarray, "H W"]
) -> UInt8[np.ndarray, "H W"]:
    """Seeds from a refined saliency map: the strongest class where it is 1, object (section 2.3.2).

    Args:
        maps: one map per present class, each divided by its maximum: 0..1.
        classes: their ids, 1..C, ascending.
        refined: 0 background, 1 object, 255 unlabelled.

    Returns:
        The label of every pixel. In an image without classes, objects become background.
    """
    _, label = strongest_class(maps, classes)
    return np.where(refined == 1, label, refined).astype(np.uint8)


def least_activated(strength: Float[np.ndarray, "H W"], superpixels: Integer[np.ndarray, "H W"]) -> int:
    """The superpixel with the smallest mean foreground activation (eq. 3.5); ties go to the lowest id."""
    ids = superpixels.ravel()
    counts = np.bincount(ids)
    means = np.full(len(counts), np.inf)
    exists = counts > 0
    means[exists] = np.bincount(ids, strength.ravel().astype(np.float64))[exists] / counts[exists]
    return int(means.argmin())


def superpixel_seeds(
    maps: Float[np.ndarray, "n H W"],
    classes: Integer[np.ndarray, " n"],
    superpixels: Integer[np.ndarray, "H W"],
    alpha: float,
    bg_conflict: Literal["override", "keep_fg"],
) -> UInt8[np.ndarray, "H W"]:
    """Seeds from one threshold and the least activated superpixel (eqs. 3.4 and 3.5).

    Args:
        maps: one map per present class, each divided by its maximum: 0..1.
        classes: their ids, 1..C, ascending.
        superpixels: id of every pixel.
        alpha: a pixel strictly above it takes its strongest class.
        bg_conflict: `override`: every pixel of that superpixel becomes background, as in (3.5); `keep_fg`: only those
            that (3.4) left unlabelled.

    Returns:
        The label of every pixel. An image without classes is background everywhere. If the whole image is one
        superpixel, class seeds are always kept, since overriding them would leave no class (our addition).
    """
    strength, label = strongest_class(maps, classes)
    if not len(classes):
        return label
    labels: NDArray[np.uint8] = np.where(strength > alpha, label, IGNORE).astype(np.uint8)
    background = superpixels == least_activated(strength, superpixels)
    if bg_conflict == "keep_fg" or background.all():
        background &= labels == IGNORE
    labels[background] = 0
    return labels
