"""Atrous spatial pyramid pooling against its definition, and the network as a whole."""

import pytest
import torch
from torch import nn

from wsss_steps.nets.deeplab import Aspp, build_deeplab

SMALL = {"net": "small", "options": {}}


def build(num_classes: int = 3, **options) -> nn.Module:
    defaults = {
        "head": "v2",
        "backbone": SMALL,
        "low_level_width": 6,
        "decoder_width": 8,
        "output_stride": 8,
        "aspp_rates": [1, 2],
        "dilated": True,
        "frozen_stages": 0,
        "frozen_batch_norm": "none",
    }
    return build_deeplab(num_classes, **(defaults | options))


def test_branches_are_summed() -> None:
    head, features = Aspp(5, 4, (1, 3)), torch.randn(2, 5, 6, 7)
    each = [
        nn.functional.conv2d(features, b.weight, b.bias, padding=r, dilation=r)
        for b, r in zip(head.branches, (1, 3), strict=True)
    ]
    assert torch.allclose(head(features), each[0] + each[1])


def test_a_branch_reaches_as_far_as_its_rate() -> None:
    head = Aspp(1, 1, (3,))
    features = torch.zeros(1, 1, 9, 9)
    features[0, 0, 4, 4] = 1
    rows, columns = head(features)[0, 0].nonzero(as_tuple=True)
    assert set(rows.tolist()) == set(columns.tolist()) == {1, 4, 7}


def test_start_of_the_weights() -> None:
    head = Aspp(256, 21, (6, 12))
    weights = torch.cat([branch.weight.flatten() for branch in head.branches])
    assert weights.std().item() == pytest.approx(0.01, rel=0.02)
    assert not any(branch.bias.any() for branch in head.branches)


def test_deep_branches_have_fc6_fc7_fc8() -> None:
    head = Aspp(8, 4, (2, 5), hidden=16).eval()
    shapes = [tuple(parameter.shape) for parameter in head.branches[1].parameters()]
    assert shapes == [(16, 8, 3, 3), (16,), (16, 16, 1, 1), (16,), (4, 16, 1, 1), (4,)]
    assert [branch[0].dilation for branch in head.branches] == [(2, 2), (5, 5)]
    assert head(torch.randn(1, 8, 3, 4)).shape == (1, 4, 3, 4)


def test_no_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one rate"):
        Aspp(5, 4, ())


@pytest.mark.parametrize(("height", "width"), [(64, 64), (37, 50), (9, 8)])
def test_logits_of_any_size(height: int, width: int) -> None:
    logits = build().eval()(torch.randn(1, 3, height, width))
    assert logits.shape == (1, 4, -(-height // 8), -(-width // 8))


def test_vgg_has_deep_branches() -> None:
    network = build(backbone={"net": "vgg16", "options": {}}, aspp_rates=[6])
    assert network.head.branches[0][0].out_channels == 1024
    assert network.fc_layers.layers == {"fc6": [network.head.branches[0][0]], "fc7": [network.head.branches[0][3]]}
    assert not any("fc_layers" in name for name in network.state_dict())


def test_flat_branches_have_no_layers_that_a_file_may_hold() -> None:
    assert build().fc_layers.layers == {}


def test_frozen_parts_have_no_gradient() -> None:
    network = build(frozen_stages=1, frozen_batch_norm="all")
    frozen = [parameter for parameter in network.backbone.parameters() if not parameter.requires_grad]
    assert frozen
    assert all(parameter.requires_grad for parameter in network.head.parameters())
