"""FickleNet as the paper draws it: an expanded map, dropped positions, a convolution of stride s."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def expanded(features: Tensor, side: int) -> Tensor:
    """(B, K, h, w) to (B, K, s h, s w): block (i, j) is the s x s window of position (i, j), zeros outside the map."""
    reach = side // 2
    padded = F.pad(features, (reach,) * 4)
    height, width = features.shape[-2:]
    found = features.new_zeros((*features.shape[:2], side * height, side * width))
    for i in range(height):
        for j in range(width):
            window = padded[:, :, i : i + side, j : j + side]
            found[:, :, i * side : (i + 1) * side, j * side : (j + 1) * side] = window
    return found


def expanded_weights(weights: Tensor, side: int) -> Tensor:
    """(B, s s, h, w), a weight for each cell of each window, to those of the expansion, (B, 1, s h, s w)."""
    count, _, height, width = weights.shape
    found = weights.new_zeros((count, 1, side * height, side * width))
    for i in range(height):
        for j in range(width):
            block = weights[:, :, i, j].reshape(count, 1, side, side)
            found[:, :, i * side : (i + 1) * side, j * side : (j + 1) * side] = block
    return found


def convolved(features: Tensor, kernel: Tensor, weights: Tensor) -> Tensor:
    """Scores (B, C, h, w) of the windows: the expansion, weighted, convolved with stride s."""
    side = kernel.shape[-1]
    return F.conv2d(expanded(features, side) * expanded_weights(weights, side), kernel, stride=side)


def unfolded(features: Tensor, kernel: Tensor, weights: Tensor) -> Tensor:
    """The same of columns (K s s, h w), in which weights mask whole cells."""
    side, (height, width) = kernel.shape[-1], features.shape[-2:]
    columns = F.unfold(features, side, padding=side // 2).unflatten(1, (features.shape[1], side**2))
    masked = columns * weights.flatten(2)[:, None]
    found = torch.einsum("bkop,cko->bcp", masked, kernel.flatten(2))
    return found.unflatten(2, (height, width))
