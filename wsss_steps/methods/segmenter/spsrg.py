"""DeepLab trained with superpixel-guided seeded region growing (Kim 2022, dissertation, section 3.3.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from wsss_steps.errors import UserError
from wsss_steps.nets.deeplab import build_deeplab as build
from wsss_steps.nets.segmentation import SegmentationNetwork
from wsss_steps.ops.labels import IGNORE
from wsss_steps.ops.losses.balanced_seeds import balanced_seed_loss
from wsss_steps.ops.region_growing import grow
from wsss_steps.ops.resize import resize_images, sample_labels, scaled_size

__all__ = ["build", "grown", "losses"]


def labelled_share(labels: Tensor, inside: Tensor) -> Tensor:
    """Share of the pixels inside the image (bool) that have a label; labels and `inside` are (B, h, w)."""
    share: Tensor = ((labels != IGNORE) & inside).sum() / inside.sum().clamp(min=1)
    return share


def grown(
    logits: Float[Tensor, "B L h w"],
    batch: Mapping[str, Tensor],
    size: tuple[int, int],
    stride: int,
    *,
    beta_bg: float,
    beta_fg: float,
    restrict_to_present: bool,
) -> Int[Tensor, "B h w"]:
    """The seeds as they grow from the logits of images resized to `size`: 0..C and 255. See `losses`."""
    seeds = sample_labels(batch["seeds"], size, stride, outside=IGNORE)
    superpixels = sample_labels(batch["superpixels"], size, stride, outside=0)
    probabilities = torch.softmax(logits.detach(), dim=1)
    present = batch["tags"] if restrict_to_present else None
    return grow(probabilities, seeds, superpixels, beta_bg=beta_bg, beta_fg=beta_fg, present=present)


def losses(
    network: SegmentationNetwork,
    batch: dict[str, Tensor],
    *,
    train_scales: Sequence[float],
    beta_bg: float,
    beta_fg: float,
    restrict_to_present: bool,
) -> dict[str, Tensor]:
    """Balanced seed loss of seeds that are grown at each scale, on the grid of its logits and from its output.

    Args:
        network: gives logits (B, C+1, h, w).
        batch: `images` (B, 3, H, W), normalised; `tags` (B, C); `seeds` (B, H, W), 0..C and 255; `superpixels` (B, H,
            W), ids from 1, 0 outside the image; `inside` (B, H, W) bool.
        train_scales: factors on the image size.
        beta_bg: mean probability above which a superpixel becomes background.
        beta_fg: mean probability above which a superpixel becomes its class.
        restrict_to_present: only tagged classes and background can grow.

    Returns:
        The loss of each scale, whose sum is minimised; and, only recorded, the shares of pixels that are labelled
        before growing, `share_seeded`, and after, `share_labelled`, at the first scale. A UserError without
        superpixels.
    """
    if not batch["superpixels"].any():
        raise UserError(
            "segmenter 'spsrg' needs superpixels, but the recipe has none: choose superpixels: dino or slic"
        )
    options: dict[str, Any] = {"beta_bg": beta_bg, "beta_fg": beta_fg, "restrict_to_present": restrict_to_present}
    parts = {}
    images = batch["images"]
    for scale in train_scales:
        size = scaled_size(images.shape[-2:], scale)
        logits = network(resize_images(images, size))
        labels = grown(logits, batch, size, network.stride, **options)
        parts[f"seed_{scale:g}"] = balanced_seed_loss(logits, labels)
        if scale == train_scales[0]:
            seeds = sample_labels(batch["seeds"], size, network.stride, outside=IGNORE)
            inside = sample_labels(batch["inside"], size, network.stride, outside=False)
            parts |= {"share_seeded": labelled_share(seeds, inside), "share_labelled": labelled_share(labels, inside)}
    return parts
