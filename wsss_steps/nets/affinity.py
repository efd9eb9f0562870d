"""AffinityNet (Ahn and Kwak 2018): features whose differences tell whether two positions have one label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from wsss_steps.nets.backbones import Backbone, build_backbone, freeze
from wsss_steps.nets.stage_outputs import stage_outputs
from wsss_steps.ops.resize import resize_images

WIDTHS = (64, 128, 256)  # of the 1x1 convolutions on the last three stages


class AffinityNet(nn.Module):
    """1x1 convolutions on the last three stages of a backbone, and one on all that they give: 448 features."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = backbone
        backbone.eval()
        with torch.no_grad():
            channels = [one.shape[1] for one in stage_outputs(backbone, torch.zeros(1, 3, 64, 64), len(WIDTHS))]
        backbone.train()
        pairs = zip(channels, WIDTHS, strict=True)
        self.levels = nn.ModuleList(nn.Conv2d(inputs, outputs, 1, bias=False) for inputs, outputs in pairs)
        self.mix = nn.Conv2d(sum(WIDTHS), sum(WIDTHS), 1, bias=False)

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B K h w"]:
        """Features on the grid of the backbone."""
        found = stage_outputs(self.backbone, images, len(WIDTHS))
        size = (found[-1].shape[-2], found[-1].shape[-1])
        levels = [F.elu(level(resize_images(one, size))) for level, one in zip(self.levels, found, strict=True)]
        return F.elu(self.mix(torch.cat(levels, dim=1)))


def build_affinity_net(
    backbone: Mapping[str, Any], *, output_stride: int, dilated: bool, frozen_stages: int, frozen_batch_norm: str
) -> AffinityNet:
    """The network with random weights. backbone: its settings; `net` and `options` are read."""
    base = build_backbone(backbone["net"], output_stride=output_stride, options=backbone["options"], dilated=dilated)
    freeze(base, frozen_stages, frozen_batch_norm)
    return AffinityNet(base)
