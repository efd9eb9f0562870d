"""Sizes and resampling of image and label tensors, (H, W) always."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor


def scaled_size(size: Sequence[int], scale: float) -> tuple[int, int]:
    """Height and width times `scale`, rounded, at least 1."""
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def resize_images(images: Float[Tensor, "B K H W"], size: tuple[int, int]) -> Float[Tensor, "B K h w"]:
    """Bilinear resampling with pixel centres aligned (align_corners false, no antialiasing)."""
    return images if images.shape[-2:] == size else F.interpolate(images, size, mode="bilinear", align_corners=False)


def enlarge(maps: Float[Tensor, "B K h w"], size: tuple[int, int], stride: int) -> Float[Tensor, "B K H W"]:
    """Maps at the `size` of the network's input; cells of `stride` px that reach over its edge are cut."""
    canvas = (maps.shape[-2] * stride, maps.shape[-1] * stride)
    return resize_images(maps, canvas)[..., : size[0], : size[1]]


def resize_maps(maps: Float[np.ndarray, "n h w"], size: tuple[int, int]) -> Float[np.ndarray, "n H W"]:
    """Arrays of maps brought to `size` bilinearly; without any, an empty array of that size."""
    if not len(maps):
        return np.zeros((0, *size), np.float32)
    result: NDArray[np.float32] = resize_images(torch.from_numpy(maps)[None], size)[0].numpy()
    return result


def sample_labels(
    labels: Int[Tensor, "B H W"], size: Sequence[int], stride: int, *, outside: int
) -> Int[Tensor, "B h w"]:
    """Label at the centre of each cell of a network's output: the grid on which `enlarge` draws the output.

    Args:
        labels: label maps of the images.
        size: height and width at which the network reads the images, px; another than (H, W) scales the label map.
        stride: px of the network's input per cell, so (h, w) = ceil(size / stride). Where it is even, the centre lies
            between two pixels, and the one below or to the right is taken.
        outside: label of a cell whose centre lies beyond the edge of the image.
    """
    height, width = labels.shape[-2:]
    rows, columns = _centres(height, size[0], stride, labels), _centres(width, size[1], stride, labels)
    sampled = labels[:, rows.clamp(max=height - 1)[:, None], columns.clamp(max=width - 1)]
    inside = (rows < height)[:, None] & (columns < width)
    return torch.where(inside, sampled, torch.full_like(sampled, outside))


def _centres(length: int, scaled: int, stride: int, like: Tensor) -> Int[Tensor, " n"]:
    """Index, along an axis of `length` px that is read at `scaled` px, of the pixel under the centre of each cell."""
    cells = torch.arange(-(-scaled // stride), device=like.device)
    return (2 * cells + 1) * stride * length // (2 * scaled)
