"""Loss on partial label maps in which background and classes weigh the same; unlabelled pixels (255) take no part."""

from __future__ import annotations

from jaxtyping import Float, Int
from torch import Tensor

from wsss_steps.ops.labels import IGNORE
from wsss_steps.ops.losses.pixels import mean_per_image, pixel_cross_entropy


def balanced_seed_loss(logits: Float[Tensor, "B L h w"], labels: Int[Tensor, "B h w"]) -> Float[Tensor, ""]:
    """Mean over background pixels plus mean over class pixels of each image, averaged over the batch (as in DSRG).

    This is eq. 3.8 of Kim (2022, dissertation). As printed, its inner sum runs over all present classes at every class
    pixel; here, as in DSRG, it is the pixel's own class. Both agree on an image with one class.
    """
    loss = pixel_cross_entropy(logits, labels)
    background = labels == 0
    foreground = ~background & (labels != IGNORE)
    return (mean_per_image(loss, background) + mean_per_image(loss, foreground)).mean()
