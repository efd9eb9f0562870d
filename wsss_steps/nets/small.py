"""A small convolutional network that learns from scratch in minutes on one processor core."""

from __future__ import annotations

from collections import OrderedDict

from jaxtyping import Float
from torch import Tensor, nn

WIDTHS = (24, 48, 96, 128)  # channels of the four stages; 0.5 M parameters in all
GROUPS = 8


class ConvNorm(nn.Sequential):
    """3x3 convolution, group normalisation, ReLU. Group norm needs no batch statistics: training is the same at any batch size."""

    def __init__(self, inputs: int, outputs: int, dilation: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, padding=dilation, dilation=dilation, bias=False),
            nn.GroupNorm(GROUPS, outputs),
            nn.ReLU(inplace=True),
        )


class Residual(nn.Module):
    """Two 3x3 convolutions beside a shortcut."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.first = ConvNorm(channels, channels, dilation)
        self.second = nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation, bias=False)
        self.norm = nn.GroupNorm(GROUPS, channels)
        nn.init.zeros_(self.norm.weight)  # starts as the identity, which trains fastest
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Float[Tensor, "B K h w"]) -> Float[Tensor, "B K h w"]:
        """Same shape as `x`."""
        result: Tensor = self.relu(x + self.norm(self.second(self.first(x))))
        return result


def halve() -> nn.Module:
    """2x2 pooling: cell (i, j) lies exactly over its 2x2 input cells, so that maps are not shifted against the image."""
    return nn.MaxPool2d(2, ceil_mode=True)


def small_stages(output_stride: int) -> tuple[OrderedDict[str, nn.Module], int]:
    """Four stages by name, and the channels of the last. Strides are 2, 4, 8, 16 as far as `output_stride` (4, 8 or 16) allows.

    A stage that must not stride is dilated instead, so its field of view stays.
    """
    stages: OrderedDict[str, nn.Module] = OrderedDict()
    inputs, stride, dilation = 3, 1, 1
    for number, width in enumerate(WIDTHS, start=1):
        layers: list[nn.Module] = [ConvNorm(inputs, width, dilation)]
        if stride < output_stride:
            layers.append(halve())
            stride *= 2
        else:
            dilation *= 2
        if number > 1:
            layers.append(Residual(width, dilation))
        stages[f"stage{number}"] = nn.Sequential(*layers)
        inputs = width
    return stages, inputs
