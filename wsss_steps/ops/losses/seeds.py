"""Cross-entropy on partial label maps: unlabelled pixels (255) take no part, and a mean over no pixels is 0."""

from __future__ import annotations

from jaxtyping import Float, Int
from torch import Tensor

from wsss_steps.ops.labels import IGNORE
from wsss_steps.ops.losses.pixels import pixel_cross_entropy


def seed_cross_entropy(logits: Float[Tensor, "B L h w"], labels: Int[Tensor, "B h w"]) -> Float[Tensor, ""]:
    """Cross-entropy, mean over the labelled pixels of the whole batch: each labelled pixel weighs the same."""
    return pixel_cross_entropy(logits, labels).sum() / (labels != IGNORE).sum().clamp(min=1)
