"""What every segmentation network is."""

from __future__ import annotations

from torch import nn


class SegmentationNetwork(nn.Module):
    """From normalised images (B, 3, H, W) to logits (B, C + 1, h, w) at the centres of cells; label 0 is background.

    stride: image px per cell, so (h, w) = ceil((H, W) / stride). It may be finer than the backbone's output stride.
    """

    stride: int
