"""U²-Net (Qin et al. 2020): a U of six levels whose every level is a small U itself, for saliency.

Batch normalisation is not there: it is folded into the convolutions, as in the published ONNX files. So the network is
for prediction, not for training.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from wsss_steps.ops.resize import resize_images


class Level(NamedTuple):
    """A level: convolutions on the way down of its small U, channels of its output, channels inside; 4F is dilated."""

    depth: int
    channels: int
    inner: int
    dilated: bool = False


class Variant(NamedTuple):
    """The levels on the way down (En_1 to En_6) and up (De_5 to De_1) of a size of the network."""

    down: tuple[Level, ...]
    up: tuple[Level, ...]


VARIANTS = {
    "u2net": Variant(
        (
            Level(7, 64, 32),
            Level(6, 128, 32),
            Level(5, 256, 64),
            Level(4, 512, 128),
            Level(4, 512, 256, dilated=True),
            Level(4, 512, 256, dilated=True),
        ),
        (Level(4, 512, 256, dilated=True), Level(4, 256, 128), Level(5, 128, 64), Level(6, 64, 32), Level(7, 64, 16)),
    ),
    "u2netp": Variant(
        (
            Level(7, 64, 16),
            Level(6, 64, 16),
            Level(5, 64, 16),
            Level(4, 64, 16),
            Level(4, 64, 16, dilated=True),
            Level(4, 64, 16, dilated=True),
        ),
        (Level(4, 64, 16, dilated=True), Level(4, 64, 16), Level(5, 64, 16), Level(6, 64, 16), Level(7, 64, 16)),
    ),
}
"""Table 1 of the paper: the network, and its small sibling."""


class Convolution(nn.Conv2d):
    """A 3x3 convolution with bias, then a ReLU."""

    def __init__(self, inputs: int, outputs: int, dilation: int = 1) -> None:
        super().__init__(inputs, outputs, 3, padding=dilation, dilation=dilation)

    def forward(self, x: Float[Tensor, "B K h w"]) -> Float[Tensor, "B N h w"]:
        """Features on the same grid."""
        result: Tensor = F.relu(super().forward(x))
        return result


def halved(x: Float[Tensor, "B K h w"]) -> Float[Tensor, "B K p q"]:
    """Maxima of 2 x 2 cells; at an odd edge, of fewer."""
    result: Tensor = F.max_pool2d(x, 2, stride=2, ceil_mode=True)
    return result


class SmallU(nn.Module):
    """A residual U block (RSU-L, L its `depth`): convolved features, plus what a small U makes of them.

    Dilated (RSU-4F), every level has the size of the input, with dilations in place of poolings.
    """

    def __init__(self, inputs: int, level: Level) -> None:
        super().__init__()
        inner, self.dilated = level.inner, level.dilated
        rates = [2**number if level.dilated else 1 for number in range(level.depth)]
        deepest = rates[-1] if level.dilated else 2
        self.enter = Convolution(inputs, level.channels)
        widths = [level.channels] + [inner] * (level.depth - 1)
        self.down = nn.ModuleList(
            Convolution(width, inner, rate) for width, rate in zip(widths[:-1], rates[:-1], strict=True)
        )
        self.bottom = Convolution(inner, inner, deepest)
        outputs = [inner] * (level.depth - 2) + [level.channels]
        self.up = nn.ModuleList(
            Convolution(2 * inner, output, rate) for output, rate in zip(outputs, rates[-2::-1], strict=True)
        )

    def forward(self, x: Float[Tensor, "B K h w"]) -> Float[Tensor, "B N h w"]:
        """Features on the same grid."""
        x = entered = self.enter(x)
        levels: list[Tensor] = []
        for number, layer in enumerate(self.down):
            pooled = x if self.dilated or number == 0 else halved(x)
            x = layer(pooled)
            levels.append(x)
        x = self.bottom(x)
        for layer in self.up:
            level = levels.pop()
            x = layer(torch.cat([_to_size_of(level, x), level], dim=1))
        result: Tensor = x + entered
        return result


def _to_size_of(target: Tensor, x: Tensor) -> Tensor:
    """`x` resampled to the grid of `target`."""
    size = (target.shape[-2], target.shape[-1])
    return x if x.shape[-2:] == size else resize_images(x, size)


class U2Net(nn.Module):
    """The whole network: six levels down, five up, a map from each of six, and one made of all of them."""

    def __init__(self, variant: str) -> None:
        super().__init__()
        down, up = VARIANTS[variant]
        channels = [3, *(level.channels for level in down)]
        self.down = nn.ModuleList(itertools.starmap(SmallU, zip(channels[:-1], down, strict=True)))
        above = [channels[-1], *(level.channels for level in up)]
        self.up = nn.ModuleList(
            SmallU(below + skipped, level)
            for below, skipped, level in zip(above[:-1], channels[-2:0:-1], up, strict=True)
        )
        sides = [*(level.channels for level in reversed(up)), channels[-1]]
        self.sides = nn.ModuleList(nn.Conv2d(width, 1, 3, padding=1) for width in sides)
        self.fuse = nn.Conv2d(len(sides), 1, 1)

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B 1 H W"]:
        """Logits of normalised images at their size; saliency is their sigmoid."""
        x, levels = images, list[Tensor]()
        for number, layer in enumerate(self.down):
            x = layer(x if number == 0 else halved(x))
            levels.append(x)
        found = [levels.pop()]  # the deepest first
        for layer in self.up:
            level = levels.pop()
            found.append(layer(torch.cat([_to_size_of(level, found[-1]), level], dim=1)))
        maps = [side(level) for side, level in zip(self.sides, reversed(found), strict=True)]
        result: Tensor = self.fuse(torch.cat([_to_size_of(maps[0], one) for one in maps], dim=1))
        return result


def variant_of(state: Mapping[str, Tensor]) -> str:
    """Which variant weights of `U2Net` are of; a ValueError if of none."""
    inner = state["down.0.down.0.weight"].shape[0] if "down.0.down.0.weight" in state else 0
    known = {variant.down[0].inner: name for name, variant in VARIANTS.items()}
    if inner not in known:
        raise ValueError(f"expected weights of {' or '.join(VARIANTS)}, found none of their first layers")
    return known[inner]
