"""Sizes (always height, width) and resampling of image and label tensors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor


def scaled_size(size: Sequence[int], scale: float) -> tuple[int, int]:
    """Height and width times `scale`, rounded, at least 1."""
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def resize_images(images: Float[Tensor, "B K H W"], size: tuple[int, int]) -> Float[Tensor, "B K h w"]:
    """Bilinear resampling with aligned pixel centres (align_corners=False, no antialiasing)."""
    return images if images.shape[-2:] == size else F.interpolate(images, size, mode="bilinear", align_corners=False)


def enlarge(maps: Float[Tensor, "B K h w"], size: tuple[int, int], stride: int) -> Float[Tensor, "B K H W"]:
    """Maps resized to the `size` of the network's input; cells of `stride` px are cropped at its edge."""
    canvas = (maps.shape[-2] * stride, maps.shape[-1] * stride)
    return resize_images(maps, canvas)[..., : size[0], : size[1]]


def resize_maps(maps: Float[np.ndarray, "n h w"], size: tuple[int, int]) -> Float[np.ndarray, "n H W"]:
    """Maps resized bilinearly to `size`; an empty array of that size if there are none."""
    if not len(maps):
        return np.zeros((0, *size), np.float32)
    result: NDArray[np.float32] = resize_images(torch.from_numpy(maps)[None], size)[0].numpy()
    return result


def sample_labels(
    labels: Int[Tensor, "B H W"] | Bool[Tensor, "B H W"], size: Sequence[int], stride: int, *, outside: int
) -> Int[Tensor, "B h w"] | Bool[Tensor, "B h w"]:
    """Label at the centre of each cell of a network's output, on the same grid as `enlarge`.

    Args:
        labels: label maps or masks of the images.
        size: height and width of the network's input, px; if it is not (H, W), the label map is scaled to it.
        stride: input px per cell, so (h, w) = ceil(size / stride). If it is even, the centre lies between two pixels,
            and the one below or to the right is taken.
        outside: label of a cell whose centre lies outside the image.
    """
    height, width = labels.shape[-2:]
    rows, columns = _centres(height, size[0], stride, labels), _centres(width, size[1], stride, labels)
    sampled = labels[:, rows.clamp(max=height - 1)[:, None], columns.clamp(max=width - 1)]
    inside = (rows < height)[:, None] & (columns < width)
    return torch.where(inside, sampled, torch.full_like(sampled, outside))


def _centres(length: int, scaled: int, stride: int, like: Tensor) -> Int[Tensor, " n"]:
    """Index of the pixel under the centre of each cell, along an axis of `length` px that is resized to `scaled` px."""
    cells = torch.arange(-(-scaled // stride), device=like.device)
    return (2 * cells + 1) * stride * length // (2 * scaled)
