"""Affinities of positions that no boundary divides, and the random walk along them (Ahn, Cho and Kwak 2019, IRN)."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Float32
from numpy import ndarray
from scipy import sparse
from torch import Tensor

from wsss_steps.ops.random_walk import Offset, column_stochastic, offsets, paired, walk


def path(step: Offset) -> list[Offset]:
    """Positions between (0, 0) and `step`, both included: less than 1 from the line, in the rectangle of the two."""
    down, right = step
    length = down**2 + right**2
    rows, columns = range(down + 1), range(min(0, right), max(0, right) + 1)
    return [(y, x) for y in rows for x in columns if (down * x - right * y) ** 2 < length]


def path_affinity(boundary: Float[Tensor, "B h w"], step: Offset) -> Float[Tensor, "B _ _"]:
    """1 - the largest boundary, in [0, 1], on the path from each position to its neighbour at `step`."""
    rows, columns = paired(boundary, step)[0].shape[-2:]
    left = max(0, -step[1])
    views = [boundary[..., y : y + rows, left + x : left + x + columns] for y, x in path(step)]
    # for the gradient, `max` keeps one index for each pair, where `maximum` of two at a time would keep every view
    return 1 - torch.stack(views).max(dim=0).values


def transition(boundary: Float[Tensor, "h w"], *, radius: int, beta: float) -> sparse.csr_array:
    """The transition matrix (N, N) of the N = h w positions: path affinities to the power of `beta`, 1 with oneself.

    They are symmetric, and 0 beyond the radius; then each column is divided by its sum. IRN surrounds the image with
    boundary, and then leaves its surroundings out. No path between two positions of the image leaves the image, so the
    matrix is the same without.
    """
    numbers = torch.arange(boundary.numel()).view(boundary.shape)
    weights, pairs = [], []
    for step in offsets(radius):
        weights.append(path_affinity(boundary[None], step).pow(beta).flatten().cpu().numpy())
        pairs.append(torch.stack(paired(numbers, step)).flatten(1).numpy())
    rows, columns = np.concatenate(pairs, axis=1)
    return column_stochastic(np.concatenate(weights), rows, columns, numbers.numel())


def propagate(
    maps: Float[Tensor, "n h w"], boundary: Float[Tensor, "h w"], *, radius: int, beta: float, log_t: int
) -> Float32[ndarray, "n h w"]:
    """2^log_t steps of the maps, which start at 0 on the boundary."""
    start = (maps * (1 - boundary)).flatten(1).cpu().numpy()
    return walk(start, transition(boundary, radius=radius, beta=beta), 2**log_t).reshape(maps.shape)


def over_largest(maps: Float[Tensor, "n h w"]) -> Float[Tensor, "n h w"]:
    """Non-negative maps divided by the largest number of all, not of each: faint classes stay faint. Zeros stay."""
    peak = maps.max()
    return maps / torch.where(peak > 0, peak, 1)
