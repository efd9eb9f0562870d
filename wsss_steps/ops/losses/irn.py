"""The losses of IRNet (Ahn, Cho and Kwak 2019): of affinities along paths, and of displacements."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from wsss_steps.ops.labels import IGNORE
from wsss_steps.ops.path_affinity import path_affinity
from wsss_steps.ops.random_walk import Offset, offsets, paired

SMALL = 1e-5  # keeps logarithms finite
SHARES = {
    "background": 0.25,
    "foreground": 0.25,
    "boundary": 0.5,
    "displacement_background": 0.5,
    "displacement_foreground": 0.5,
}


def irn_loss(
    boundary: Float[Tensor, "B h w"],
    displacement: Float[Tensor, "B 2 h w"],
    labels: Int[Tensor, "B h w"],
    *,
    radius: int,
) -> dict[str, Float[Tensor, ""]]:
    """Parts, whose sum is minimised, over the pairs of neighbours that both have a label: 0, 1..C, not 255.

    `background` and `foreground` are a quarter of the mean of -log a over pairs of background, and of one class;
    `boundary` is half of that of -log(1 - a) over pairs of different labels. For a pair of one class that is `step`
    apart, displacements (down, right) to the same place differ by `step`; for a pair of background, by 0. Half of the
    mean difference from that, over pairs and both directions, is the rest. A mean over no pairs is 0.
    """
    found: dict[str, list[Tensor]] = {name: [] for name in SHARES}
    for step in offsets(radius):
        for name, terms in _terms(boundary, displacement, labels, step).items():
            found[name].append(terms)
    every = {name: torch.cat(parts) for name, parts in found.items()}
    return {name: SHARES[name] * terms.sum() / max(len(terms), 1) for name, terms in every.items()}


def _terms(boundary: Tensor, displacement: Tensor, labels: Tensor, step: Offset) -> dict[str, Tensor]:
    """What each part is the mean of, of the pairs that are `step` apart."""
    here, there = paired(labels, step)
    known = (here != IGNORE) & (there != IGNORE)
    background, foreground = known & (here == 0) & (there == 0), known & (here > 0) & (here == there)
    alike = path_affinity(boundary, step)
    start, end = paired(displacement, step)
    between = start - end
    error = between - between.new_tensor(step)[:, None, None]
    return {
        "background": -torch.log(alike + SMALL)[background],
        "foreground": -torch.log(alike + SMALL)[foreground],
        "boundary": -torch.log(1 + SMALL - alike)[known & (here != there)],
        "displacement_background": between.abs().mean(dim=1)[background],
        "displacement_foreground": error.abs().mean(dim=1)[foreground],
    }
