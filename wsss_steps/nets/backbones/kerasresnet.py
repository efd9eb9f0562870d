"""ResNet-50 with the strides of the paper and of Keras: torchvision moved them to the 3x3 convolutions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wsss_steps.nets.backbones import Backbone, unknown
from wsss_steps.nets.backbones import resnet as torchvisions

NETS = ("kerasresnet50",)


def build(net: str, output_stride: int, options: Mapping[str, Any]) -> Backbone:
    """ResNet-50 (He et al. 2016) whose strides are in the first, 1x1, convolution of a block."""
    if net not in NETS:
        raise unknown(net)
    backbone = torchvisions.build("resnet50", output_stride, options)
    for layer in ("layer2", "layer3", "layer4"):
        block: Any = backbone.net.get_submodule(f"{layer}.0")
        block.conv1.stride, block.conv2.stride = block.conv2.stride, (1, 1)
    return backbone
