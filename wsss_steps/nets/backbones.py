"""Convolutional networks that turn images into feature maps of a chosen output stride."""

from __future__ import annotations

import difflib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import timm
import torch
import torchvision
from jaxtyping import Float
from torch import Tensor, nn

from wsss_steps.errors import UserError
from wsss_steps.nets.small import Small

FROZEN_BATCH_NORM = ("none", "statistics", "all")
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.SyncBatchNorm)
VGG16_BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


class Backbone(nn.Module):
    """A network without its head.

    net: keys of its weights are those of torchvision or timm, so their files fit.
    channels, output_stride: of the feature map.
    stages: modules from the input to the output, for `freeze`; the stem is part of the first, the stages end at strides
    4, 8, 16 and 32
        of the undilated network (2, 4, 8, 16 for `small`).
    heads: prefixes of keys which a weights file may hold for the head that is not here.
    """

    def __init__(
        self,
        net: nn.Module,
        *,
        channels: int,
        output_stride: int,
        stages: list[list[nn.Module]],
        heads: tuple[str, ...] = (),
    ) -> None:
        super().__init__()
        self.net, self.channels, self.output_stride, self.heads = net, channels, output_stride, heads
        self.stages = stages
        self._still: list[nn.Module] = []

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B K h w"]:
        """Feature maps of normalised images; h = ceil(H / output_stride), w likewise."""
        features = getattr(
            self.net, "forward_features", self.net
        )  # timm's networks end in a classifier, this is the part before it
        result: Tensor = features(images)
        return result

    def train(self, mode: bool = True) -> Backbone:
        """As nn.Module.train, but frozen modules stay in evaluation mode."""
        super().train(mode)
        for module in self._still:
            module.eval()
        return self


def freeze(backbone: Backbone, stages: int, batch_norm: str) -> None:
    """Keep the first `stages` stages as they are, and of every batch norm what `batch_norm` says.

    batch_norm: none, statistics (running mean and variance; the affine part is trained), or all.
    Frozen parameters get no gradient, and frozen modules stay in evaluation mode when the network is set to training.
    """
    if batch_norm not in FROZEN_BATCH_NORM:
        raise ValueError(f"batch_norm: expected one of {', '.join(FROZEN_BATCH_NORM)}, found '{batch_norm}'")
    if stages > len(backbone.stages):
        raise UserError(
            f"frozen_stages={stages}: expected at most the {len(backbone.stages)} stages that the backbone has"
        )
    frozen = [module for stage in backbone.stages[:stages] for module in stage]
    norms: list[nn.Module] = [module for module in backbone.modules() if isinstance(module, BATCH_NORMS)]
    for module in frozen + (norms if batch_norm == "all" else []):
        module.requires_grad_(False)
    backbone._still = frozen + (norms if batch_norm != "none" else [])
    backbone.train(backbone.training)


def _known_stride(net: str, output_stride: int, known: tuple[int, ...]) -> None:
    """Raise a UserError unless `net` can have this output stride."""
    if output_stride not in known:
        raise UserError(
            f"backbone {net} has no output stride {output_stride}; it can have {', '.join(map(str, known))}"
        )


def _small(net: str, output_stride: int) -> Backbone:
    """The network of `nets.small`."""
    _known_stride(net, output_stride, (4, 8, 16))
    small = Small(output_stride)
    stages = [[stage] for stage in small.stages]
    return Backbone(small, channels=small.channels, output_stride=output_stride, stages=stages)


def _resnet(net: str, output_stride: int) -> Backbone:
    """ResNet of torchvision (He et al. 2016); the last stages are dilated instead of strided."""
    _known_stride(net, output_stride, (4, 8, 16, 32))
    dilate = [output_stride < stride for stride in (8, 16, 32)]
    resnet = getattr(torchvision.models, net)(weights=None, replace_stride_with_dilation=dilate)
    layers = OrderedDict((name, layer) for name, layer in resnet.named_children() if name not in ("avgpool", "fc"))
    stem = [layers[name] for name in ("conv1", "bn1", "relu", "maxpool", "layer1")]
    stages = [stem, *([layers[f"layer{number}"]] for number in (2, 3, 4))]
    return Backbone(nn.Sequential(layers), channels=2048, output_stride=output_stride, stages=stages, heads=("fc.",))


def _vgg16(net: str, output_stride: int) -> Backbone:
    """VGG16 (Simonyan and Zisserman 2015), convolutions only, as DeepLab changes it.

    Output stride 8: pool4 and pool5 are 3x3 of stride 1 and conv5 has dilation 2. Output stride 16: pool5 is left out.
    """
    _known_stride(net, output_stride, (8, 16, 32))
    layers: list[nn.Module] = []
    ends, inputs = [], 3
    for block, widths in enumerate(VGG16_BLOCKS, start=1):
        dilation = 2 if block == 5 and output_stride == 8 else 1
        for width in widths:
            conv = nn.Conv2d(inputs, width, 3, padding=dilation, dilation=dilation)
            nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
            layers += [conv, nn.ReLU(inplace=True)]
            inputs = width
        if block >= 4 and output_stride == 8:
            layers.append(nn.MaxPool2d(3, stride=1, padding=1))
        elif not (block == 5 and output_stride == 16):
            layers.append(nn.MaxPool2d(2, ceil_mode=True))
        ends.append(len(layers))
    stages = [layers[start:end] for start, end in zip([0, *ends[1:-1]], ends[1:], strict=True)]
    features = nn.Sequential(OrderedDict(features=nn.Sequential(*layers)))
    return Backbone(features, channels=inputs, output_stride=output_stride, stages=stages, heads=("classifier.",))


def _timm(net: str, output_stride: int, options: Mapping[str, Any]) -> Backbone:
    """A convolutional network of timm that knows output strides."""
    name = net.removeprefix("timm:")
    if not timm.is_model(name):
        near = difflib.get_close_matches(name, timm.list_models(), n=5)
        raise UserError(f"timm knows no network '{name}'" + (f"; near: {', '.join(near)}" if near else ""))
    try:
        network: Any = timm.create_model(name, pretrained=False, output_stride=output_stride, **options)
    except (TypeError, AssertionError, NotImplementedError, ValueError) as error:
        raise UserError(
            f"timm cannot build {name} with output_stride={output_stride} and options {dict(options)}: {error}"
        ) from None
    heads = network.default_cfg.get("classifier") or ()
    network.reset_classifier(0)
    side = 64
    network.eval()
    with torch.no_grad():
        shape = tuple(network.forward_features(torch.zeros(1, 3, side, side)).shape)
    network.train()
    if len(shape) != 4 or shape[2:] != (side // output_stride,) * 2:
        cells = side // output_stride
        raise UserError(
            f"{net}: expected feature maps (1, channels, {cells}, {cells}) of a {side} px image, found {shape}; "
            "take another network"
        )
    prefixes = tuple(f"{head}." for head in ((heads,) if isinstance(heads, str) else heads))
    return Backbone(
        network, channels=shape[1], output_stride=output_stride, stages=_timm_stages(network), heads=prefixes
    )


def _timm_stages(network: nn.Module) -> list[list[nn.Module]]:
    """Cut timm's network after each module that it lists as the end of a stride of 4 or more.

    What follows the last of them belongs to it.
    """
    ends = [info["module"] for info in getattr(network, "feature_info", []) if info["reduction"] >= 4]
    stages: list[list[nn.Module]] = [[]]
    for name, child in network.named_children():
        inner = [(f"{name}.{key}", module) for key, module in child.named_children()]
        units = inner if any(end.startswith(f"{name}.") for end in ends) else [(name, child)]
        for unit, module in units:
            stages[-1].append(module)
            if unit in ends[:-1]:
                stages.append([])
    return stages


BUILDERS: dict[str, Callable[[str, int], Backbone]] = {
    "small": _small,
    "resnet50": _resnet,
    "resnet101": _resnet,
    "vgg16": _vgg16,
}


def undilate(network: nn.Module) -> None:
    """Set every convolution to dilation 1; its padding shrinks with it, so that the output keeps its size."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            if not isinstance(module.padding, str):
                pairs = zip(module.padding, module.dilation, strict=True)
                module.padding = tuple(padding // dilation for padding, dilation in pairs)
            module.dilation = (1, 1)


def build_backbone(net: str, *, output_stride: int, options: Mapping[str, Any], dilated: bool = True) -> Backbone:
    """A backbone with random weights, drawn from torch's generator.

    Args:
        net: small, resnet50, resnet101, vgg16, or timm:<name>.
        output_stride: 4, 8, 16 or 32, as far as the network can.
        options: further arguments of timm.create_model.
        dilated: convolutions behind a stride that is taken out are dilated, which keeps what a cell sees
            (DeepLab); without it, they are those of the strided network on a finer grid (IRN's classifier).

    A UserError if the network or its stride is unknown.
    """
    if net.startswith("timm:"):
        backbone = _timm(net, output_stride, options)
    elif net not in BUILDERS:
        raise UserError(f"unknown backbone '{net}'; known backbones: {', '.join(BUILDERS)}, timm:<name>")
    elif options:
        raise UserError(f"backbone {net} takes no options, found {dict(options)}; options are for timm:<name>")
    else:
        backbone = BUILDERS[net](net, output_stride)
    if not dilated:
        undilate(backbone.net)
    return backbone
