"""PoolNet (Liu et al. 2019): a U-shaped network for saliency with pooling in its decoder, on any backbone.

Two differences: the decoder has batch normalisation, so that it also learns from random weights, and features are
convolved before they are upsampled, not after, at a quarter of the cost.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from wsss_steps.nets.backbones import Backbone, build_backbone, freeze
from wsss_steps.nets.small import ConvNorm
from wsss_steps.ops.resize import resize_images

GUIDANCE_SIZES = (1, 3, 5)  # cells per side of the pooled top features
AGGREGATION_RATES = (2, 4, 8)  # pooling factors at each level of the decoder
PROBE = 64  # px: side of the image used to measure channels and strides of a backbone


def pyramid(backbone: Backbone, images: Float[Tensor, "B 3 H W"]) -> list[Tensor]:
    """Feature maps (B, K_i, h_i, w_i) at the end of every stage of the backbone, finest first."""
    levels: list[Tensor] = []
    handles = [
        stage[-1].register_forward_hook(lambda module, inputs, output: levels.append(output.float()))
        for stage in backbone.stages[:-1]
    ]
    try:
        levels.append(backbone(images))
    finally:
        for handle in handles:
            handle.remove()
    return levels


class GlobalGuidance(nn.Module):
    """Pyramid pooling: the top features, and the same pooled to 1, 3 and 5 cells per side."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(nn.Conv2d(channels, channels, 1, bias=False) for _ in GUIDANCE_SIZES)
        self.merge = ConvNorm(channels * (1 + len(GUIDANCE_SIZES)), width)

    def forward(self, top: Float[Tensor, "B K h w"]) -> Float[Tensor, "B D h w"]:
        """Guidance on the grid of the top features."""
        size = (top.shape[-2], top.shape[-1])
        pooled = [
            resize_images(F.relu(branch(F.adaptive_avg_pool2d(top, cells))), size)
            for branch, cells in zip(self.branches, GUIDANCE_SIZES, strict=True)
        ]
        result: Tensor = self.merge(torch.cat([top, *pooled], dim=1))
        return result


class FeatureAggregation(nn.Module):
    """More context for a level of the decoder: adds convolved average poolings by 2, 4 and 8."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1, bias=False) for _ in AGGREGATION_RATES)
        self.merge = ConvNorm(width, width)

    def forward(self, x: Float[Tensor, "B D h w"]) -> Float[Tensor, "B D h w"]:
        """Same shape as `x`; h and w at least 8."""
        size, total = (x.shape[-2], x.shape[-1]), x
        for branch, rate in zip(self.branches, AGGREGATION_RATES, strict=True):
            total = total + resize_images(branch(F.avg_pool2d(x, rate)), size)
        result: Tensor = self.merge(F.relu(total))
        return result


class PoolNet(nn.Module):
    """Backbone, global guidance, and a decoder that merges the levels of the backbone from coarse to fine.

    Args:
        backbone: with two stages or more.
        width: most channels of a level of the decoder; a level has no more than the backbone has there.

    Attribute `least`: side in px to which smaller images are padded, so that every pooling has at least one cell.
    """

    def __init__(self, backbone: Backbone, width: int) -> None:
        super().__init__()
        channels, strides = _measure(backbone)
        widths = [min(width, inputs) for inputs in channels]
        self.backbone = backbone
        self.least = max(AGGREGATION_RATES) * strides[-2]
        self.lateral = nn.ModuleList(
            nn.Conv2d(inputs, outputs, 1) for inputs, outputs in zip(channels, widths, strict=True)
        )
        self.guidance = GlobalGuidance(widths[-1], widths[-1])
        self.guides = nn.ModuleList(ConvNorm(widths[-1], outputs) for outputs in widths[:-1])
        self.descend = nn.ModuleList(
            nn.Conv2d(above, below, 3, padding=1) for below, above in itertools.pairwise(widths)
        )
        self.aggregate = nn.ModuleList(FeatureAggregation(outputs) for outputs in widths[:-1])
        self.head = nn.Conv2d(widths[0], 1, 1)

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B 1 H W"]:
        """Logits of normalised images at their size; saliency is their sigmoid.

        Padding is 0 (the mean colour), at the bottom and right, and is cropped off again.
        """
        height, width = images.shape[-2:]
        padded = F.pad(images, (0, max(0, self.least - width), 0, max(0, self.least - height)))
        levels = [side(level) for side, level in zip(self.lateral, pyramid(self.backbone, padded), strict=True)]
        x = levels.pop()
        guidance = self.guidance(x)
        for index in reversed(range(len(levels))):
            size = (levels[index].shape[-2], levels[index].shape[-1])
            parts = (self.descend[index](x), self.guides[index](guidance))
            x = self.aggregate[index](levels[index] + sum(resize_images(part, size) for part in parts))
        logits = resize_images(self.head(x), (padded.shape[-2], padded.shape[-1]))
        return logits[..., :height, :width]


def _measure(backbone: Backbone) -> tuple[list[int], list[int]]:
    """Channels and strides of the levels of a backbone, whose training mode is restored."""
    mode = backbone.training
    backbone.eval()
    with torch.no_grad():
        levels = pyramid(backbone, torch.zeros(1, 3, PROBE, PROBE))
    backbone.train(mode)
    if len(levels) < 2:
        raise ValueError(f"expected a backbone of two stages or more, found {len(levels)}")
    return [level.shape[1] for level in levels], [-(-PROBE // level.shape[-1]) for level in levels]


def build_poolnet(
    *,
    backbone: Mapping[str, Any],
    output_stride: int,
    decoder_width: int,
    dilated: bool,
    frozen_stages: int,
    frozen_batch_norm: str,
) -> PoolNet:
    """The network with random weights.

    Args:
        backbone: `net` names the network, `options` are its further arguments.
        output_stride: image px per cell of the top features.
        decoder_width: most channels of a level of the decoder.
        dilated: dilate the convolutions after a stride that the output stride removes.
        frozen_stages: number of frozen stages, counted from the input.
        frozen_batch_norm: what is frozen in the backbone's batch normalisation: none, statistics or all.
    """
    base = build_backbone(backbone["net"], output_stride=output_stride, options=backbone["options"], dilated=dilated)
    network = PoolNet(base, decoder_width)
    freeze(base, frozen_stages, frozen_batch_norm)
    return network
