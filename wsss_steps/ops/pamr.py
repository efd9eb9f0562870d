"""Pixel-adaptive mask refinement, PAMR (Araslanov and Roth, 2020): maps move along pixels of like colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

EPSILON = 1e-8
WIDTH = 0.1  # of the kernel, in standard deviations of the neighbourhood
AROUND = [(row, column) for row in (-1, 0, 1) for column in (-1, 0, 1) if (row, column) != (0, 0)]


def neighbours(planes: Float[Tensor, "K H W"], dilations: Sequence[int]) -> Iterator[Float[Tensor, "K H W"]]:
    """The planes as seen from each pixel's 8 neighbours at every dilation (px), edge pixels repeated outside."""
    height, width = planes.shape[-2:]
    for dilation in dilations:
        padded = F.pad(planes, (dilation,) * 4, mode="replicate")
        for row, column in AROUND:
            top, left = dilation * (1 + row), dilation * (1 + column)
            yield padded[:, top : top + height, left : left + width]


def affinities(image: Float[Tensor, "3 H W"], dilations: Sequence[int]) -> Float[Tensor, "N H W"]:
    """The weight of each of the N = 8 x dilations neighbours of every pixel; their sum is 1.

    Softmax over the neighbours j of the mean over R, G, B of -|x_i - x_j| / (0.1 sigma_i). sigma_i is the unbiased
    standard deviation of the channel over the neighbours and, once per dilation, the pixel itself.
    """
    around = torch.stack(list(neighbours(image, dilations)))
    samples = torch.cat([around, image.expand(len(dilations), *image.shape)])
    spread = EPSILON + WIDTH * samples.std(dim=0, unbiased=True)
    return torch.softmax(-((image - around).abs() / spread).mean(dim=1), dim=0)


@torch.no_grad()
def pamr(
    image: Float[Tensor, "3 H W"], maps: Float[Tensor, "n H W"], *, dilations: Sequence[int], iterations: int
) -> Float[Tensor, "n H W"]:
    """Maps in which each pixel is, `iterations` times, the weighted mean of its neighbours by the colours of `image`.

    The weights come from the image alone; the pixel itself is not among its neighbours. Values stay within the range of
    each map, and a constant map stays as it is. Without maps (n = 0) there are none.
    """
    return spread_maps(maps, affinities(image, dilations), dilations, iterations)


def spread_maps(
    maps: Float[Tensor, "n H W"], weights: Float[Tensor, "N H W"], dilations: Sequence[int], iterations: int
) -> Float[Tensor, "n H W"]:
    """Maps in which each pixel is, `iterations` times, the sum of its neighbours by the weights of `affinities`."""
    if not len(maps):  # padding refuses them
        return maps
    for _ in range(iterations):
        moved = torch.zeros_like(maps)
        for weight, seen in zip(weights, neighbours(maps, dilations), strict=True):
            moved.addcmul_(weight, seen)
        maps = moved
    return maps
