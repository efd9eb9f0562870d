"""Convolutional networks that turn images into feature maps of a chosen output stride.

`backbones/<family>.py` builds the networks of a family, and nothing else registers it. The family of a network is its
name up to a colon, without a number at the end: `resnet` of `resnet50`, `timm` of `timm:<name>`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wsss_steps.errors import UserError
from wsss_steps.nets.families import families, family_of

FROZEN_BATCH_NORM = ("none", "statistics", "all")
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.SyncBatchNorm)


class Backbone(nn.Module):
    """A network without its head.

    net: the keys of its weights are those of torchvision or timm, so their files fit.
    channels, output_stride: of the feature map.
    stages: modules from the input to the output, for `freeze`; the stem is part of the first. The stages end at strides
        4, 8, 16 and 32 of the undilated network (2, 4, 8, 16 for `small`).
    heads: prefixes of keys in weights files that belong to the removed head.
    coarse: whether it computes in bfloat16; its weights, inputs and outputs are float32 all the same.
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
        self.coarse = False
        self._still: list[nn.Module] = []

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B K h w"]:
        """Feature maps of normalised images; h = ceil(H / output_stride), w likewise."""
        # timm's networks end in a classifier; `forward_features` is the part before it
        features = getattr(self.net, "forward_features", self.net)
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.coarse):
            result: Tensor = features(images)
        return result.float() if self.coarse else result

    def train(self, mode: bool = True) -> Backbone:
        """As nn.Module.train, but frozen modules stay in evaluation mode."""
        super().train(mode)
        for module in self._still:
            module.eval()
        return self


def freeze(backbone: Backbone, stages: int, batch_norm: str) -> None:
    """Freeze the first `stages` stages, and the batch norms as `batch_norm` says.

    batch_norm: none, statistics (running mean and variance; the affine part is trained), or all. Frozen parameters get
    no gradient, and frozen modules stay in evaluation mode during training.
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


def check_stride(net: str, output_stride: int, known: tuple[int, ...]) -> None:
    """Raise a UserError unless `net` can have this output stride."""
    if output_stride not in known:
        raise UserError(
            f"backbone {net} has no output stride {output_stride}; it can have {', '.join(map(str, known))}"
        )


def undilate(network: nn.Module) -> None:
    """Set every convolution to dilation 1, with less padding, so that the output keeps its size."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            if not isinstance(module.padding, str):
                pairs = zip(module.padding, module.dilation, strict=True)
                module.padding = tuple(padding // dilation for padding, dilation in pairs)
            module.dilation = (1, 1)


def unknown(net: str) -> UserError:
    """The error for a network that no family builds."""
    return UserError(f"unknown backbone '{net}'; known backbones: {', '.join(known_nets())}")


def check_no_options(net: str, options: Mapping[str, Any]) -> None:
    """Raise a UserError if options are given."""
    if options:
        raise UserError(f"backbone {net} takes no options, found {dict(options)}; options are for timm:<name>")


def known_nets() -> list[str]:
    """Names of the networks that can be built; only for error messages, since it imports every family."""
    return [net for family in families() for net in _module(family).NETS]


def _module(family: str) -> ModuleType:
    return importlib.import_module(f"{__name__}.{family}")


def build_backbone(net: str, *, output_stride: int, options: Mapping[str, Any], dilated: bool = True) -> Backbone:
    """A backbone with random weights, drawn from torch's generator.

    Args:
        net: small, resnet50, resnet101, vgg16, wideresnet38, or timm:<name>.
        output_stride: 4, 8, 16 or 32, as far as the network can.
        options: further arguments of timm.create_model.
        dilated: dilate the convolutions after a removed stride, which keeps the receptive field (DeepLab); otherwise
            they stay those of the strided network, on a finer grid (IRN's classifier).

    A UserError if the network or its stride is unknown.
    """
    family = family_of(net)
    if family not in families():
        raise unknown(net)
    backbone: Backbone = _module(family).build(net, output_stride, options)
    if not dilated:
        undilate(backbone.net)
    return backbone
