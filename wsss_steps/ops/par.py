"""Pixel-adaptive refinement with positions, PAR (Ru et al. 2022, AFA): a sibling of PAMR."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from wsss_steps.ops.pamr import AROUND, EPSILON, neighbours, spread_maps

WIDTH = 0.3  # of the kernel, in standard deviations of the neighbours
OF_POSITION = 0.01  # weight of the positions beside the colours


def affinities(image: Float[Tensor, "3 H W"], dilations: Sequence[int]) -> Float[Tensor, "N H W"]:
    """The weight of each of the N = 8 x dilations neighbours of every pixel; their sum is 1.01.

    Softmax over the neighbours of the mean over R, G, B of -(|x_i - x_j| / sigma_i / 0.3)^2, plus 0.01 times the
    softmax of the same expression of the distances in px. sigma_i is the unbiased standard deviation over the
    neighbours, the pixel itself left out.
    """
    around = torch.stack(list(neighbours(image, dilations)))
    colours = _kernel((image - around).abs(), around.std(dim=0, unbiased=True)).mean(dim=1)
    distances = torch.tensor([dilation * math.hypot(*step) for dilation in dilations for step in AROUND]).to(image)
    positions = _kernel(distances, distances.std(unbiased=True))
    return torch.softmax(colours, dim=0) + OF_POSITION * torch.softmax(positions, dim=0)[:, None, None]


def _kernel(differences: Tensor, deviation: Tensor) -> Tensor:
    return -((differences / (deviation + EPSILON) / WIDTH) ** 2)


@torch.no_grad()
def par(
    image: Float[Tensor, "3 H W"], maps: Float[Tensor, "n H W"], *, dilations: Sequence[int], iterations: int
) -> Float[Tensor, "n H W"]:
    """Maps in which each pixel is, `iterations` times, the weighted sum of its neighbours; 1.01 of a constant map."""
    return spread_maps(maps, affinities(image, dilations), dilations, iterations)
