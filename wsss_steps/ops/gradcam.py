"""Grad-CAM (Selvaraju et al. 2017): feature maps weighted by the gradient of a class's score."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor


def weighted_features(
    features: Float[Tensor, "B K h w"], gradients: Float[Tensor, "B K h w"], *, pool_grad: bool
) -> Float[Tensor, "B h w"]:
    """sum_k alpha_k A_k before the ReLU, alpha_k being the mean of the gradients d y_c / d A_k over the positions.

    Without `pool_grad` each position keeps its own gradient: sum_k A_k d y_c / d A_k, elementwise.
    """
    weights = gradients.mean(dim=(2, 3), keepdim=True) if pool_grad else gradients
    return (weights * features).sum(dim=1)
