"""Fully connected conditional random field with Gaussian edges (Kraehenbuehl and Koltun, 2011), by the library pydensecrf.

Energy: sum_i psi_i(x_i) + sum_{i<j} [x_i != x_j] (w_b exp(-|p_i - p_j|^2 / 2 s_xy^2 - |I_i - I_j|^2 / 2 s_rgb^2) + w_g exp(-|p_i - p_j|^2 / 2 s_g^2)),
with positions p in pixels and colours I in 0..255; a few steps of mean field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped
from numpy.typing import NDArray
from pydensecrf import densecrf

GT_PROB = 0.7
"""Probability that a given label is right, where a preset made for probabilities is used on labels."""

_LEAST = 1e-5  # probabilities are raised to this before their logarithm


@dataclass(frozen=True)
class Gaussian:
    """The term of position alone: its width in px and its weight w_g."""

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
    """One published choice of parameters; `gt_prob` is None where the unary energy is -log p, else p of the label given."""

    iterations: int
    gaussian: Gaussian
    bilateral: Bilateral
    gt_prob: float | None = None


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        # Final output of DeepLab-v2; the dissertation says "default parameters", which is read as these.
        "deeplab": Preset(10, Gaussian(1, 3), Bilateral(67, 3, 4)),
        # Probabilities from class activation maps: AffinityNet and its kin.
        "probability": Preset(10, Gaussian(3, 3), Bilateral(80, 13, 10)),
        # Labels from class activation maps: IRN.
        "label": Preset(10, Gaussian(3, 3), Bilateral(50, 5, 10), gt_prob=0.7),
        # Superpixels as labels, as in the code that goes with the dissertation's chapter 3.
        "superpixel": Preset(20, Gaussian(10, 10), Bilateral(20, 5, 10), gt_prob=0.7),
        # MCTformer, output of its segmentation stage.
        "mctformer": Preset(10, Gaussian(4, 3), Bilateral(83, 5, 3)),
        # SEAM; what it raises the background to the power of (4 or 24) is the caller's business.
        "seam": Preset(10, Gaussian(3, 3), Bilateral(80, 13, 10)),
        # ToCo, output of its segmentation.
        "toco": Preset(10, Gaussian(1, 1), Bilateral(121, 5, 4)),
        # Puzzle-CAM, its final labels.
        "puzzle": Preset(1, Gaussian(3, 3), Bilateral(50, 5, 10), gt_prob=0.7),
    }
)
"""Presets by name; the numbers are those of the authors' public code."""


def probability_unary(probabilities: Shaped[NDArray[Any], "L H W"]) -> Float[NDArray[np.float32], "L H W"]:
    """Energies -log p; p is raised to at least 1e-5. It need not sum to 1: a factor common to a pixel's labels changes nothing."""
    if not np.isfinite(probabilities).all() or probabilities.min() < 0:
        raise ValueError("expected probabilities that are finite and not negative")
    return -np.log(np.maximum(probabilities.astype(np.float32), np.float32(_LEAST)))


def label_unary(labels: Int[NDArray[Any], "H W"], num_labels: int, gt_prob: float) -> Float[NDArray[np.float32], "L H W"]:
    """Energies -log(gt_prob) of the label given and -log((1 - gt_prob) / (n - 1)) of the n - 1 >= 1 others, for labels 0..n-1."""
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
    image: Shaped[NDArray[Any], "..."], energies: Float[NDArray[np.float32], "..."], preset: Preset
) -> Float[NDArray[np.float32], "L H W"]:
    """Marginal probabilities (L, H, W) after mean field, from unary energies (L, H, W).

    `image` (H, W, 3) is the raw RGB image in uint8: the widths of colour are in its levels, so a normalised image is refused. The library
    divides each kernel by the square roots of its sums at both pixels. Raises ValueError if type or sizes do not fit.
    """
    if image.dtype != np.uint8:
        raise ValueError(f"expected the raw image in uint8, 0..255, found {image.dtype}")
    if energies.ndim != 3 or image.shape != (*energies.shape[1:], 3):
        raise ValueError(f"expected energies (L, H, W) and an image (H, W, 3) of equal size, found {energies.shape} and {image.shape}")
    count, height, width = energies.shape
    field = densecrf.DenseCRF2D(width, height, count)
    field.setUnaryEnergy(np.ascontiguousarray(energies.reshape(count, -1), np.float32))
    field.addPairwiseGaussian(sxy=preset.gaussian.sxy, compat=preset.gaussian.compat)
    field.addPairwiseBilateral(
        sxy=preset.bilateral.sxy, srgb=preset.bilateral.srgb, rgbim=np.ascontiguousarray(image), compat=preset.bilateral.compat
    )
    return np.array(field.inference(preset.iterations), np.float32).reshape(count, height, width)


def find(name: str) -> Preset:
    """The preset of a name; a ValueError that lists the presets if there is none."""
    if name not in PRESETS:
        raise ValueError(f"unknown CRF preset '{name}'; known presets: none, {', '.join(PRESETS)}")
    return PRESETS[name]


def refine(image: NDArray[Any], probabilities: Shaped[NDArray[Any], "L H W"], name: str) -> Shaped[NDArray[Any], "L H W"]:
    """Probabilities (L, H, W) made to follow the edges of `image` (H, W, 3) uint8, by the preset `name`; "none" returns them as they are.

    A preset for labels takes the strongest label of each pixel in place of its probabilities. With one label there is nothing to decide.
    """
    if name == "none" or len(probabilities) == 1:
        return probabilities
    preset = find(name)
    if preset.gt_prob is None:
        return dense_crf(image, probability_unary(probabilities), preset)
    return dense_crf(image, label_unary(probabilities.argmax(axis=0), len(probabilities), preset.gt_prob), preset)


def refine_labels(image: NDArray[Any], labels: Int[NDArray[Any], "H W"], num_labels: int, name: str) -> Int[NDArray[Any], "H W"]:
    """Labels 0..num_labels-1 made to follow the edges of `image` (H, W, 3) uint8; "none" returns them as they are. Some may vanish."""
    if name == "none" or num_labels == 1:
        return labels
    preset = find(name)
    marginals = dense_crf(image, label_unary(labels, num_labels, preset.gt_prob or GT_PROB), preset)
    return marginals.argmax(axis=0).astype(labels.dtype)
