"""Sizes and resampling of image and label tensors, (H, W) always."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor


def scaled_size(size: Sequence[int], scale: float) -> tuple[int, int]:
    """Height and width times `scale`, rounded, at least 1."""
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def resize_images(images: Float[Tensor, "B K H W"], size: tuple[int, int]) -> Float[Tensor, "B K h w"]:
    """Bilinear resampling with pixel centres aligned (align_corners false, no antialiasing)."""
    return images if images.shape[-2:] == size else F.interpolate(images, size, mode="bilinear", align_corners=False)


def resize_labels(labels: Int[Tensor, "B H W"], size: tuple[int, int]) -> Int[Tensor, "B h w"]:
    """Label of the pixel nearest to each centre of the new grid; labels below 2^24, as they pass through float32."""
    return F.interpolate(labels[:, None].float(), size, mode="nearest-exact")[:, 0].to(labels.dtype)
