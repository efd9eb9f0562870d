"""DeepLab-v2 trained with cross-entropy on the seeds as they are."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from wsss_steps.nets.deeplab import build_deeplab as build
from wsss_steps.ops.resize import resize_images, resize_labels, scaled_size
from wsss_steps.ops.seed_losses import balanced_seed_loss, seed_cross_entropy

__all__ = ["build", "losses"]


def losses(
    network: nn.Module, batch: dict[str, Tensor], *, train_scales: Sequence[float], balanced: bool
) -> dict[str, Tensor]:
    """Loss on the grid of the logits for every input scale; their sum is minimised.

    Args:
        network: gives logits (B, C+1, h, w).
        batch: `images` (B, 3, H, W), normalised; `seeds` (B, H, W), 0..C and 255.
        train_scales: factors on the image size.
        balanced: mean over background plus mean over class pixels per image (eq. 3.8), instead of the mean over all
            labelled pixels.
    """
    parts = {}
    loss = balanced_seed_loss if balanced else seed_cross_entropy
    for scale in train_scales:
        images = batch["images"]
        logits = network(resize_images(images, scaled_size(images.shape[-2:], scale)))
        parts[f"seed_{scale:g}"] = loss(logits, resize_labels(batch["seeds"], logits.shape[-2:]))
    return parts
