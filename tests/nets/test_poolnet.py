"""The parts of PoolNet against their definitions, and the network on every kind of backbone."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from wsss_steps.nets.backbones import Backbone, build_backbone
from wsss_steps.nets.poolnet import FeatureAggregation, GlobalGuidance, PoolNet, build_poolnet, pyramid

SMALL = {"net": "small", "options": {}}


def build(**options: Any) -> PoolNet:
    defaults = {
        "backbone": SMALL,
        "output_stride": 16,
        "decoder_width": 24,
        "dilated": True,
        "frozen_stages": 0,
        "frozen_batch_norm": "none",
    }
    return build_poolnet(**(defaults | options))


def test_levels_of_a_backbone() -> None:
    backbone = build_backbone("small", output_stride=16, options={}).eval()
    images = torch.randn(2, 3, 64, 96)
    levels = pyramid(backbone, images)
    assert [tuple(level.shape) for level in levels] == [
        (2, 16, 32, 48),
        (2, 32, 16, 24),
        (2, 64, 8, 12),
        (2, 128, 4, 6),
    ]
    assert torch.equal(levels[-1], backbone(images))
    assert not any(module._forward_hooks for module in backbone.modules())  # none is left, however often it runs


def test_aggregation_adds_averages() -> None:
    """With identity convolutions, the input of the last one is x plus its averages over 2, 4 and 8, enlarged."""
    block = FeatureAggregation(1).eval()
    for branch in block.branches:
        nn.init.dirac_(branch.weight)
    x = torch.rand(1, 1, 16, 8)
    seen: list[torch.Tensor] = []
    block.merge.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    block(x)
    expected = x + sum(
        F.interpolate(F.avg_pool2d(x, rate), (16, 8), mode="bilinear", align_corners=False) for rate in (2, 4, 8)
    )
    assert torch.allclose(seen[0], expected)
    block(torch.full_like(x, 2.0))
    assert torch.allclose(seen[1], torch.full_like(x, 8.0))


def test_guidance_pools_to_1_3_and_5() -> None:
    block = GlobalGuidance(2, 4).eval()
    for branch in block.branches:
        nn.init.dirac_(branch.weight)
    top = torch.rand(1, 2, 6, 7)
    seen: list[torch.Tensor] = []
    block.merge.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    assert block(top).shape == (1, 4, 6, 7)
    assert torch.equal(seen[0][:, :2], top)
    assert torch.allclose(seen[0][:, 2:4], top.mean(dim=(2, 3), keepdim=True).expand(-1, -1, 6, 7))
    coarse = F.interpolate(F.adaptive_avg_pool2d(top, 5), (6, 7), mode="bilinear", align_corners=False)
    assert torch.allclose(seen[0][:, 6:], coarse)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (109, 141), (7, 200), (1, 1)])
def test_logits_of_any_size(height: int, width: int) -> None:
    network = build().eval()
    assert network.least == 64
    assert network(torch.randn(1, 3, height, width)).shape == (1, 1, height, width)


def test_a_small_image_is_padded_with_the_mean_colour() -> None:
    network = build().eval()
    image = torch.randn(1, 3, 40, 50)
    padded = F.pad(image, (0, 14, 0, 24))
    assert torch.allclose(network(image), network(padded)[..., :40, :50], atol=1e-6)


@pytest.mark.parametrize(
    ("net", "stride", "least"),
    [("small", 8, 64), ("vgg16", 16, 128), ("vgg16", 8, 64), ("resnet50", 16, 128), ("timm:mobilenetv2_100", 16, 128)],
)
def test_every_backbone(net: str, stride: int, least: int) -> None:
    network = build(backbone={"net": net, "options": {}}, output_stride=stride, decoder_width=8).eval()
    assert network.least == least
    with torch.inference_mode():
        assert network(torch.randn(1, 3, 33, 70)).shape == (1, 1, 33, 70)


def test_every_weight_learns() -> None:
    network = build()
    network(torch.randn(2, 3, 64, 64)).square().mean().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_frozen_parts_have_no_gradient() -> None:
    network = build(frozen_stages=1, frozen_batch_norm="all")
    assert not any(parameter.requires_grad for parameter in network.backbone.stages[0][0].parameters())
    assert all(parameter.requires_grad for parameter in network.aggregate.parameters())


def test_a_backbone_of_one_stage_is_refused() -> None:
    net = nn.Conv2d(3, 4, 1)
    with pytest.raises(ValueError, match="two stages or more, found 1"):
        PoolNet(Backbone(net, channels=4, output_stride=1, stages=[[net]]), 8)
