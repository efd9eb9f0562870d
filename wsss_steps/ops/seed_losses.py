"""Losses on partial label maps: unlabelled pixels (255) take no part, and a mean over no pixels is 0."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from wsss_steps.ops.seeds import UNLABELLED


def pixel_cross_entropy(logits: Float[Tensor, "B L h w"], labels: Int[Tensor, "B h w"]) -> Float[Tensor, "B h w"]:
    """Negative log-probability of each pixel's label, 0 where it is unlabelled. Labels are 0..L-1 and 255."""
    return F.nll_loss(F.log_softmax(logits, dim=1), labels, ignore_index=UNLABELLED, reduction="none")


def mean_per_image(values: Float[Tensor, "B h w"], members: Tensor) -> Float[Tensor, " B"]:
    """Mean of `values` over the `members` (bool) of each image; 0 with a zero gradient if there are none."""
    total = torch.where(members, values, torch.zeros_like(values)).sum(dim=(1, 2))
    return total / members.sum(dim=(1, 2)).clamp(min=1)


def seed_cross_entropy(logits: Float[Tensor, "B L h w"], labels: Int[Tensor, "B h w"]) -> Float[Tensor, ""]:
    """Cross-entropy, mean over the labelled pixels of the whole batch: each labelled pixel weighs the same."""
    return pixel_cross_entropy(logits, labels).sum() / (labels != UNLABELLED).sum().clamp(min=1)


def balanced_seed_loss(logits: Float[Tensor, "B L h w"], labels: Int[Tensor, "B h w"]) -> Float[Tensor, ""]:
    """Mean over background pixels plus mean over class pixels of each image, averaged over the batch (eq. 3.8, DSRG).

    As printed, the inner sum of (3.8) runs over all present classes at every class pixel; it is read here as the
    pixel's own class, as in DSRG. Both readings agree on an image with one class.
    """
    loss = pixel_cross_entropy(logits, labels)
    background = labels == 0
    foreground = ~background & (labels != UNLABELLED)
    return (mean_per_image(loss, background) + mean_per_image(loss, foreground)).mean()
