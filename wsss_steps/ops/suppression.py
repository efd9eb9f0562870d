"""Suppression of discriminative regions in a feature map (Kim, Han and Kim 2021, DRS)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

Share = Float[Tensor, "B K"] | float


def suppress(features: Float[Tensor, "B K h w"], share: Share | Callable[[Tensor], Share]) -> Float[Tensor, "B K h w"]:
    """min(x, g x_max) of x = ReLU(features), where x_max = max_u x(u) is the maximum of each channel of each image.

    Args:
        features: before the ReLU.
        share: g, in [0, 1], of every channel, or one for all; or a function that finds it from x. 1 leaves the ReLU as
            it is.

    Returns:
        Maps in [0, g x_max]. What is suppressed hands its gradient to g and to the maximum.
    """
    positive = features.relu()
    most = share(positive) if callable(share) else share
    peak = positive.amax(dim=(2, 3), keepdim=True)
    bound = (peak * (most[:, :, None, None] if isinstance(most, Tensor) else most)).to(positive.dtype)
    return torch.where(positive > bound, bound, positive)  # as their minimum, whose gradient takes twice as long
