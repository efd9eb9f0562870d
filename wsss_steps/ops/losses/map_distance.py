"""Distance of class activation maps to their targets."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor


def map_distance(
    maps: Float[Tensor, "B C h w"],
    targets: Float[Tensor, "B C h w"],
    tags: Float[Tensor, "B C"],
    inside: Bool[Tensor, "B h w"],
) -> Float[Tensor, ""]:
    """L1: mean of |maps - targets| over the maps of tagged classes, at the cells `inside` the images; 0 over none."""
    counted = tags[:, :, None, None] * inside[:, None]
    return ((maps - targets).abs() * counted).sum() / counted.sum().clamp(min=1)
