"""DeepLab-v2 trained with superpixel-guided seeded region growing (dissertation section 3.3.3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from wsss_steps.errors import UserError
from wsss_steps.nets.deeplab import build_deeplab as build
from wsss_steps.ops.region_growing import grow
from wsss_steps.ops.resize import resize_images, resize_labels, scaled_size
from wsss_steps.ops.seed_losses import balanced_seed_loss

__all__ = ["build", "losses"]


def losses(
    network: nn.Module,
    batch: dict[str, Tensor],
    *,
    train_scales: Sequence[float],
    beta_bg: float,
    beta_fg: float,
    restrict_to_present: bool,
) -> dict[str, Tensor]:
    """Grow the initial seeds on the grid of the logits, for every input scale by its own output, and give the balanced seed loss.

    Args: network: gives logits (B, C+1, h, w). batch: `images` (B, 3, H, W), normalised; `tags` (B, C); `seeds` (B,
    H, W), 0..C and 255; `superpixels` (B, H, W), ids from 1, 0 for padding. train_scales: factors on the image size.
    beta_bg: mean probability above which a superpixel becomes background. beta_fg: mean probability above which a
    superpixel becomes its class. restrict_to_present: only tagged classes and background can grow.

    Returns: The loss of each scale; their sum is minimised. A UserError without superpixels.
    """
    if not batch["superpixels"].any():
        raise UserError(
            "segmenter 'spsrg' needs superpixels, but the recipe has none: choose superpixels: dino or slic"
        )
    present = batch["tags"] if restrict_to_present else None
    parts = {}
    for scale in train_scales:
        images = batch["images"]
        logits = network(resize_images(images, scaled_size(images.shape[-2:], scale)))
        grid = logits.shape[-2:]
        seeds, superpixels = resize_labels(batch["seeds"], grid), resize_labels(batch["superpixels"], grid)
        probabilities = torch.softmax(logits.detach(), dim=1)
        labels = grow(probabilities, seeds, superpixels, beta_bg=beta_bg, beta_fg=beta_fg, present=present)
        parts[f"seed_{scale:g}"] = balanced_seed_loss(logits, labels)
    return parts
