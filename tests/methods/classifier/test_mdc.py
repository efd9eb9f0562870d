"""The classifier with dilated blocks: its maps, the reach of its losses, and its class activation maps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from wsss_steps.methods.cams import _shared, cam
from wsss_steps.methods.classifier import mdc
from wsss_steps.settings.base import Backbone
from wsss_steps.settings.classifier import MdcClassifier

SETTINGS: dict[str, Any] = {
    "backbone": Backbone(net="small").model_dump(mode="json"),
    "output_stride": 8,
    "dilated": True,
    "frozen_stages": 1,
    "frozen_batch_norm": "none",
    "dilations": (1, 3),
    "widths": (8, 6),
    "init": "normal",
    "init_std": 0.01,
}
BATCH = {"images": torch.rand(2, 3, 16, 24), "tags": torch.tensor([[1.0, 0.0], [1.0, 1.0]])}


def build(**overrides: Any) -> Any:
    torch.manual_seed(0)
    return mdc.build(2, **SETTINGS | overrides)


def test_maps_and_scores_are_those_of_the_standard_block() -> None:
    network = build(init="kaiming").eval()
    blocks = network.block_maps(BATCH["images"])
    assert blocks.shape == (3, 2, 2, 2, 3)
    assert torch.equal(network.maps(BATCH["images"]), blocks[0])
    assert torch.equal(network(BATCH["images"]), blocks[0].mean((2, 3)))
    assert not torch.equal(blocks[0], blocks[1])


def test_only_the_first_convolution_is_dilated_and_keeps_the_size() -> None:
    network = build(dilations=(3, 24))
    for block, rate in zip([network.head, *network.dilated], (1, 3, 24), strict=True):
        convolutions = [module for module in block if isinstance(module, nn.Conv2d)]
        assert [conv.dilation[0] for conv in convolutions] == [rate, 1, 1]
        assert [conv.padding[0] for conv in convolutions] == [rate, 1, 0]
        assert [conv.out_channels for conv in convolutions] == [8, 6, 2]


def test_start_of_the_blocks() -> None:
    wide = build(widths=(64, 64), init_std=0.03)
    for conv in (module for module in wide.head if isinstance(module, nn.Conv2d)):
        assert conv.weight.std().item() == pytest.approx(0.03, rel=0.2)
        assert not conv.bias.any()
    kaiming = build(widths=(64, 64), init="kaiming")
    assert kaiming.head[2].weight.std().item() == pytest.approx((2 / (64 * 9)) ** 0.5, rel=0.05)


def test_without_dilations_the_standard_block_is_alone() -> None:
    parts = mdc.losses(build(dilations=()), BATCH, lambda_cls=0.1, detach_target=True)
    assert parts["cam"].item() == 0
    assert parts["tags"].item() == pytest.approx(0.69, abs=0.05)


def test_losses_are_weighted_and_reach_all_but_the_frozen_stage() -> None:
    one, ten = (
        mdc.losses(build(init="kaiming").eval(), BATCH, lambda_cls=weight, detach_target=True) for weight in (0.1, 1.0)
    )
    assert one.keys() == {"tags", "cam"}
    assert ten["cam"].item() == pytest.approx(10 * one["cam"].item())
    assert ten["tags"].item() == one["tags"].item()
    network = build(init="kaiming")
    sum(mdc.losses(network, BATCH, lambda_cls=0.1, detach_target=True).values()).backward()
    without = {name for name, weight in network.named_parameters() if weight.grad is None}
    assert without == {name for name, _ in network.named_parameters() if name.startswith("backbone.net.stages.0.")}


def gradients(detach_target: bool) -> dict[str, torch.Tensor | None]:
    network = build(init="kaiming")
    mdc.losses(network, BATCH, lambda_cls=1.0, detach_target=detach_target)["cam"].backward()
    return {name: weight.grad for name, weight in network.named_parameters() if name.startswith("dilated.")}


def test_a_detached_target_is_not_pulled() -> None:
    """The fused maps come from the dilated blocks: these get gradients of the loss only if it is not detached."""
    assert all(grad is None or not grad.any() for grad in gradients(detach_target=True).values())
    assert any(grad is not None and bool(grad.any()) for grad in gradients(detach_target=False).values())


@pytest.mark.parametrize("frozen", ["none", "statistics", "all"])
def test_batch_normalisation_is_frozen_as_asked(frozen: str) -> None:
    network = build(frozen_batch_norm=frozen, frozen_stages=0).train()
    layers = [module for module in network.backbone.modules() if isinstance(module, nn.BatchNorm2d)]
    assert {layer.training for layer in layers} == {frozen == "none"}
    assert {layer.weight.requires_grad for layer in layers} == {frozen != "all"}


def test_training_lowers_the_loss() -> None:
    network = build(init="kaiming", frozen_stages=0)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.02, momentum=0.9)
    values = []
    for _ in range(12):
        loss = sum(mdc.losses(network, BATCH, lambda_cls=0.1, detach_target=True).values())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        values.append(loss.item())
    assert values[-1] < 0.8 * values[0]


def test_class_activation_maps_can_be_made() -> None:
    options = {"mean": (0.5,) * 3, "std": (0.5,) * 3, "scales": (0.5, 1.0), "flip": False, "resolution": "full"}
    image = np.random.default_rng(0).integers(0, 256, (21, 30, 3), dtype=np.uint8)
    maps = _shared.multi_scale(cam.raw_maps, build(init="kaiming"), image, np.array([1, 2]), merge="max", **options)
    assert maps.shape == (2, 21, 30)
    assert set(maps.max((1, 2)).tolist()) <= {0.0, 1.0}


def test_on_vgg16_it_has_the_dissertations_blocks() -> None:
    settings = MdcClassifier()
    assert settings.dilations == tuple(range(3, 25, 3))
    with torch.device("meta"):
        vgg = {"net": "vgg16", "options": {}}
        network = mdc.build(
            20, **SETTINGS | {"backbone": vgg, "dilations": settings.dilations, "widths": settings.widths}
        )
    assert len(network.dilated) == 8
    assert [tuple(layer.weight.shape) for layer in network.head[::2]] == [
        (1024, 512, 3, 3),
        (1024, 1024, 3, 3),
        (20, 1024, 1, 1),
    ]
