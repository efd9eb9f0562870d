"""Convolutional networks of the library timm."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

import timm
import torch
from torch import nn

from wsss_steps.errors import UserError
from wsss_steps.nets.backbones import Backbone

NETS = ("timm:<name>",)


def build(net: str, output_stride: int, options: Mapping[str, Any]) -> Backbone:
    """A convolutional network of timm that supports the output stride."""
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
    """Split timm's network after each module that it lists with a reduction of 4 or more, except the last."""
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
