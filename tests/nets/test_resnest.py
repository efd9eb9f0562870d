"""ResNeSt of timm, the backbone of Puzzle-CAM: published sizes, grids, stages, and what it leaves out when dilated."""

from __future__ import annotations

from typing import Any

import pytest
import timm
import torch
from torch import nn

from wsss_steps.methods.classifier import puzzle
from wsss_steps.nets.backbones import Backbone, build_backbone, freeze

PUBLISHED = {"resnest50d": 27.5, "resnest101e": 48.3, "resnest269e": 110.9}  # million parameters, with 1000 classes
SIDE = 70


def weightless(name: str, output_stride: int, **options: Any) -> Backbone:
    with torch.device("meta"):
        return build_backbone(f"timm:{name}", output_stride=output_stride, options={}, **options).eval()


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_sizes(name: str) -> None:
    with torch.device("meta"):
        whole = timm.create_model(name, pretrained=False)
    assert round(count(whole) / 1e6, 1) == PUBLISHED[name]
    assert count(weightless(name, 16)) == count(whole) - (2048 * 1000 + 1000)


@pytest.mark.parametrize(
    ("name", "output_stride", "dilations"),
    [("resnest50d", 16, [1, 1, 1, 2]), ("resnest50d", 8, [1, 1, 2, 4]), ("resnest101e", 16, [1, 1, 1, 2])],
)
def test_grid_stages_and_dilation(name: str, output_stride: int, dilations: list[int]) -> None:
    backbone = weightless(name, output_stride)
    cells = -(-SIDE // output_stride)
    features = backbone.net.forward_features(torch.zeros(1, 3, SIDE, SIDE, device="meta"))  # type: ignore[operator]
    assert (features.shape, backbone.channels) == ((1, 2048, cells, cells), 2048)
    assert [max(dilations_of(*stage)) for stage in backbone.stages] == dilations
    assert sum(count(part) for stage in backbone.stages for part in stage) == count(backbone)
    assert dilations_of(weightless(name, output_stride, dilated=False)) == {1}


def dilations_of(*modules: nn.Module) -> set[int]:
    return {one.dilation[0] for module in modules for one in module.modules() if isinstance(one, nn.Conv2d)}


def test_puzzle_trains_one() -> None:
    """Split attention normalises one number per image and channel, so a batch needs two images."""
    torch.manual_seed(0)
    options = {"output_stride": 16, "dilated": True, "frozen_stages": 0, "frozen_batch_norm": "none"}
    network = puzzle.build(2, backbone={"net": "timm:resnest14d", "options": {}}, **options)
    batch = {"images": torch.randn(2, 3, 48, 64), "inside": torch.ones(2, 48, 64, dtype=torch.bool)}
    batch["tags"] = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    weights = {"lambda_tags": 1.0, "lambda_tiles": 1.0, "alpha": 4.0, "schedule": 0.0}
    loss = torch.stack(list(puzzle.losses(network, batch, **weights).values())).sum()
    loss.backward()
    assert loss.isfinite()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in network.parameters())


def test_frozen_statistics_stay() -> None:
    backbone = build_backbone("timm:resnest14d", output_stride=16, options={})
    freeze(backbone, 1, "statistics")
    before = {key: value.clone() for key, value in backbone.state_dict().items()}
    backbone.train()(torch.rand(1, 3, 32, 32))
    assert all(torch.equal(value, before[key]) for key, value in backbone.state_dict().items())


def test_what_timm_leaves_out_of_a_dilated_stage() -> None:
    """The 3x3 average that came with the removed stride: with it put back, the numbers are those of the strided one."""
    torch.manual_seed(0)
    strided, dilated = (build_backbone("timm:resnest14d", output_stride=one, options={}).eval() for one in (32, 16))
    for layer in strided.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 1.0)  # some begin with 0, which would hide the branch
    dilated.net.load_state_dict(strided.net.state_dict())
    images = torch.rand(1, 3, 96, 128)
    with torch.no_grad():
        expected = strided(images)
        block: Any = dilated.stages[3][0][0]  # type: ignore[index]
        assert block.avd_last is None
        before = (dilated(images)[..., ::2, ::2] - expected).norm() / expected.norm()
        block.avd_last = nn.AvgPool2d(3, 1, padding=1)
        after = (dilated(images)[..., ::2, ::2] - expected).norm() / expected.norm()
    assert after < 1e-5
    assert before > 1e-2
