"""Deep seeded region growing (Huang et al. 2018, DSRG, section 3.2).

Seeds grow over the cells around them that the network is sure of. The paper visits them class by class; that is to say
that a component of cells of one class joins the supervision if it holds a seed of that class.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Integer
from skimage.measure import label as components_of
from torch import Tensor

from wsss_steps.ops.labels import IGNORE


def confident(
    probabilities: Float[Tensor, "B L h w"],
    tags: Float[Tensor, "B C"],
    inside: Bool[Tensor, "B h w"],
    *,
    theta_bg: float,
    theta_fg: float,
) -> Int[Tensor, "B h w"]:
    """The label that the network is sure of in every cell, 0..C; 255 where there is none, and in padding.

    Background and the tagged classes compete, without renormalisation. The most probable of them counts if its
    probability is strictly above `theta_bg` (background) or `theta_fg` (a class); ties go to the lowest label.
    """
    competes = torch.cat([torch.ones_like(tags[:, :1]), tags], dim=1) > 0
    best, label = probabilities.masked_fill(~competes[:, :, None, None], -1.0).max(dim=1)
    sure = torch.where(label == 0, best > theta_bg, best > theta_fg)
    return torch.where(sure & inside, label, IGNORE)


def grow(seeds: Integer[np.ndarray, "h w"], predicted: Integer[np.ndarray, "h w"]) -> Integer[np.ndarray, "h w"]:
    """Seeds, and what of the confident predictions is connected to a seed of its own label through its own label.

    A seed stands for its label whatever is predicted there, so that nothing grows over or through seeds of another
    label. Neighbours are the 8 cells around a cell. All labels are 0..C, and 255 for none. (The authors' code lets a
    confident prediction pass through the seed of another class, though not take it.)
    """
    candidates = np.where(seeds == IGNORE, predicted, seeds)
    components = components_of(candidates, background=IGNORE, connectivity=2)  # type: ignore[no-untyped-call]
    seeded = np.unique(components[seeds != IGNORE])
    return np.where(np.isin(components, seeded), candidates, IGNORE)


@torch.no_grad()
def grow_each(seeds: Int[Tensor, "B h w"], predicted: Int[Tensor, "B h w"]) -> Int[Tensor, "B h w"]:
    """`grow` of every image of a batch, on the CPU; the result lies where the seeds do."""
    pairs = zip(seeds.cpu().numpy(), predicted.cpu().numpy(), strict=True)
    return torch.from_numpy(np.stack([grow(*pair) for pair in pairs])).to(seeds)
