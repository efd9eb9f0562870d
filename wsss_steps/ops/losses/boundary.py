"""Loss that makes a network follow what a dense CRF makes of its own output (DSRG's L_boundary, SEC's constrain)."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor

from wsss_steps.ops.losses.pixels import mean_per_image


def boundary_loss(
    probabilities: Float[Tensor, "B L h w"],
    smoothed: Float[Tensor, "B L h w"],
    members: Bool[Tensor, "B h w"],
    *,
    most: float,
) -> Float[Tensor, ""]:
    """Mean over the members of each image, then over the batch, of sum_c Q_c log(clip(Q_c / P_c, 1 / most, most)).

    P are the network's probabilities, Q those of the CRF, both positive with the sum 1. Without the clip it is the
    divergence KL(Q | P), which is minimised (some print it with a minus, which would maximise it). Q is a target,
    without gradient; the authors' code lets (1 - Q) times the gradient pass. An image without members counts as 0.
    """
    target = smoothed.detach()
    surprise = (target * (target / probabilities).clamp(1 / most, most).log()).sum(dim=1)
    return mean_per_image(surprise, members).mean()
