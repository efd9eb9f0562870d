"""Cutout (DeVries and Taylor 2017): a square of an image is erased, and no partner is needed."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from wsss_steps.ops.boxes import boxes

ERASES = True


def kept(
    *, images: Float[Tensor, "B 3 H W"], generator: torch.Generator | None, cutout_side: float
) -> Bool[Tensor, "B H W"]:
    """All but a square around a random pixel, cut off at the frame.

    cutout_side: its side as a share of the shorter side of the image.
    """
    sides = torch.full((len(images), 2), cutout_side * min(images.shape[-2:]), dtype=torch.float64)
    return ~boxes(sides, images, generator)
