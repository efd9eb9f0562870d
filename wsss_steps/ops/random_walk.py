"""Affinities between neighbouring positions, and the random walk along them (Ahn and Kwak 2018, AffinityNet)."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Float32
from numpy import ndarray
from scipy import sparse
from torch import Tensor

Offset = tuple[int, int]


def offsets(radius: int) -> list[Offset]:
    """Steps (down, right) to the neighbours nearer than `radius`; of two opposite steps, one."""
    reach = range(1 - radius, radius)
    found = [(down, right) for down in range(radius) for right in reach]
    return [step for step in found if step > (0, 0) and step[0] ** 2 + step[1] ** 2 < radius**2]


def paired(planes: Tensor, step: Offset) -> tuple[Tensor, Tensor]:
    """The planes (..., h, w) at all positions that have a neighbour at `step`, and at these neighbours."""
    height, width = planes.shape[-2:]
    down, right = step
    rows, columns = max(0, height - down), max(0, width - abs(right))
    left, ahead = max(0, -right), max(0, right)
    here = planes[..., :rows, left : left + columns]
    there = planes[..., down : down + rows, ahead : ahead + columns]
    return here, there


def affinity(features: Float[Tensor, "B K h w"], step: Offset) -> Float[Tensor, "B _ _"]:
    """exp(-mean_d |f_i - f_j|) of each position i and its neighbour j at `step`, in (0, 1]."""
    here, there = paired(features, step)
    return torch.exp(-(here - there).abs().mean(dim=1))


def transition(features: Float[Tensor, "K h w"], *, radius: int, beta: float) -> sparse.csr_array:
    """The transition matrix (N, N) of the N = h w positions: affinities to the power of `beta`, 1 with oneself.

    They are symmetric, and 0 beyond the radius; then each column is divided by its sum.
    """
    numbers = torch.arange(features.shape[-2] * features.shape[-1]).view(1, *features.shape[-2:])
    weights, rows, columns = [], [], []
    for step in offsets(radius):
        here, there = paired(numbers, step)
        weights.append(affinity(features[None], step).pow(beta).flatten().cpu().numpy())
        rows.append(here.flatten().numpy())
        columns.append(there.flatten().numpy())
    return column_stochastic(np.concatenate(weights), np.concatenate(rows), np.concatenate(columns), numbers.numel())


def column_stochastic(weights: ndarray, rows: ndarray, columns: ndarray, count: int) -> sparse.csr_array:
    """The symmetric matrix (count, count) of the weights, with a diagonal of 1, each column divided by its sum."""
    upper = sparse.coo_array((weights, (rows, columns)), shape=(count, count))
    whole = (upper + upper.T + sparse.eye_array(count, dtype=weights.dtype)).tocsr()
    return (whole / whole.sum(axis=0)).tocsr()


def walk(maps: Float32[ndarray, "n N"], steps: sparse.csr_array, number: int) -> Float32[ndarray, "n N"]:
    """vec(M) T^number: every position becomes, so many times, a weighted mean of itself and its neighbours."""
    backwards = steps.T.tocsr()
    for _ in range(number):
        maps = (backwards @ maps.T).T
    return np.ascontiguousarray(maps, np.float32)
