"""Suppression in place of every ReLU of a backbone: how many there are, that none is missed, and what files fit."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from wsss_steps.errors import UserError
from wsss_steps.nets.backbones import Backbone, build_backbone
from wsss_steps.nets.precision import compute_in
from wsss_steps.nets.suppression import InPlaceOfRelu, SuppressedBackbone, Suppression

# all, and those with regions: torchvision's bottlenecks call one ReLU three times, RegNetY has 13 of pooled channels
RELUS = {
    ("small", 8): (10, 10),
    ("vgg16", 8): (13, 13),
    ("resnet50", 16): (49, 49),
    ("timm:resnet10t", 16): (11, 11),
    ("timm:mobilenetv2_100", 16): (35, 35),
    ("timm:regnety_002", 16): (53, 40),
}
IMAGES = torch.rand(2, 3, 70, 50, generator=torch.Generator().manual_seed(0))


def plain(net: str, stride: int) -> Backbone:
    torch.manual_seed(0)
    return build_backbone(net, output_stride=stride, options={}).eval()


def suppressed(net: str, stride: int, delta: float | None, std: float = 0.01) -> SuppressedBackbone:
    return SuppressedBackbone(plain(net, stride), delta, std).eval()


@pytest.mark.parametrize(("net", "stride"), RELUS)
def test_there_is_one_for_every_relu_and_with_delta_1_it_is_a_relu(net: str, stride: int) -> None:
    backbone = suppressed(net, stride, 1.0)
    modules = list(backbone.suppressions)
    assert (len(modules), sum(isinstance(one, Suppression) for one in modules)) == RELUS[net, stride]
    called: list[nn.Module] = []
    for one in modules:
        one.register_forward_hook(lambda module, *_: called.append(module))
    with torch.no_grad():
        assert torch.equal(backbone(IMAGES), plain(net, stride)(IMAGES))
    assert called == modules  # each once, in this order


@pytest.mark.parametrize("delta", [0.5, None])
def test_no_output_exceeds_the_share_of_its_maximum(delta: float | None) -> None:
    backbone = suppressed("small", 8, delta)
    found: list[tuple[Tensor, Tensor]] = []
    for one in backbone.suppressions:
        one.register_forward_hook(
            lambda module, given, made: found.append((module.share(given[0].relu()), given[0], made))
        )
    backbone(IMAGES)
    for share, given, made in found:
        torch.testing.assert_close(made.amax((2, 3)), share * given.relu().amax((2, 3)))


def test_a_controller_of_zeros_halves_and_one_starts_from_about_a_half() -> None:
    one = Suppression(4, None, 0.01)
    features = torch.randn(2, 4, 5, 6)
    assert (one.share(features) - 0.5).abs().max() < 0.02
    assert one.controller is not None
    assert (one.controller.weight.shape, one.controller.bias) == ((4, 4), None)
    nn.init.zeros_(one.controller.weight)
    assert torch.equal(one.share(features), torch.full((2, 4), 0.5))


def test_a_learnt_share_by_hand() -> None:
    """sigmoid(W m) of the means of the ReLUs: m = (1.5, 0), W = ((2, 5), (0, 1)), so sigmoid(3) and sigmoid(0)."""
    one = Suppression(2, None, 0.01)
    assert one.controller is not None
    with torch.no_grad():
        one.controller.weight.copy_(torch.tensor([[2.0, 5.0], [0.0, 1.0]]))
    features = torch.tensor([[[[-2.0, 3.0]], [[-1.0, -7.0]]]])
    assert one.share(features.relu())[0].tolist() == pytest.approx([0.9525741, 0.5])
    assert one(features)[0].flatten().tolist() == pytest.approx([0, 3 * 0.9525741, 0, 0])
    assert one(features).flatten().tolist() == pytest.approx([0, 3 * 0.9525741, 0, 0])


def test_relus_are_found_however_they_are_called() -> None:
    calls = 0

    def instead(features: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        return -features

    x = torch.tensor([-1.0, 2.0, 8.0])
    with InPlaceOfRelu(instead):
        for found in (F.relu(x), torch.relu(x), x.relu(), nn.ReLU()(x), F.relu(input=x), x.clone().relu_()):
            assert found.tolist() == [1, -2, -8]
        for found in (F.relu6(x), nn.ReLU6()(x), F.hardtanh(x, min_val=0, max_val=6)):
            assert found.tolist() == [0, -2, -6]
        assert F.hardtanh(x).tolist() == [-1, 1, 1]
        assert F.gelu(x).shape == x.shape
    assert calls == 9


def test_a_backbone_without_a_relu_is_refused() -> None:
    with pytest.raises(UserError, match="expected a backbone with ReLUs, found none"):
        suppressed("timm:efficientnet_b0", 16, 0.5)


def test_files_of_weights_fit_and_all_are_trained_at_the_rate_of_the_backbone() -> None:
    before, after = plain("resnet50", 16), suppressed("resnet50", 16, None)
    assert before.net.state_dict().keys() == after.net.state_dict().keys()
    learnt = sum(parameter.numel() for parameter in after.suppressions.parameters())
    assert learnt == sum(one.controller.weight.shape[0] ** 2 for one in after.suppressions)
    assert sum(one.numel() for one in after.parameters()) == sum(one.numel() for one in before.parameters()) + learnt
    assert {*map(id, after.suppressions.parameters())} <= {*map(id, after.parameters())}


def test_a_copy_has_suppressions_of_its_own() -> None:
    backbone = suppressed("small", 8, None)
    other = copy.deepcopy(backbone)
    with torch.no_grad():
        other.suppressions[0].controller.weight.fill_(-9)
        assert not torch.equal(other(IMAGES), backbone(IMAGES))


def test_in_bfloat16_the_features_are_close_and_float32() -> None:
    backbone = suppressed("small", 8, None)
    with torch.no_grad():
        fine = backbone(IMAGES)
        compute_in(backbone, "bfloat16")
        coarse = backbone(IMAGES)
    assert coarse.dtype == torch.float32
    assert not torch.equal(coarse, fine)
    assert (coarse - fine).abs().max() < 0.1 * fine.abs().max()


def test_building_leaves_statistics_and_mode_as_they_are() -> None:
    network = build_backbone("small", output_stride=8, options={})
    before = {name: value.clone() for name, value in network.net.state_dict().items()}
    backbone = SuppressedBackbone(network, 0.5, 0.01)
    assert backbone.training
    assert backbone.net.training
    assert all(torch.equal(value, before[name]) for name, value in backbone.net.state_dict().items())
