"""Context decoupling augmentation (Su et al. 2021): an object is pasted onto an image that has none of its class."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


def kept(
    *,
    labels: Int[Tensor, "B H W"],
    tags: Float[Tensor, "B C"],
    inside: Bool[Tensor, "B H W"],
    partners: Int[Tensor, " B"],
    cda_area: Sequence[float],
) -> Bool[Tensor, "B H W"]:
    """The pixels of the class of an image with a single tag; any other image is kept whole, so it is not mixed.

    So it is if the partner has that tag, and if the share of these pixels in the image, without padding, is outside the
    range `cda_area`.
    """
    objects = labels == (tags.argmax(1) + 1)[:, None, None]
    share = objects.sum((1, 2)) / inside.sum((1, 2)).clamp(min=1)
    fit = (tags.sum(1) == 1) & (share >= cda_area[0]) & (share <= cda_area[1])
    fit &= (tags * tags[partners.to(tags.device)]).sum(1) == 0
    return torch.where(fit[:, None, None], objects, True)
