"""What DRS puts behind its backbone, with or without suppression (Kim, Han and Kim 2021)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

from wsss_steps.nets.backbones import Backbone, build_backbone


def backbone_of(options: Mapping[str, Any], *, output_stride: int, dilated: bool) -> Backbone:
    """The backbone of the settings `options`; VGG16 of stride 8 comes without its pool5, which has stride 1."""
    backbone = build_backbone(options["net"], output_stride=output_stride, options=options["options"], dilated=dilated)
    layers = getattr(backbone.net, "features", None)
    last = layers[-1] if isinstance(layers, nn.Sequential) else None
    if isinstance(layers, nn.Sequential) and isinstance(last, nn.MaxPool2d) and last.stride == 1:
        layers[-1] = backbone.stages[-1][-1] = nn.Identity()
    return backbone


def extra_convolutions(
    channels: int,
    num_classes: int,
    *,
    width: int,
    convolutions: int,
    activation: Callable[[], nn.Module],
    initialise: Callable[[Tensor], object],
) -> nn.Sequential:
    """3x3 convolutions of `width` channels, each with its activation, and a 1x1 convolution to the classes.

    initialise: of the weights, in place; biases start from 0.
    """
    layers: list[nn.Module] = []
    for inputs in [channels, *[width] * (convolutions - 1)][:convolutions]:
        layers += [nn.Conv2d(inputs, width, 3, padding=1), activation()]
    layers.append(nn.Conv2d(width if convolutions else channels, num_classes, 1))
    for layer in layers:
        if isinstance(layer, nn.Conv2d) and layer.bias is not None:
            initialise(layer.weight)
            nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers)


def by_outputs(weight: Tensor) -> Tensor:
    """Draw a convolution's weights from N(0, 2 / (k^2 outputs))."""
    return nn.init.kaiming_normal_(weight, mode="fan_out", nonlinearity="relu")
