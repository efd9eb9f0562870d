"""The wide residual network of 38 layers of "Wider or Deeper" (Wu, Shen and van den Hengel 2016), its model A1.

It is the backbone of AffinityNet and SEAM. Levels, strides, dilations and dropout, and the keys of the weights, are
those of their public code, so its files fit; they have not been compared with the paper.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from wsss_steps.nets.backbones import Backbone, check_no_options, check_stride, unknown

NETS = ("wideresnet38",)
STEM = 64  # channels of the first convolution
LEVELS = {  # number: channels inside its units, channels of their output, units
    2: (128, 128, 3),
    3: (256, 256, 3),
    4: (512, 512, 6),
    5: (512, 1024, 3),
    6: (512, 2048, 1),
    7: (1024, 4096, 1),
}
DROPOUT = {6: 0.3, 7: 0.5}  # of the levels whose units have three convolutions
STAGES = ((2, 3), (4,), (5,), (6, 7))  # levels of each stage; the stem is part of the first


def conv(inputs: int, outputs: int, size: int, *, stride: int = 1, dilation: int = 1) -> nn.Conv2d:
    """A convolution without bias that, but for its stride, keeps the size of maps."""
    layer = nn.Conv2d(inputs, outputs, size, stride, size // 2 * dilation, dilation, bias=False)
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return layer


class Unit(nn.Module):
    """Two 3x3 convolutions, each after batch normalisation and ReLU; `dilations` are theirs, the first has `stride`.

    The shortcut is the input itself, or where sizes differ a 1x1 convolution of the normalised input.
    """

    def __init__(self, inputs: int, inner: int, outputs: int, *, stride: int, dilations: tuple[int, int]) -> None:
        super().__init__()
        self.bn_branch2a = nn.BatchNorm2d(inputs)
        self.conv_branch2a = conv(inputs, inner, 3, stride=stride, dilation=dilations[0])
        self.bn_branch2b1 = nn.BatchNorm2d(inner)
        self.conv_branch2b1 = conv(inner, outputs, 3, dilation=dilations[1])
        same = inputs == outputs and stride == 1
        self.conv_branch1 = None if same else conv(inputs, outputs, 1, stride=stride)

    def forward(self, x: Float[Tensor, "B K h w"]) -> Float[Tensor, "B N p q"]:
        """Features on the grid of the stride."""
        active = F.relu(self.bn_branch2a(x))
        inner = F.relu(self.bn_branch2b1(self.conv_branch2a(active)))
        result: Tensor = self.conv_branch2b1(inner) + (x if self.conv_branch1 is None else self.conv_branch1(active))
        return result


class Bottleneck(nn.Module):
    """1x1, 3x3 to twice the channels, 1x1, each after batch normalisation and ReLU, the last two also after dropout.

    Dropout takes whole channels. The shortcut is a 1x1 convolution of the normalised input.
    """

    def __init__(
        self, inputs: int, inner: int, outputs: int, *, stride: int, dilations: tuple[int, int], dropout: float
    ) -> None:
        super().__init__()
        self.bn_branch2a = nn.BatchNorm2d(inputs)
        self.conv_branch2a = conv(inputs, inner, 1, stride=stride)
        self.bn_branch2b1 = nn.BatchNorm2d(inner)
        self.conv_branch2b1 = conv(inner, 2 * inner, 3, dilation=dilations[1])
        self.bn_branch2b2 = nn.BatchNorm2d(2 * inner)
        self.conv_branch2b2 = conv(2 * inner, outputs, 1)
        self.conv_branch1 = conv(inputs, outputs, 1, stride=stride)
        self.dropout = nn.Dropout2d(dropout)

    def forward(self, x: Float[Tensor, "B K h w"]) -> Float[Tensor, "B N p q"]:
        """Features on the grid of the stride."""
        active = F.relu(self.bn_branch2a(x))
        narrow = self.dropout(F.relu(self.bn_branch2b1(self.conv_branch2a(active))))
        wide = self.dropout(F.relu(self.bn_branch2b2(self.conv_branch2b1(narrow))))
        result: Tensor = self.conv_branch2b2(wide) + self.conv_branch1(active)
        return result


def units(number: int, inputs: int, *, stride: int, dilations: tuple[int, int]) -> dict[str, nn.Module]:
    """The units of a level by name: b4, b4_1 and so on. The first one has the stride; later ones one dilation."""
    inner, outputs, count = LEVELS[number]
    dropout = {"dropout": DROPOUT[number]} if number in DROPOUT else {}
    kind: Any = Bottleneck if dropout else Unit
    found = {f"b{number}": kind(inputs, inner, outputs, stride=stride, dilations=dilations, **dropout)}
    for later in range(1, count):
        found[f"b{number}_{later}"] = kind(outputs, inner, outputs, stride=1, dilations=(dilations[1],) * 2, **dropout)
    return found


def build(net: str, output_stride: int, options: Mapping[str, Any]) -> Backbone:
    """The network without its classifier; levels 5 and 6 are dilated instead of strided as far as the stride asks."""
    if net not in NETS:
        raise unknown(net)
    check_no_options(net, options)
    check_stride(net, output_stride, (8, 16, 32))
    layers: dict[int, dict[str, nn.Module]] = {}
    channels, dilation = STEM, 1
    for number, (_, outputs, _) in LEVELS.items():
        before, removed = dilation, (number == 5 and output_stride < 16) or (number == 6 and output_stride < 32)
        dilation *= 2 if removed else 1
        stride = 1 if removed or number == 7 else 2
        layers[number] = units(number, channels, stride=stride, dilations=(before, dilation))
        channels = outputs
    layers[2] = {"conv1a": conv(3, STEM, 3), **layers[2]}
    layers[7] |= {"bn7": nn.BatchNorm2d(channels), "relu": nn.ReLU()}
    stages = [[module for number in stage for module in layers[number].values()] for stage in STAGES]
    network = nn.Sequential(OrderedDict(item for level in layers.values() for item in level.items()))
    return Backbone(network, channels=channels, output_stride=output_stride, stages=stages)
