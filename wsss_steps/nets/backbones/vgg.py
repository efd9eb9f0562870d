"""VGG16 as DeepLab changes it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from torch import nn

from wsss_steps.nets.backbones import Backbone, check_no_options, check_stride, unknown

NETS = ("vgg16",)
VGG16_BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


def build(net: str, output_stride: int, options: Mapping[str, Any]) -> Backbone:
    """VGG16 (Simonyan and Zisserman 2015), convolutions only, as DeepLab changes it.

    Output stride 8: pool4 and pool5 are 3x3 with stride 1 and conv5 has dilation 2. Output stride 16: no pool5.
    """
    if net not in NETS:
        raise unknown(net)
    check_no_options(net, options)
    check_stride(net, output_stride, (8, 16, 32))
    layers: list[nn.Module] = []
    ends, inputs = [], 3
    for block, widths in enumerate(VGG16_BLOCKS, start=1):
        dilation = 2 if block == 5 and output_stride == 8 else 1
        for width in widths:
            conv = nn.Conv2d(inputs, width, 3, padding=dilation, dilation=dilation)
            nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
            layers += [conv, nn.ReLU(inplace=True)]
            inputs = width
        if block >= 4 and output_stride == 8:
            layers.append(nn.MaxPool2d(3, stride=1, padding=1))
        elif not (block == 5 and output_stride == 16):
            layers.append(nn.MaxPool2d(2, ceil_mode=True))
        ends.append(len(layers))
    stages = [layers[start:end] for start, end in zip([0, *ends[1:-1]], ends[1:], strict=True)]
    features = nn.Sequential(OrderedDict(features=nn.Sequential(*layers)))
    return Backbone(features, channels=inputs, output_stride=output_stride, stages=stages, heads=("classifier.",))
