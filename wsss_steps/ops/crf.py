"""Dense conditional random field with Gaussian edges (Krähenbühl and Koltun, 2011), by the library pydensecrf.

A few steps of mean field on the energy sum_i psi_i(x_i) + sum_{i<j} [x_i != x_j] k(i, j), where
k(i, j) = w_b exp(-|p_i - p_j|^2 / 2 s_xy^2 - |I_i - I_j|^2 / 2 s_rgb^2) + w_g exp(-|p_i - p_j|^2 / 2 s_g^2),
with positions p in pixels and colours I in 0..255.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Integer, Shaped, UInt8
from numpy.typing import NDArray
from pydensecrf import densecrf

GT_PROB = 0.7
"""Probability that a given label is right, where a preset made for probabilities is used on labels."""

_LEAST = 1e-5  # lower bound on probabilities, for their logarithm


@dataclass(frozen=True)
class Gaussian:
    """The term that depends on position only: its width in px and its weight w_g."""

    sxy: float
    compat: float


@dataclass(frozen=True)
class Bilateral:
    """The term of position and colour: its widths in px and in levels of 0..255, and its weight w_b."""

    sxy: float
    srgb: float
    compat: float


@dataclass(frozen=True)
class Preset:
    """One set of parameters.

    `gt_prob` selects the unary energy: None for -log of probabilities, otherwise the probability that a given label is
    right.
    """

    iterations: int
    gaussian: Gaussian
    bilateral: Bilateral
    gt_prob: float | None = None


def preset_of(numbers: Mapping[str, Any] | None) -> Preset | None:
    """The preset with these numbers, named as its fields; None (no CRF) for None."""
    if numbers is None:
        return None
    terms = {"gaussian": Gaussian(**numbers["gaussian"]), "bilateral": Bilateral(**numbers["bilateral"])}
    return Preset(**{**numbers, **terms})


def probability_unary(probabilities: Shaped[NDArray[Any], "L H W"]) -> Float[NDArray[np.float32], "L H W"]:
    """Energies -log p, with p clamped to at least 1e-5.

    p need not sum to 1: a factor common to all labels of a pixel has no effect. Raises ValueError if p is negative or
    not finite.
    """
    if not np.isfinite(probabilities).all() or probabilities.min() < 0:
        raise ValueError("expected probabilities that are finite and not negative")
    return -np.log(np.maximum(probabilities.astype(np.float32), np.float32(_LEAST)))


def label_unary(
    labels: Integer[NDArray[Any], "H W"], num_labels: int, gt_prob: float
) -> Float[NDArray[np.float32], "L H W"]:
    """Energies of labels 0..n-1: -log(gt_prob) for the given one, -log((1 - gt_prob) / (n - 1)) for each other one.

    Raises ValueError for n < 2, for a label out of range and for gt_prob outside (0, 1).
    """
    if num_labels < 2:
        raise ValueError(f"expected at least 2 labels, found {num_labels}")
    if not 0 < gt_prob < 1:
        raise ValueError(f"expected gt_prob between 0 and 1, found {gt_prob}")
    if labels.min() < 0 or labels.max() >= num_labels:
        raise ValueError(f"expected labels in 0..{num_labels - 1}, found {labels.min()}..{labels.max()}")
    energies = np.full((num_labels, *labels.shape), -np.log((1 - gt_prob) / (num_labels - 1)), np.float32)
    np.put_along_axis(energies, labels[None].astype(np.intp), np.float32(-np.log(gt_prob)), axis=0)
    return energies


def dense_crf(
    image: Shaped[NDArray[Any], ...], energies: Float[NDArray[np.float32], ...], preset: Preset
) -> Float[NDArray[np.float32], "L H W"]:
    """Marginal probabilities (L, H, W) after mean field, from unary energies (L, H, W).

    `image` (H, W, 3) is the raw RGB image in uint8, since colour widths are in levels of 0..255. The library divides
    each kernel by the square roots of its sums at both pixels. Raises ValueError for another type or unequal sizes.
    """
    if image.dtype != np.uint8:
        raise ValueError(f"expected the raw image in uint8, 0..255, found {image.dtype}")
    if energies.ndim != 3 or image.shape != (*energies.shape[1:], 3):
        found = f"{energies.shape} and {image.shape}"
        raise ValueError(f"expected energies (L, H, W) and an image (H, W, 3) of equal size, found {found}")
    count, height, width = energies.shape
    field = densecrf.DenseCRF2D(width, height, count)
    field.setUnaryEnergy(np.ascontiguousarray(energies.reshape(count, -1), np.float32))
    field.addPairwiseGaussian(sxy=preset.gaussian.sxy, compat=preset.gaussian.compat)
    field.addPairwiseBilateral(
        sxy=preset.bilateral.sxy,
        srgb=preset.bilateral.srgb,
        rgbim=np.ascontiguousarray(image),
        compat=preset.bilateral.compat,
    )
    return np.array(field.inference(preset.iterations), np.float32).reshape(count, height, width)


def refine(
    image: NDArray[Any], probabilities: Shaped[NDArray[Any], "L H W"], preset: Preset | None
) -> Shaped[NDArray[Any], "L H W"]:
    """Make probabilities (L, H, W) follow the edges of `image` (H, W, 3) uint8.

    A preset for labels uses the strongest label of each pixel instead of its probabilities. Without a preset, or with
    only one label, the probabilities are returned unchanged.
    """
    if preset is None or len(probabilities) == 1:
        return probabilities
    if preset.gt_prob is None:
        return dense_crf(image, probability_unary(probabilities), preset)
    return dense_crf(image, label_unary(probabilities.argmax(axis=0), len(probabilities), preset.gt_prob), preset)


def strongest(
    image: NDArray[Any], probabilities: Shaped[NDArray[Any], "L H W"], preset: Preset | None
) -> UInt8[NDArray[np.uint8], "H W"]:
    """The label 0..L-1 of each pixel that is strongest after `refine`."""
    found: NDArray[np.uint8] = refine(image, probabilities, preset).argmax(axis=0).astype(np.uint8)
    return found


def refine_labels(
    image: NDArray[Any], labels: Integer[NDArray[Any], "H W"], num_labels: int, preset: Preset | None
) -> Integer[NDArray[Any], "H W"]:
    """Make labels 0..num_labels-1 follow the edges of `image` (H, W, 3) uint8; some may vanish.

    Without a preset, or with only one label, the labels are returned unchanged.
    """
    if preset is None or num_labels == 1:
        return labels
    marginals = dense_crf(image, label_unary(labels, num_labels, preset.gt_prob or GT_PROB), preset)
    refined: NDArray[Any] = marginals.argmax(axis=0).astype(labels.dtype)
    return refined
