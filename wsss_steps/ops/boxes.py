"""Random boxes in images."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def boxes(
    sides: Float[Tensor, "B 2"], images: Float[Tensor, "B 3 H W"], generator: torch.Generator | None
) -> Bool[Tensor, "B H W"]:
    """A box in each image, of the given (height, width) in px, rounded down, around a random pixel.

    It is cut off at the frame. An odd side has the pixel in its middle, an even one starts half a side before it.
    """
    size = images.shape[-2:]
    centres = torch.stack([torch.randint(side, (len(images),), generator=generator) for side in size], dim=1)
    spans = sides.long()
    starts = centres - spans // 2
    rows, columns = (
        (torch.arange(side) >= start[:, None]) & (torch.arange(side) < (start + span)[:, None])
        for side, start, span in zip(size, starts.T, spans.T, strict=True)
    )
    found: Tensor = rows[:, :, None] & columns[:, None]
    return found.to(images.device)
