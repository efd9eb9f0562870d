"""The classifier of DRS: its modules, its grid, how it starts, and what is done with a trained one."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import nn

from wsss_steps import methods
from wsss_steps.formats.weights import write_weights
from wsss_steps.methods import trainees
from wsss_steps.methods.cams import _shared, cam, gradcam
from wsss_steps.methods.classifier import drs
from wsss_steps.nets.backbones import build_backbone
from wsss_steps.nets.stage_outputs import stage_outputs
from wsss_steps.nets.suppression import Suppression
from wsss_steps.settings.base import Backbone
from wsss_steps.settings.classifier import Drs
from wsss_steps.training.optimisers import make_optimiser

IMAGES = torch.rand(2, 3, 40, 56, generator=torch.Generator().manual_seed(0))
SMALL: dict[str, Any] = {"backbone": Backbone(net="small"), "frozen_batch_norm": "none", "width": 8}


def settings_of(**overrides: Any) -> dict[str, Any]:
    return Drs(**overrides).model_dump(mode="json") | {"backbone": backbone_of(overrides.get("backbone", "vgg16"))}


def backbone_of(backbone: str | Backbone) -> dict[str, Any]:
    return (Backbone(net=backbone) if isinstance(backbone, str) else backbone).model_dump(mode="json")


def build(**overrides: Any) -> Any:
    torch.manual_seed(0)
    return drs.build(2, **methods.arguments(drs.build, settings_of(**overrides)))


def suppressions(network: nn.Module) -> list[Suppression]:
    return [module for module in network.modules() if isinstance(module, Suppression)]


def test_vgg16_has_one_in_place_of_each_of_its_13_relus_and_one_behind_each_of_3_convolutions() -> None:
    network = build()
    widths = [64] * 2 + [128] * 2 + [256] * 3 + [512] * 9
    assert [one.controller.in_features for one in suppressions(network) if one.controller] == widths
    convolutions = [layer for layer in network.head if isinstance(layer, nn.Conv2d)]
    assert [(layer.kernel_size[0], layer.in_channels, layer.out_channels) for layer in convolutions] == [
        *[(3, 512, 512)] * 3,
        (1, 512, 2),
    ]
    assert not any(isinstance(layer, nn.ReLU) for layer in network.head)


def test_of_a_constant_share_nothing_is_learnt() -> None:
    found = suppressions(build(delta=0.55))
    assert len(found) == 16
    assert [(one.delta, [*one.parameters()]) for one in found] == [(0.55, [])] * 16


@pytest.mark.parametrize("stride", [8, 16, 32])
def test_the_grid_and_pool5(stride: int) -> None:
    network = build(output_stride=stride, delta=1.0).eval()
    with torch.no_grad():
        assert network.maps(IMAGES).shape == (2, 2, -(-40 // stride), -(-56 // stride))
        assert [len(one[0]) for one in stage_outputs(network.backbone, IMAGES, 3)] == [256, 512, 512]
    last = network.backbone.net.features[-1]
    assert isinstance(last, nn.Identity if stride == 8 else nn.MaxPool2d if stride == 32 else nn.ReLU)


def test_with_delta_1_the_backbone_is_vgg16_up_to_its_last_relu() -> None:
    network = build(delta=1.0).eval()
    torch.manual_seed(0)
    plain = build_backbone("vgg16", output_stride=8, options={}).eval()
    with torch.no_grad():
        assert torch.equal(network.backbone(IMAGES), plain.net.features[:-1](IMAGES))


def test_a_score_is_the_mean_of_its_map() -> None:
    network = build(**SMALL).eval()
    with torch.no_grad():
        torch.testing.assert_close(network(IMAGES), network.maps(IMAGES).mean((2, 3)))


def test_start_of_the_new_convolutions() -> None:
    """N(0, 2 / (k^2 outputs)), by which the classes' weights are the largest, and biases of 0."""
    head = build(delta=0.5).head
    for layer, std in ((head[0], (2 / (9 * 512)) ** 0.5), (head[4], (2 / (9 * 512)) ** 0.5), (head[6], 1.0)):
        assert layer.weight.std().item() == pytest.approx(std, rel=0.05)
        assert not layer.bias.any()


def test_there_may_be_no_further_convolution() -> None:
    network = build(**SMALL, convolutions=0)
    assert [type(layer) for layer in network.head] == [nn.Conv2d]
    assert network(IMAGES).shape == (2, 2)


def test_what_learns_the_shares_has_the_rate_of_its_part() -> None:
    network = build(**SMALL)
    rates = {"learning_rate": 0.1, "head_multiplier": 10.0, "momentum": 0.9, "weight_decay": 0.0}
    own, new = make_optimiser(network, network.backbone, **rates).param_groups
    inner, outer = ([*part.parameters()] for part in (network.backbone.suppressions, network.head))
    assert (own["base"], new["base"]) == (0.1, 1.0)
    assert {*map(id, inner)} < {*map(id, own["params"])}
    assert {*map(id, outer)} == {*map(id, new["params"])}


@pytest.mark.parametrize("delta", [0.0, 1.5, -0.1])
def test_a_share_that_is_none_is_refused(delta: float) -> None:
    with pytest.raises(ValidationError, match="delta"):
        Drs(delta=delta)


def test_the_weaker_of_two_blobs_counts_as_much_as_the_stronger_once_both_are_suppressed() -> None:
    """What the method is for."""
    image = torch.zeros(1, 3, 16, 16)
    image[..., 2:4, 2:4], image[..., 10:12, 10:12] = 1.0, 0.6
    modules = {delta: Suppression(3, delta, 0.01) for delta in (1.0, 0.5)}
    ratio = {delta: one(image)[0, 0, 10, 10] / one(image)[0, 0, 2, 2] for delta, one in modules.items()}
    assert ratio[1.0].item() == pytest.approx(0.6)
    assert ratio[0.5].item() == pytest.approx(1.0)


def test_maps_of_a_network_mirror_with_the_image() -> None:
    """A law of `multi_scale`, which `cam` rests on; Grad-CAM finds its way through suppression, too."""
    network = build(**SMALL).eval()
    pixels = np.random.default_rng(0).integers(0, 256, (32, 48, 3), np.uint8)
    options = {"mean": (0.5,) * 3, "std": (0.25,) * 3, "scales": (1.0, 1.5), "flip": True}
    options |= {"resolution": "full", "merge": "max"}
    classes = np.array([1, 2], np.uint8)
    for raw in (cam.raw_maps, functools.partial(gradcam.raw_maps, pool_grad=True)):
        there, back = (_shared.multi_scale(raw, network, one, classes, **options) for one in (pixels, pixels[:, ::-1]))
        assert there.shape == (2, 32, 48)
        np.testing.assert_allclose(back[..., ::-1], there, atol=1e-5)


def test_a_frozen_one_judges_other_images_and_hands_on_gradients(tmp_path: Path) -> None:
    settings = settings_of(**SMALL)
    network = build(**SMALL)
    content = trainees.content(drs, settings, ["cat", "dog"], "random")
    file = tmp_path / "c.safetensors"
    write_weights(file, "classifier", network.state_dict(), content=content, stamp="")
    judge = trainees.judge(file, ["cat", "dog"], settings["backbone"], "cpu")
    attention = torch.full((2, 1, 40, 56), 0.7, requires_grad=True)
    scores = judge(IMAGES, attention)
    torch.testing.assert_close(scores, network.eval().scores(0.7 * IMAGES))
    scores.sum().backward()
    assert attention.grad is not None
    assert attention.grad.any()
    assert not any(one.requires_grad for one in judge.parameters())
