"""DeepLab trained with cross-entropy on the seeds as they are."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from wsss_steps.nets.deeplab import build_deeplab as build
from wsss_steps.nets.segmentation import SegmentationNetwork
from wsss_steps.ops.labels import IGNORE
from wsss_steps.ops.losses.balanced_seeds import balanced_seed_loss
from wsss_steps.ops.losses.seeds import seed_cross_entropy
from wsss_steps.ops.resize import resize_images, sample_labels, scaled_size

__all__ = ["build", "losses"]


def losses(
    network: SegmentationNetwork,
    batch: dict[str, Tensor],
    *,
    train_scales: Sequence[float],
    balanced: bool,
) -> dict[str, Tensor]:
    """Loss on the grid of the logits for every input scale; their sum is minimised.

    Args:
        network: gives logits (B, C+1, h, w).
        batch: `images` (B, 3, H, W), normalised; `seeds` (B, H, W), 0..C and 255.
        train_scales: factors on the image size.
        balanced: mean over background plus mean over class pixels per image (`balanced_seed_loss`), instead of the mean
            over all labelled pixels.
    """
    parts = {}
    images = batch["images"]
    loss = balanced_seed_loss if balanced else seed_cross_entropy
    for scale in train_scales:
        size = scaled_size(images.shape[-2:], scale)
        labels = sample_labels(batch["seeds"], size, network.stride, outside=IGNORE)
        parts[f"seed_{scale:g}"] = loss(network(resize_images(images, size)), labels)
    return parts
