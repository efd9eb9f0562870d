"""DeepLab-v3+: its size counted by hand, its grid, and what batch normalisation and mixed precision ask of it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from wsss_steps.errors import UserError
from wsss_steps.nets.backbones import Backbone, build_backbone
from wsss_steps.nets.deeplab import build_deeplab
from wsss_steps.nets.deeplab_v3plus import Decoder, DeepLabV3Plus, Pyramid
from wsss_steps.nets.precision import compute_in


def build(net: str = "small", num_classes: int = 3, **options: Any) -> Any:
    defaults = {
        "head": "v3plus",
        "backbone": {"net": net, "options": {}},
        "output_stride": 16,
        "aspp_rates": [1, 2],
        "low_level_width": 6,
        "decoder_width": 8,
        "dilated": True,
        "frozen_stages": 0,
        "frozen_batch_norm": "none",
    }
    torch.manual_seed(0)
    return build_deeplab(num_classes, **(defaults | options))


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(("low", "total"), [(48, 40_352_181), (256, 40_352_181 + 208 * (256 + 2 + 256 * 9))])
def test_its_size_on_resnet50(low: int, total: int) -> None:
    """Without the second 3x3 convolution, 39.8 M: the size of public ones with ResNet-50 and 21 labels."""
    network = build("resnet50", 20, aspp_rates=[6, 12, 18], low_level_width=low, decoder_width=256)
    norm = 2 * 256
    pyramid = (2048 * 256 + norm) * 2 + (2048 * 256 * 9 + norm) * 3 + (5 * 256 * 256 + norm)
    decoder = (256 * low + 2 * low) + ((256 + low) * 256 * 9 + norm) + (256 * 256 * 9 + norm) + (256 * 21 + 21)
    resnet = 25_557_032 - (2048 * 1000 + 1000)  # torchvision's, without fc
    assert resnet + pyramid + decoder == total
    assert (count(network.decoder.pyramid), count(network)) == (pyramid, total)
    assert 40_352_181 - (256 * 256 * 9 + norm) == 39_761_845


@pytest.mark.parametrize(
    ("net", "output_stride"),
    [("small", 16), ("small", 4), ("resnet50", 16), ("vgg16", 8), ("timm:mobilenetv2_100", 16)],
)
@pytest.mark.parametrize("size", [(64, 96), (37, 50)])
def test_logits_have_one_cell_per_4_px_begun(net: str, output_stride: int, size: tuple[int, int]) -> None:
    network = build(net, output_stride=output_stride).eval()
    with torch.no_grad():
        logits = network(torch.randn(1, 3, *size))
    assert network.stride == 4
    assert logits.shape == (1, 4, -(-size[0] // 4), -(-size[1] // 4))


def test_low_level_features_are_those_at_the_end_of_stride_4() -> None:
    for net, stages, channels in (("resnet50", 4, 256), ("small", 3, 32), ("vgg16", 4, 128)):
        decoder = build(net).decoder
        assert (decoder.stages, decoder.low_level[0].in_channels) == (stages, channels)


def test_deep_features_are_drawn_on_the_grid_of_cells() -> None:
    """Features that say where the centre of their cell lies say it at stride 4 as well."""
    decoder = build().decoder
    decoder.pyramid = decoder.low_level = decoder.convolutions = decoder.head = nn.Identity()
    columns = (torch.arange(5.0) + 0.5) * 16
    deep = columns.expand(1, 1, 3, 5)
    low = torch.zeros(1, 1, 12, 20)  # the image has 47 x 74 px; the cells at its edge are padding in part
    found = decoder([low, deep, deep], (47, 74))
    assert found.shape == (1, 2, 12, 19)
    assert found[0, 0, :, 2:-3].unique(dim=0).tolist() == [[(column + 0.5) * 4 for column in range(2, 16)]]


def test_repeating_a_mean_before_its_normalisation_changes_nothing() -> None:
    pyramid, features = Pyramid(5, 4, [1]), torch.randn(3, 5, 6, 7)
    pyramid.merge = nn.Identity()
    usual = nn.BatchNorm2d(4)(pyramid.pooled(features.mean((2, 3), keepdim=True))).relu()
    torch.testing.assert_close(pyramid(features)[:, 8:], usual.expand(-1, -1, 6, 7), rtol=1e-4, atol=1e-5)


def test_a_single_image_can_be_trained_on_and_all_parameters_learn() -> None:
    network = build()
    assert network(torch.randn(1, 3, 32, 32)).isfinite().all()
    network(torch.randn(2, 3, 32, 32)).square().mean().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in network.parameters())


def test_frozen_batch_norm_is_that_of_the_backbone() -> None:
    network = build(frozen_stages=1, frozen_batch_norm="all").train()
    norms = {name: layer.training for name, layer in network.named_modules() if isinstance(layer, nn.BatchNorm2d)}
    assert {name for name, training in norms.items() if training} == {n for n in norms if n.startswith("decoder.")}
    assert all(parameter.requires_grad for parameter in network.decoder.parameters())


def test_the_decoder_computes_in_float32() -> None:
    network, images = build().eval(), torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        exact = network(images)
        compute_in(network.backbone, "bfloat16")
        coarse = network(images)
    assert coarse.dtype == torch.float32
    assert not torch.equal(coarse, exact)
    torch.testing.assert_close(coarse, exact, rtol=0.1, atol=0.05)


def test_a_backbone_without_a_stage_of_stride_4_is_refused() -> None:
    halves = [nn.Conv2d(3, 3, 2, 8), nn.Conv2d(3, 3, 1)]
    backbone = Backbone(nn.Sequential(*halves), channels=3, output_stride=8, stages=[[one] for one in halves])
    with pytest.raises(UserError, match=r"expected a backbone with a stage that ends at stride 4, found \[8, 8\]"):
        Decoder(backbone, 2, rates=[1], width=4, low_level_width=4)


def test_measuring_a_backbone_leaves_it_as_it_is() -> None:
    backbone = build_backbone("small", output_stride=8, options={}).train()
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    DeepLabV3Plus(backbone, Decoder(backbone, 2, rates=[1], width=4, low_level_width=4))
    assert backbone.training
    assert all(torch.equal(value, before[name]) for name, value in backbone.state_dict().items())
