"""Per-pixel cross-entropy and means over some pixels: the parts of losses on partial label maps."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from wsss_steps.ops.labels import IGNORE


def pixel_cross_entropy(logits: Float[Tensor, "B L h w"], labels: Int[Tensor, "B h w"]) -> Float[Tensor, "B h w"]:
    """Negative log-probability of each pixel's label, 0 where it is unlabelled. Labels are 0..L-1 and 255."""
    return F.nll_loss(F.log_softmax(logits, dim=1), labels, ignore_index=IGNORE, reduction="none")


def mean_per_image(values: Float[Tensor, "B h w"], members: Tensor) -> Float[Tensor, " B"]:
    """Mean of `values` over the `members` (bool) of each image; 0 with a zero gradient if there are none."""
    total = torch.where(members, values, torch.zeros_like(values)).sum(dim=(1, 2))
    return total / members.sum(dim=(1, 2)).clamp(min=1)
