"""Loss of saliency masks."""

from __future__ import annotations

from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F


def saliency_loss(
    logits: Float[Tensor, "B 1 H W"], masks: Int[Tensor, "B H W"], inside: Bool[Tensor, "B H W"]
) -> Float[Tensor, ""]:
    """Binary cross-entropy of sigmoid(logits) and masks, 1 salient and 0 not, over the pixels `inside` the images.

    PoolNet sums over the pixels; here it is the mean over the pixels of the batch, so that the learning rate does not
    depend on the image size. It is 0 if no pixel is inside.
    """
    losses = F.binary_cross_entropy_with_logits(logits[:, 0], (masks == 1).to(logits.dtype), reduction="none")
    return (losses * inside).sum() / inside.sum().clamp(min=1)
