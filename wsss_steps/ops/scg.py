"""Self-correlation maps (Pan et al. 2021, SPA) in their hierarchical form (Jo et al. 2023, RecurSeed, algorithm 1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F


def first_order(features: Float[Tensor, "K N"]) -> Float[Tensor, "N N"]:
    """Cosine of the feature vectors of every two positions, in [-1, 1]."""
    directions = F.normalize(features, dim=0)
    return directions.T @ directions


def second_order(similarity: Float[Tensor, "N N"]) -> Float[Tensor, "N N"]:
    """How alike two positions are to all others: S S / N, each row brought to [0, 1]; a constant row becomes 0."""
    product = similarity @ similarity / len(similarity)
    low, high = product.aminmax(dim=1, keepdim=True)
    return (product - low) / torch.where(high > low, high - low, torch.ones_like(high))


def self_correlation(layers: Sequence[Float[Tensor, "_ N"]]) -> Float[Tensor, "N N"]:
    """Mean over the layers of the larger of first order, its positive part, and second order; in [0, 1]."""
    orders = ((first, second_order(first)) for first in map(first_order, layers))
    return torch.stack([torch.maximum(first.relu(), second) for first, second in orders]).mean(dim=0)


@torch.no_grad()
def localise(
    correlation: Float[Tensor, "N N"],
    maps: Float[Tensor, "n N"],
    *,
    foreground: float,
    background: float,
    reduce: Literal["mean", "sum"],
) -> Float[Tensor, "n N"]:
    """ReLU of the correlation with the positions above `foreground` in a map, minus that with those below `background`.

    That with a set of positions is the mean of their rows (the formula) or the sum (the listing of the algorithm); of
    an empty set it is 0, and a map without any position above `foreground` gives zeros.
    """
    found = [
        _of_rows(correlation, one > foreground, reduce) - _of_rows(correlation, one < background, reduce)
        for one in maps
    ]
    result = torch.stack(found).relu() if found else torch.zeros_like(maps)
    return result * (maps > foreground).any(dim=1, keepdim=True)


def _of_rows(correlation: Tensor, chosen: Tensor, reduce: str) -> Tensor:
    total: Tensor = correlation[chosen].sum(dim=0)
    return total / chosen.sum().clamp(min=1) if reduce == "mean" else total
