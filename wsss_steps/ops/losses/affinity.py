"""The loss of AffinityNet (Ahn and Kwak 2018): pairs of neighbours of one label are alike, of two labels unlike."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from wsss_steps.ops.labels import IGNORE
from wsss_steps.ops.random_walk import affinity, offsets, paired

SMALL = 1e-5  # keeps logarithms finite
SHARES = {"background": 0.25, "foreground": 0.25, "boundary": 0.5}


def affinity_loss(
    features: Float[Tensor, "B K h w"], labels: Int[Tensor, "B h w"], *, radius: int
) -> dict[str, Float[Tensor, ""]]:
    """Parts, whose sum is minimised, over the pairs of neighbours that both have a label: 0, 1..C, not 255.

    `background` and `foreground` are a quarter of the mean of -log a over pairs of background, and of one class;
    `boundary` is half of that of -log(1 - a) over pairs of different labels. A mean over no pairs is 0.
    """
    found: dict[str, list[Tensor]] = {name: [] for name in SHARES}
    for step in offsets(radius):
        alike = affinity(features, step)
        here, there = paired(labels, step)
        known = (here != IGNORE) & (there != IGNORE)
        found["background"].append(-torch.log(alike + SMALL)[known & (here == 0) & (there == 0)])
        found["foreground"].append(-torch.log(alike + SMALL)[known & (here > 0) & (here == there)])
        found["boundary"].append(-torch.log(1 + SMALL - alike)[known & (here != there)])
    terms = {name: torch.cat(parts) for name, parts in found.items()}
    return {name: SHARES[name] * term.sum() / max(len(term), 1) for name, term in terms.items()}
