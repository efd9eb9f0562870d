"""ResNet of torchvision."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import torchvision
from torch import nn

from wsss_steps.nets.backbones import Backbone, check_no_options, check_stride, unknown

NETS = ("resnet50", "resnet101")


def build(net: str, output_stride: int, options: Mapping[str, Any]) -> Backbone:
    """ResNet of torchvision (He et al. 2016); stages beyond the output stride are dilated instead of strided."""
    if net not in NETS:
        raise unknown(net)
    check_no_options(net, options)
    check_stride(net, output_stride, (4, 8, 16, 32))
    dilate = [output_stride < stride for stride in (8, 16, 32)]
    resnet = getattr(torchvision.models, net)(weights=None, replace_stride_with_dilation=dilate)
    layers = OrderedDict((name, layer) for name, layer in resnet.named_children() if name not in ("avgpool", "fc"))
    stem = [layers[name] for name in ("conv1", "bn1", "relu", "maxpool", "layer1")]
    stages = [stem, *([layers[f"layer{number}"]] for number in (2, 3, 4))]
    return Backbone(nn.Sequential(layers), channels=2048, output_stride=output_stride, stages=stages, heads=("fc.",))
