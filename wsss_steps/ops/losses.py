"""Losses of image-level tags and of saliency masks."""

from __future__ import annotations

from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

IGNORED = 255  # in masks: pixels outside the image


def multi_label_loss(scores: Float[Tensor, "B C"], tags: Float[Tensor, "B C"]) -> Float[Tensor, ""]:
    """Binary cross-entropy of sigmoid(scores) and tags in {0, 1}, mean over classes and images (dissertation, eq. 3.2).

    -(1/C) sum_c [t_c log p_c + (1 - t_c) log(1 - p_c)], computed from the scores before the sigmoid: large ones neither
    overflow nor lose their gradient.
    """
    return F.binary_cross_entropy_with_logits(scores, tags)


def saliency_loss(logits: Float[Tensor, "B 1 H W"], masks: Int[Tensor, "B H W"]) -> Float[Tensor, ""]:
    """Binary cross-entropy of sigmoid(logits) and masks of 1 salient, 0 not, 255 not counted (outside the image).

    PoolNet sums over the pixels; here it is their mean over the whole batch, so that the learning rate does not depend
    on the size of the images. Without a counted pixel it is 0.
    """
    counted = masks != IGNORED
    losses = F.binary_cross_entropy_with_logits(logits[:, 0], (masks == 1).to(logits.dtype), reduction="none")
    return (losses * counted).sum() / counted.sum().clamp(min=1)
