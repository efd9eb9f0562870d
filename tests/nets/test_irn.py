"""IRNet: its grid, its taps, what it trains, and that it learns boundaries from clean labels."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from wsss_steps.nets.irn import IRNet, Levels, build_irn
from wsss_steps.ops.losses.irn import irn_loss
from wsss_steps.settings.base import Backbone
from wsss_steps.settings.refiner import Irn
from wsss_steps.training.optimisers import make_optimiser, poly_schedule

OPEN: dict[str, Any] = {"frozen_stages": 0, "frozen_batch_norm": "none", "displacement_multiplier": 10.0}


def made(net: str = "small", stride: int = 8, **changes: Any) -> IRNet:
    torch.manual_seed(0)
    backbone = Backbone(net=net).model_dump(mode="json")
    return build_irn(backbone, output_stride=stride, dilated=True, **OPEN | changes)


@pytest.mark.parametrize(
    ("net", "stride"), [("small", 16), ("small", 4), ("vgg16", 16), ("timm:resnet10t", 32), ("resnet50", 16)]
)
def test_the_grid_has_a_position_for_every_4_px_whatever_the_backbone(net: str, stride: int) -> None:
    network = made(net, stride).eval()
    images = torch.randn(2, 3, 37, 50)
    with torch.no_grad():
        found = network(images)
        assert found.shape == (2, 3, 10, 13)
        assert torch.allclose(network.boundaries(images), found[:, 0])
    assert found[:, 1:].mean(dim=(2, 3)) == pytest.approx(torch.zeros(2, 2), abs=1e-5)


def test_the_boundary_has_32_features_of_each_stage_in_4_groups() -> None:
    network = made("resnet50", 16)
    levels, last = network.boundary
    shapes = [(level[0].in_channels, level[0].out_channels, level[1].num_groups) for level in levels.levels]
    assert shapes == [(inputs, 32, 4) for inputs in (256, 512, 1024, 2048)]
    assert levels.strides == [4, 8, 16, 16]
    assert (last.in_channels, last.out_channels) == (128, 1)


def test_levels_lie_over_each_other_where_strides_reach_beyond_the_image() -> None:
    """A ramp along the image, seen at strides 2, 4 and 8, is the same ramp at stride 4, but for its ends."""
    strides = (2, 4, 8)
    levels = Levels([(1, stride) for stride in strides], 1, 1)
    levels.levels = nn.ModuleList(nn.Identity() for _ in strides)
    outputs = []
    for stride in strides:
        rows, columns = -(-12 // stride), -(-36 // stride)
        outputs.append((stride * torch.arange(0.5, columns)).expand(1, 1, rows, columns))
    found = levels(outputs)
    assert found.shape == (1, 3, 3, 9)
    assert torch.allclose(found[..., 1:], 4 * torch.arange(0.5, 9)[1:])


def test_a_frozen_backbone_leaves_the_branches_to_train_displacements_at_their_rate() -> None:
    defaults = Irn()
    frozen = {"frozen_stages": defaults.frozen_stages, "frozen_batch_norm": defaults.frozen_batch_norm}
    network = made(**frozen).train()
    assert not any(weight.requires_grad for weight in network.backbone.parameters())
    assert not any(module.training for stage in network.backbone.stages for part in stage for module in part.modules())
    rates = {"learning_rate": defaults.learning_rate, "head_multiplier": defaults.head_multiplier}
    rates |= {"momentum": defaults.momentum, "weight_decay": defaults.weight_decay}
    optimiser = make_optimiser(network, network.backbone, **rates)
    assert [group["base"] for group in optimiser.param_groups] == pytest.approx([0.1, 0.1, 1.0])
    found = [{id(weight) for weight in group["params"]} for group in optimiser.param_groups]
    branches = [{id(weight) for weight in part.parameters()} for part in (network.boundary, network.displacement)]
    assert found == [set(), *branches]
    before = {name: values.clone() for name, values in network.state_dict().items()}
    network(torch.randn(2, 3, 32, 32)).square().sum().backward()
    optimiser.step()
    moved = {name.split(".")[0] for name, values in network.state_dict().items() if not values.equal(before[name])}
    assert moved == {"boundary", "displacement"}


def test_it_learns_boundaries_and_displacements_from_clean_labels() -> None:
    """A disc on noise, with a ring around its edge that has no label: there the boundary must be found."""
    network = made()
    rows, columns = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    distance = ((rows - 32) ** 2 + (columns - 28) ** 2).sqrt()
    images = 0.3 * torch.randn(4, 3, 64, 64) + (distance < 18)
    labels = torch.where((distance - 18).abs() < 5, 255, (distance < 18).long())[2::4, 2::4].expand(4, -1, -1)
    rates = {"learning_rate": 0.01, "head_multiplier": 1.0, "momentum": 0.9, "weight_decay": 1e-4}
    optimiser = make_optimiser(network, network.backbone, **rates)
    poly_schedule(epochs=1, power=0.0, warmup_epochs=0, warmup_from=1.0)(optimiser, 0, 1)
    for _ in range(40):
        found = network(images)
        optimiser.zero_grad()
        torch.stack([*irn_loss(found[:, 0].sigmoid(), found[:, 1:], labels, radius=5).values()]).sum().backward()
        optimiser.step()
    with torch.no_grad():
        boundary, _, across = network.eval()(images)[0]
    row = boundary[8].sigmoid()
    assert min(row[2:4].max(), row[10:12].max()) > 0.5  # the edge is at 10 and 46 px
    assert max(row[:2].max(), row[4:10].max(), row[12:].max()) < 0.2
    assert across[8, 4] > 1 > across[8, 7] > -1 > across[8, 9]  # towards the middle
