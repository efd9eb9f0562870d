"""The wide residual network of 38 layers: its size counted by hand, its levels, grids, dilation and weights by path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from wsss_steps.errors import UserError
from wsss_steps.methods.classifier import plain
from wsss_steps.nets.backbones import Backbone, build_backbone
from wsss_steps.nets.backbones.wideresnet import Bottleneck, Unit
from wsss_steps.nets.deeplab import build_deeplab
from wsss_steps.pretrained.backbones import load_backbone

NET: dict[str, Any] = {"net": "wideresnet38", "options": {}}
OPTIONS: dict[str, Any] = {"backbone": NET, "dilated": True, "frozen_stages": 0, "frozen_batch_norm": "all"}


def weightless(output_stride: int = 8) -> Backbone:
    with torch.device("meta"):
        return build_backbone("wideresnet38", output_stride=output_stride, options={}).eval()


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def of_unit(inputs: int, inner: int, outputs: int, *, shortcut: bool) -> int:
    norms, convolutions = 2 * inputs + 2 * inner, 9 * inputs * inner + 9 * inner * outputs
    return norms + convolutions + (inputs * outputs if shortcut else 0)


def of_bottleneck(inputs: int, inner: int, outputs: int) -> int:
    norms = 2 * inputs + 2 * inner + 2 * 2 * inner
    return norms + inputs * inner + 9 * inner * 2 * inner + 2 * inner * outputs + inputs * outputs


def test_its_size_by_hand() -> None:
    """105.1 M, and 109.2 M with a classifier of 1000 classes."""
    levels = {
        2: of_unit(64, 128, 128, shortcut=True) + 2 * of_unit(128, 128, 128, shortcut=False),
        3: of_unit(128, 256, 256, shortcut=True) + 2 * of_unit(256, 256, 256, shortcut=False),
        4: of_unit(256, 512, 512, shortcut=True) + 5 * of_unit(512, 512, 512, shortcut=False),
        5: of_unit(512, 512, 1024, shortcut=True) + 2 * of_unit(1024, 512, 1024, shortcut=False),
        6: of_bottleneck(1024, 512, 2048),
        7: of_bottleneck(2048, 1024, 4096),
    }
    backbone = weightless()
    found = {number: 0 for number in levels}
    for name, module in backbone.net.named_children():
        if name.startswith("b") and name != "bn7":
            found[int(name[1])] += count(module)
    assert found == levels
    total = sum(levels.values()) + 64 * 3 * 9 + 2 * 4096
    assert (count(backbone), total) == (105_070_912, 105_070_912)
    assert round((total + 4096 * 1000 + 1000) / 1e6, 1) == 109.2


def test_thirty_eight_layers_deep() -> None:
    """Convolutions on the way without shortcuts, and the classifier."""
    convolutions = [name for name, one in weightless().net.named_modules() if isinstance(one, nn.Conv2d)]
    assert len([name for name in convolutions if not name.endswith("branch1")]) + 1 == 38


@pytest.mark.parametrize(
    ("output_stride", "dilations"),
    [
        (8, {5: [1, 2, 2, 2, 2, 2], 6: [4], 7: [4]}),
        (16, {5: [1] * 6, 6: [2], 7: [2]}),
        (32, {5: [1] * 6, 6: [1], 7: [1]}),
    ],
)
def test_grid_and_dilations(output_stride: int, dilations: dict[int, list[int]]) -> None:
    backbone = weightless(output_stride)
    cells = (-(-70 // output_stride), -(-100 // output_stride))
    assert backbone.net(torch.zeros(1, 3, 70, 100, device="meta")).shape == (1, 4096, *cells)
    for number, expected in dilations.items():
        named = [one for name, one in backbone.net.named_modules() if name.startswith(f"b{number}")]
        assert [
            one.dilation[0] for one in named if isinstance(one, nn.Conv2d) and one.kernel_size == (3, 3)
        ] == expected


def test_stages_end_where_the_undilated_strides_do() -> None:
    backbone, sizes = weightless(32), []
    for stage in backbone.stages:
        stage[-1].register_forward_hook(lambda *given: sizes.append(given[2].shape[1:]))
    backbone.net(torch.zeros(1, 3, 64, 64, device="meta"))
    assert sizes == [(256, 16, 16), (512, 8, 8), (1024, 4, 4), (4096, 2, 2)]
    assert sum(count(module) for stage in backbone.stages for module in stage) == count(backbone)


def test_the_features_are_activated() -> None:
    with torch.no_grad():
        assert build_backbone("wideresnet38", output_stride=8, options={}).eval()(torch.rand(1, 3, 32, 32)).min() == 0


@pytest.mark.parametrize("stride", [1, 2])
def test_a_unit_by_hand(stride: int) -> None:
    """One channel, convolutions that look at the centre alone: 2 relu(3 relu(x)) beside x, or 5 relu(x)."""
    unit = Unit(1, 1, 1, stride=stride, dilations=(1, 2)).eval()
    for layer, factor in ((unit.conv_branch2a, 3.0), (unit.conv_branch2b1, 2.0)):
        nn.init.zeros_(layer.weight)
        nn.init.constant_(layer.weight[:, :, 1, 1], factor)
    if unit.conv_branch1 is not None:
        nn.init.constant_(unit.conv_branch1.weight, 5.0)
    for norm in (unit.bn_branch2a, unit.bn_branch2b1):
        norm.eps = 0.0
    found = unit(torch.tensor([[[[1.0, 7.0, -2.0]]]])).flatten().tolist()
    assert found == ([7, 49, -2] if stride == 1 else [11, 0])


def test_dropout_takes_whole_channels_in_the_last_two_levels() -> None:
    units = {name: one for name, one in weightless().net.named_children() if isinstance(one, Bottleneck)}
    assert {name: (type(one.dropout), one.dropout.p) for name, one in units.items()} == {
        "b6": (nn.Dropout2d, 0.3),
        "b7": (nn.Dropout2d, 0.5),
    }
    torch.manual_seed(0)
    unit, images = Bottleneck(2, 8, 3, stride=1, dilations=(1, 1), dropout=0.5), torch.randn(2, 2, 4, 4)
    assert not torch.equal(unit(images), unit(images))
    assert torch.equal(unit.eval()(images), unit(images))


@pytest.fixture(scope="module")
def drawn() -> Backbone:
    torch.manual_seed(0)
    return build_backbone("wideresnet38", output_stride=32, options={}).eval()


@pytest.mark.parametrize("output_stride", [16, 8])
def test_dilation_keeps_the_values_where_grids_meet(drawn: Backbone, output_stride: int) -> None:
    dilated, step = weightless(output_stride), 32 // output_stride
    dilated.net.load_state_dict(drawn.net.state_dict(), assign=True)
    images = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        torch.testing.assert_close(drawn(images), dilated(images)[..., ::step, ::step], rtol=1e-4, atol=1e-4)


def test_weights_by_path(drawn: Backbone, tmp_path: Path) -> None:
    """A file as published: without counters, in the wrapper of a training, with the classifier that it ended in."""
    state = {key: value for key, value in drawn.net.state_dict().items() if not key.endswith("num_batches_tracked")}
    wrapped = {f"module.{key}": value for key, value in state.items()}
    torch.save(wrapped | {"module.fc8.weight": torch.ones(20, 4096, 1, 1)}, tmp_path / "res38.pth")
    with torch.device("meta"):
        other = build_backbone("wideresnet38", output_stride=8, options={})
    other.to_empty(device="cpu")
    name = load_backbone(other, NET | {"weights": "file"}, tmp_path / "res38.pth")
    assert name.startswith("res38.pth sha256:")
    assert all(torch.equal(other.net.state_dict()[key], value) for key, value in state.items())


def test_classifiers_and_segmenters_stand_on_it() -> None:
    with torch.device("meta"):
        classifier = plain.build(20, output_stride=8, **OPTIONS)
        widths = {"aspp_rates": [12], "low_level_width": 48, "decoder_width": 256}
        segmenter = build_deeplab(20, head="v2", output_stride=8, **widths, **OPTIONS)
    assert count(classifier) == count(weightless()) + 4096 * 20
    assert count(segmenter) == count(weightless()) + 9 * 4096 * 21 + 21


def test_wrong_requests_are_answered() -> None:
    with pytest.raises(UserError, match="unknown backbone 'wideresnet50'; known backbones: .*wideresnet38"):
        build_backbone("wideresnet50", output_stride=8, options={})
    with pytest.raises(UserError, match="wideresnet38 has no output stride 4; it can have 8, 16, 32"):
        build_backbone("wideresnet38", output_stride=4, options={})
    with pytest.raises(UserError, match="wideresnet38 takes no options"):
        build_backbone("wideresnet38", output_stride=8, options={"dropout": 0.1})
