"""Saliency Grafting (Park et al. 2022): some of the salient patches of an image are pasted onto its partner."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F


def kept(
    *,
    maps: Float[Tensor, "B n H W"],
    generator: torch.Generator | None,
    grafting_cells: int,
    grafting_probability: float,
) -> Bool[Tensor, "B H W"]:
    """Patches more salient than the image's mean patch, each with a probability of its own draw.

    The paper's idea, to choose salient regions but by chance, with numbers of ours (we had its abstract only).

    maps: of classes, without background; the saliency of a pixel is their maximum, of a patch its mean.
    grafting_cells: patches per side. grafting_probability: that a salient patch is pasted.
    """
    height, width = maps.shape[-2:]
    saliency = F.adaptive_avg_pool2d(maps.detach().amax(1), grafting_cells)
    drawn = torch.rand(saliency.shape, generator=generator) < grafting_probability
    chosen = (saliency > saliency.mean((1, 2), keepdim=True)) & drawn.to(maps.device)
    rows, columns = (torch.arange(side) * grafting_cells // side for side in (height, width))
    return chosen[:, rows][:, :, columns]
