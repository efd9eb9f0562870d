"""One suite of contracts for every backbone; freezing; the sizes stated by DeepLab."""

import pytest
import torch
import torchvision
from torch import nn

from wsss_steps.errors import UserError
from wsss_steps.nets.backbones import Backbone, build_backbone, freeze

NETS = [
    ("small", 4),
    ("small", 16),
    ("resnet50", 8),
    ("resnet50", 16),
    ("vgg16", 8),
    ("vgg16", 16),
    ("timm:mobilenetv2_100", 8),
    ("timm:mobilenetv2_100", 16),
    ("timm:resnet18", 8),
]


def build(net: str, output_stride: int) -> Backbone:
    torch.manual_seed(0)
    return build_backbone(net, output_stride=output_stride, options={})


def parameters(modules: list[nn.Module]) -> set[int]:
    return {id(parameter) for module in modules for parameter in module.parameters()}


@pytest.mark.parametrize(("net", "output_stride"), NETS)
def test_contract(net: str, output_stride: int) -> None:
    backbone = build(net, output_stride).eval()
    with torch.no_grad():
        features = backbone(torch.rand(1, 3, 64, 96))
    assert features.shape == (1, backbone.channels, 64 // output_stride, 96 // output_stride)
    assert backbone.output_stride == output_stride
    stages = [parameters(stage) for stage in backbone.stages]
    assert len(stages) == 4
    assert set().union(*stages) == parameters([backbone])  # every weight is in a stage
    assert sum(map(len, stages)) == len(parameters([backbone]))  # and in only one


def test_stages_are_in_the_order_of_the_forward_pass() -> None:
    for net, output_stride in (("small", 8), ("resnet50", 16), ("vgg16", 16), ("timm:mobilenetv2_100", 16)):
        backbone, order = build(net, output_stride).eval(), list[int]()
        for number, stage in enumerate(backbone.stages):
            for module in (inner for part in stage for inner in part.modules() if not list(inner.children())):
                module.register_forward_hook(lambda *_, number=number, order=order: order.append(number))
        with torch.no_grad():
            backbone(torch.rand(1, 3, 32, 32))
        assert order == sorted(order)
        assert set(order) == {0, 1, 2, 3}


def test_deeplab_on_vgg16_turns_321_into_41() -> None:
    with torch.no_grad():
        assert build("vgg16", 8).eval()(torch.zeros(1, 3, 321, 33)).shape == (1, 512, 41, 5)


def test_dilated_networks_have_the_weights_of_the_strided_ones() -> None:
    for net, strides in (("resnet50", (8, 32)), ("vgg16", (8, 16)), ("timm:mobilenetv2_100", (8, 32))):
        one, two = (build(net, stride).net.state_dict() for stride in strides)
        assert {key: value.shape for key, value in one.items()} == {key: value.shape for key, value in two.items()}


def test_dilation_keeps_the_values_where_grids_meet() -> None:
    """A dilated network computes the same numbers at every second cell: the atrous algorithm."""
    strided, dilated = build("vgg16", 32).eval(), build("vgg16", 16).eval()
    dilated.net.load_state_dict(strided.net.state_dict())
    with torch.no_grad():
        image = torch.rand(1, 3, 64, 64)
        assert torch.allclose(strided(image), nn.functional.max_pool2d(dilated(image), 2), atol=1e-5)
    strided, dilated = build("timm:resnet18", 32).eval(), build("timm:resnet18", 16).eval()
    dilated.net.load_state_dict(strided.net.state_dict())
    with torch.no_grad():
        image = torch.rand(1, 3, 96, 128)
        assert torch.allclose(strided(image), dilated(image)[..., ::2, ::2], atol=1e-4)


@pytest.mark.parametrize("net", ["resnet50", "timm:resnet18", "small"])
def test_frozen_stages_and_batch_norms_do_not_move(net: str) -> None:
    backbone = build(net, 16)
    freeze(backbone, 2, "all")
    backbone.train()
    before = {key: value.clone() for key, value in backbone.state_dict().items()}
    trainable = [parameter for parameter in backbone.parameters() if parameter.requires_grad]
    assert {id(parameter) for parameter in trainable} <= parameters([*backbone.stages[2], *backbone.stages[3]])
    optimiser = torch.optim.SGD(trainable, lr=0.1)
    backbone(torch.rand(2, 3, 32, 32)).square().mean().backward()
    optimiser.step()
    moved = {key for key, value in backbone.state_dict().items() if not torch.equal(value, before[key])}
    assert moved
    statistics = {key for key in before if "running" in key or "num_batches" in key}
    assert not moved & statistics
    frozen = {id(module) for stage in backbone.stages[:2] for part in stage for module in part.modules()}
    names = {name for name, module in backbone.named_modules() if id(module) in frozen and not list(module.children())}
    assert not {key for key in moved if key.rpartition(".")[0] in names}


def test_batch_norm_moves_unless_frozen() -> None:
    backbone = build("timm:resnet18", 16)
    freeze(backbone, 1, "none")
    before = {key: value.clone() for key, value in backbone.state_dict().items() if "running_mean" in key}
    backbone.train()
    backbone(torch.rand(2, 3, 32, 32))
    moved = {key for key, value in before.items() if not torch.equal(backbone.state_dict()[key], value)}
    assert moved == {key for key in before if not key.startswith(("net.bn1", "net.layer1"))}


@pytest.mark.parametrize("net", ["resnet50", "timm:resnet18"])
def test_frozen_statistics_leave_the_affine_part_to_training(net: str) -> None:
    """As in IRN: running means and variances stay, weights and biases of trainable stages move."""
    backbone = build(net, 16)
    freeze(backbone, 2, "statistics")
    backbone.train()
    before = {key: value.clone() for key, value in backbone.state_dict().items()}
    optimiser = torch.optim.SGD([one for one in backbone.parameters() if one.requires_grad], lr=0.1)
    backbone(torch.rand(2, 3, 32, 32)).square().mean().backward()
    optimiser.step()
    moved = {key for key, value in backbone.state_dict().items() if not torch.equal(value, before[key])}
    assert not {key for key in moved if "running" in key or "num_batches" in key}
    norms = {name for name, module in backbone.named_modules() if isinstance(module, nn.BatchNorm2d)}
    affine = {key.split(".")[1] for key in moved if key.rpartition(".")[0] in norms}
    assert affine == {"layer3", "layer4"}


def test_what_is_frozen_of_batch_norm_has_three_values() -> None:
    with pytest.raises(ValueError, match="expected one of none, statistics, all, found 'affine'"):
        freeze(build("small", 8), 0, "affine")


def test_without_dilation_a_resnet_is_that_of_irn() -> None:
    """Layer 4 of torchvision's plain network with its stride set to 1 by hand, and nothing else changed."""
    by_hand = torchvision.models.resnet50(weights=None).eval()
    by_hand.layer4[0].conv2.stride = by_hand.layer4[0].downsample[0].stride = (1, 1)
    ours = build_backbone("resnet50", output_stride=16, options={}, dilated=False).eval()
    dilated = build("resnet50", 16).eval()
    state = {key: value for key, value in by_hand.state_dict().items() if not key.startswith("fc.")}
    ours.net.load_state_dict(state)
    dilated.net.load_state_dict(state)
    x = image = torch.rand(1, 3, 97, 64)
    with torch.no_grad():
        for layer in list(by_hand.children())[:-2]:
            x = layer(x)
        assert torch.equal(ours(image), x)
        assert not torch.allclose(dilated(image), x)


@pytest.mark.parametrize(
    ("net", "stride"), [("small", 4), ("vgg16", 8), ("timm:mobilenetv2_100", 8), ("timm:resnet18", 8)]
)
@pytest.mark.parametrize("size", [(64, 64), (61, 75)])
def test_without_dilation_every_network_keeps_its_grid(net: str, stride: int, size: tuple[int, int]) -> None:
    backbone = build_backbone(net, output_stride=stride, options={}, dilated=False).eval()
    with torch.no_grad():
        assert backbone(torch.rand(1, 3, *size)).shape[2:] == tuple(-(-side // stride) for side in size)
    assert {module.dilation for module in backbone.modules() if isinstance(module, nn.Conv2d)} == {(1, 1)}


def test_wrong_requests_are_answered() -> None:
    with pytest.raises(
        UserError,
        match=r"unknown backbone 'resnet5'; known backbones: kerasresnet50, resnet50, resnet101, small",
    ):
        build("resnet5", 16)
    with pytest.raises(UserError, match=r"timm knows no network 'mobilenetv2_10'; near: .*mobilenetv2_100"):
        build("timm:mobilenetv2_10", 16)
    with pytest.raises(UserError, match=r"vgg16 has no output stride 4; it can have 8, 16, 32"):
        build("vgg16", 4)
    with pytest.raises(UserError, match=r"small has no output stride 32; it can have 4, 8, 16"):
        build("small", 32)
    with pytest.raises(UserError, match=r"vit_tiny_patch16_224 with output_stride=16"):
        build("timm:vit_tiny_patch16_224", 16)
    with pytest.raises(UserError, match=r"takes no options, found \{'width': 3\}"):
        build_backbone("small", output_stride=8, options={"width": 3})
    with pytest.raises(UserError, match=r"options \{'nonsense': 1\}"):
        build_backbone("timm:resnet18", output_stride=16, options={"nonsense": 1})
    with pytest.raises(UserError, match=r"frozen_stages=5: expected at most the 4 stages"):
        freeze(build("small", 8), 5, "all")
