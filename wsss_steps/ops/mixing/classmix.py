"""ClassMix (Olsson et al. 2021): half of the classes of an image are pasted onto its partner."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from wsss_steps.ops.labels import IGNORE


def kept(*, labels: Int[Tensor, "B H W"], generator: torch.Generator | None) -> Bool[Tensor, "B H W"]:
    """Pixels of a random half of the labels that occur in each image, rounded down; background is one, 255 is none."""
    return torch.stack([torch.isin(one, _half(one.unique(), generator)) for one in labels])


def _half(occurring: Tensor, generator: torch.Generator | None) -> Tensor:
    occurring = occurring[occurring != IGNORE]
    order = torch.randperm(len(occurring), generator=generator).to(occurring.device)
    return occurring[order[: len(occurring) // 2]]
