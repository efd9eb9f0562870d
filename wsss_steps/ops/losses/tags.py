"""Loss of image-level tags."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F


def multi_label_loss(scores: Float[Tensor, "B C"], tags: Float[Tensor, "B C"]) -> Float[Tensor, ""]:
    """Binary cross-entropy of sigmoid(scores) and tags in {0, 1}, mean over classes and images.

    -(1/C) sum_c [t_c log p_c + (1 - t_c) log(1 - p_c)] (Kim 2022, dissertation, eq. 3.2), computed from the scores
    before the sigmoid: large ones neither overflow nor lose their gradient.
    """
    return F.binary_cross_entropy_with_logits(scores, tags)
