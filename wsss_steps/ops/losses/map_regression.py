"""Loss of maps that are to be like others (Kim, Han and Kim 2021, DRS: localisation map refinement learning)."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def strongest_alone(maps: Float[Tensor, "B C h w"]) -> Float[Tensor, "B C h w"]:
    """Maps in which every position keeps the largest class alone, and the others are 0; of equal ones, the first."""
    largest, place = maps.max(dim=1, keepdim=True)
    return torch.zeros_like(maps).scatter(1, place, largest)


def map_regression(
    maps: Float[Tensor, "B C h w"], targets: Float[Tensor, "B C h w"], inside: Bool[Tensor, "B h w"]
) -> Float[Tensor, ""]:
    """Mean of (maps - targets)^2 over all classes, of the image or not, and the positions `inside`; 0 over none."""
    errors = (maps - targets).square().mean(dim=1)
    return torch.where(inside, errors, torch.zeros_like(errors)).sum() / inside.sum().clamp(min=1)
