"""Distance between the maps of an image and those of its tiles."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor


def reconstruction_loss(
    maps: Float[Tensor, "B C h w"],
    merged: Float[Tensor, "B C h w"],
    tags: Float[Tensor, "B C"],
    inside: Bool[Tensor, "B h w"],
) -> Float[Tensor, ""]:
    """L_re = mean of t_c |A^s_c - A^re_c| over all B C h w numbers (Jo and Yu 2021, Puzzle-CAM), of raw maps.

    Maps of classes without a tag count as 0 in the mean, as do cells that are not `inside` the images: there is no
    object in padding. The gradient goes into both maps.
    """
    return ((maps - merged).abs() * tags[:, :, None, None] * inside[:, None]).mean()
