"""CutMix (Yun et al. 2019): a rectangle of the partner is pasted into an image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from wsss_steps.ops.boxes import boxes


def kept(
    *, images: Float[Tensor, "B 3 H W"], generator: torch.Generator | None, cutmix_alpha: float
) -> Bool[Tensor, "B H W"]:
    """All but a box of the shape of the image and the share 1 - lambda of its area, cut off at the frame (eq. 2).

    cutmix_alpha: lambda, drawn for each image, follows Beta(alpha, alpha).
    """
    return ~boxes(sides(len(images), images.shape[-2:], cutmix_alpha, generator), images, generator)


def sides(count: int, size: Sequence[int], alpha: float, generator: torch.Generator | None) -> Float[Tensor, "count 2"]:
    """Heights and widths of random boxes, before they are cut off: those of the image times sqrt(1 - lambda)."""
    seed = int(torch.randint(2**62, (1,), generator=generator))  # torch's Beta takes no generator
    shares = np.random.default_rng(seed).beta(alpha, alpha, count)
    return torch.from_numpy(np.sqrt(1 - shares))[:, None] * torch.tensor(size)
