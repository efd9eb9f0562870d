"""DeepLab-v2: a convolutional network with atrous spatial pyramid pooling (ASPP) on its last feature map.

`build_deeplab` builds DeepLab-v3+ as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from wsss_steps.nets.backbones import Backbone, build_backbone, freeze
from wsss_steps.nets.deeplab_v3plus import Decoder, DeepLabV3Plus
from wsss_steps.nets.fc_layers import fc_layers
from wsss_steps.nets.segmentation import SegmentationNetwork

FC_CHANNELS = 1024  # of fc6 and fc7 of DeepLab on VGG16


def branch(channels: int, num_labels: int, rate: int, hidden: int | None) -> nn.Module:
    """One branch of the pyramid: a 3x3 convolution of dilation `rate` to the labels, or, given `hidden`, fc6-fc7-fc8.

    The dropout of the second form is the usual one of DeepLab on VGG16; our sources do not state it.
    """
    if hidden is None:
        return nn.Conv2d(channels, num_labels, 3, padding=rate, dilation=rate)
    return nn.Sequential(
        nn.Conv2d(channels, hidden, 3, padding=rate, dilation=rate),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Conv2d(hidden, hidden, 1),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Conv2d(hidden, num_labels, 1),
    )


class Aspp(nn.Module):
    """Sum of parallel dilated branches (DeepLab-v2). Weights start from N(0, 0.01^2), biases from 0.

    fc_layers: fc6 and fc7 of all branches, which may be loaded from a file (see `pretrained`); empty without `hidden`.
    """

    def __init__(self, channels: int, num_labels: int, rates: Sequence[int], hidden: int | None = None) -> None:
        super().__init__()
        if not rates:
            raise ValueError("ASPP needs at least one rate")
        self.branches = nn.ModuleList(branch(channels, num_labels, rate, hidden) for rate in rates)
        self.fc_layers = fc_layers(self.branches)
        for module in self.modules():
            if isinstance(module, nn.Conv2d) and module.bias is not None:
                nn.init.normal_(module.weight, std=0.01)
                nn.init.zeros_(module.bias)

    def forward(self, features: Float[Tensor, "B K h w"]) -> Float[Tensor, "B L h w"]:
        """Logits on the grid of the features."""
        total: Tensor = self.branches[0](features)
        for further in self.branches[1:]:
            total = total + further(features)
        return total


class DeepLab(SegmentationNetwork):
    """Backbone and pyramid: normalised images to logits on the grid of the backbone.

    fc_layers: those of the pyramid.
    """

    def __init__(self, backbone: Backbone, head: Aspp) -> None:
        super().__init__()
        self.backbone, self.head, self.fc_layers = backbone, head, head.fc_layers
        self.stride = backbone.output_stride

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B L h w"]:
        """Logits of the labels, about H / output stride by W / output stride."""
        logits: Tensor = self.head(self.backbone(images))
        return logits


def build_deeplab(
    num_classes: int,
    *,
    head: str,
    backbone: dict[str, Any],
    output_stride: int,
    aspp_rates: Sequence[int],
    low_level_width: int,
    decoder_width: int,
    dilated: bool,
    frozen_stages: int,
    frozen_batch_norm: str,
) -> SegmentationNetwork:
    """The network with random weights.

    Args:
        num_classes: C; the network gives C + 1 logits.
        head: v3plus, or v2, of which a branch is fc6-fc7-fc8 on VGG16, one convolution on other backbones.
        backbone: `net` names the network, `options` are its further arguments.
        output_stride: image px per cell of the backbone's last feature map, and of the logits of v2.
        aspp_rates: dilation of each branch, in cells of the feature map.
        low_level_width: channels that v3plus brings the features at stride 4 to.
        decoder_width: channels of the pyramid and the decoder of v3plus.
        dilated: dilate the convolutions after a stride that the output stride removes.
        frozen_stages: number of frozen stages, counted from the input.
        frozen_batch_norm: what is frozen in the backbone's batch normalisation: none, statistics or all.
    """
    base = build_backbone(backbone["net"], output_stride=output_stride, options=backbone["options"], dilated=dilated)
    freeze(base, frozen_stages, frozen_batch_norm)
    labels = num_classes + 1
    if head == "v3plus":
        widths = {"width": decoder_width, "low_level_width": low_level_width}
        return DeepLabV3Plus(base, Decoder(base, labels, rates=aspp_rates, **widths))
    hidden = FC_CHANNELS if backbone["net"] == "vgg16" else None
    return DeepLab(base, Aspp(base.channels, labels, aspp_rates, hidden))
