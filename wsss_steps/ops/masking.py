"""Losses of a segmenter supervised by a classifier on masked images (Kim 2022, dissertation, section 2.3.3)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from wsss_steps.ops.labels import IGNORE
from wsss_steps.ops.losses.pixels import mean_per_image


def foreground_map(
    probabilities: Float[Tensor, "B L h w"], tags: Float[Tensor, "B C"], weights: Float[Tensor, "B C"] | None = None
) -> Float[Tensor, "B h w"]:
    """Sum of the probabilities of the present classes only, times `weights` if given; L = C + 1."""
    chosen = tags if weights is None else tags * weights
    return (probabilities[:, 1:] * chosen[:, :, None, None]).sum(1)


def saliency_loss(
    logits: Float[Tensor, "B L h w"], labels: Int[Tensor, "B h w"], tags: Float[Tensor, "B C"]
) -> Float[Tensor, ""]:
    """Cross-entropy of background against foreground, averaged over the images (eq. 2.7).

    -(mean over background pixels of log H_0) - (mean over object pixels of log of the sum of H_c, c present).

    It is computed from logits, not from probabilities: a network that is sure of background everywhere still gets a
    gradient. Clamped probabilities gave none, and such a network never recovered.

    Args:
        logits: H is their softmax over C + 1 labels, background first.
        labels: 0 background, 255 unlabelled (ignored), all others object, whatever the class.
        tags: the present classes, {0, 1}. In an image without any, object pixels are ignored.
    """
    logs = torch.log_softmax(logits, dim=1)
    background = labels == 0
    foreground = ~background & (labels != IGNORE) & tags.any(1)[:, None, None]
    absent = (tags == 0)[:, :, None, None] & tags.any(1)[:, None, None, None]
    objects = torch.logsumexp(logs[:, 1:].masked_fill(absent, -torch.inf), dim=1)
    return -(mean_per_image(logs[:, 0], background) + mean_per_image(objects, foreground)).mean()


def attention_map(
    probabilities: Float[Tensor, "B L h w"], tags: Float[Tensor, "B C"], erased: Float[Tensor, "B C"]
) -> Float[Tensor, "B 1 h w"]:
    """F = 1 - sum of H_c b_c over the present classes, in [0, 1] (eq. 2.8): near 0 on pixels of erased classes.

    erased: b, {0, 1}.
    """
    return (1 - foreground_map(probabilities, tags, erased))[:, None]


def attention_loss(
    scores: Float[Tensor, "B C"], tags: Float[Tensor, "B C"], erased: Float[Tensor, "B C"]
) -> Float[Tensor, " B"]:
    """Per image, the mean over its present classes of the cross-entropy of sigmoid(scores) and t' (eq. 2.10).

    t' = t (1 - b): erased classes should be absent and the others present. 0 for an image without tags.
    """
    loss = F.binary_cross_entropy_with_logits(scores, tags * (1 - erased), reduction="none")
    return (loss * tags).sum(1) / tags.sum(1).clamp(min=1)


def mean_of(values: Float[Tensor, " B"], members: Tensor) -> Float[Tensor, ""]:
    """Mean over the images that are `members` (bool, (B,)); 0 with a zero gradient if none is."""
    return torch.where(members, values, torch.zeros_like(values)).sum() / members.sum().clamp(min=1)
