"""DeepLab-LargeFOV is DeepLab-v2 on VGG16 with the single rate 12: its layers and its published size by hand."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from wsss_steps import methods
from wsss_steps.nets.deeplab import build_deeplab
from wsss_steps.settings.base import Backbone
from wsss_steps.settings.segmenter import PlainSegmenter

VGG16 = sum(
    9 * inputs * outputs + outputs
    for inputs, outputs in [(3, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 256), (256, 512)]
    + [(512, 512)] * 5
)


def largefov() -> Any:
    settings = PlainSegmenter(backbone=Backbone(net="vgg16"), aspp_rates=(12,)).model_dump(mode="json")
    with torch.device("meta"):
        return build_deeplab(20, **methods.arguments(build_deeplab, settings)).eval()


def test_its_layers_are_those_of_the_paper() -> None:
    """fc6 3x3 of dilation 12 to 1024 channels, fc7 1x1, fc8 to the labels, dropout of a half after the first two."""
    (branch,) = largefov().head.branches
    found = [(one.kernel_size[0], one.dilation[0], one.out_channels) for one in branch if isinstance(one, nn.Conv2d)]
    assert found == [(3, 12, 1024), (1, 1, 1024), (1, 1, 21)]
    assert [type(one).__name__ for one in branch] == [
        "Conv2d",
        "ReLU",
        "Dropout",
        "Conv2d",
        "ReLU",
        "Dropout",
        "Conv2d",
    ]
    assert [one.p for one in branch if isinstance(one, nn.Dropout)] == [0.5, 0.5]


def test_its_published_size() -> None:
    """20.5 M (Chen et al. 2015)."""
    fc6, fc7, fc8 = 9 * 512 * 1024 + 1024, 1024 * 1024 + 1024, 1024 * 21 + 21
    assert (VGG16, fc6 + fc7 + fc8) == (14_714_688, 5_790_741)
    found = sum(parameter.numel() for parameter in largefov().parameters())
    assert found == VGG16 + fc6 + fc7 + fc8
    assert round(found / 1e6, 1) == 20.5


def test_321_px_become_41_cells() -> None:
    network = largefov()
    features = network.backbone.net(torch.zeros(1, 3, 321, 321, device="meta"))
    assert network.head(features).shape == (1, 21, 41, 41)
    assert network.stride == 8


def test_it_loads_fc6_and_fc7_of_a_file() -> None:
    assert list(largefov().fc_layers.layers) == ["fc6", "fc7"]
