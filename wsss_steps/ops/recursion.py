"""RecurSeed (Jo et al. 2022): maps that SCG and PAMR refine are what the same network learns its next maps from."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

from wsss_steps.ops.cam import normalise_maps
from wsss_steps.ops.labels import IGNORE
from wsss_steps.ops.pamr import pamr
from wsss_steps.ops.resize import enlarge
from wsss_steps.ops.scg import localise, self_correlation


def activations(
    maps: Float[Tensor, "B C h w"], tags: Float[Tensor, "B C"], inside: Bool[Tensor, "B h w"]
) -> Float[Tensor, "B C h w"]:
    """M_cam: positive parts of raw maps, each with maximum 1; 0 for classes without a tag, and in padding."""
    positive = maps.relu() * tags[:, :, None, None] * inside[:, None]
    return normalise_maps(positive.flatten(0, 1)).view_as(positive)


@torch.no_grad()
def recurse(
    maps: Float[Tensor, "B C h w"],
    layers: Sequence[Float[Tensor, "B _ h w"]],
    colours: Float[Tensor, "B 3 H W"],
    tags: Float[Tensor, "B C"],
    inside: tuple[Bool[Tensor, "B h w"], Bool[Tensor, "B H W"]],
    *,
    enlargement: int,
    delta_h: float,
    delta_l: float,
    dilations: Sequence[int],
    iterations: int,
) -> Float[Tensor, "B C H W"]:
    """M_rs = PAMR(SCG(M_cam)), without gradient; 0 for classes without a tag, and in padding.

    Padding is no background: SCG and PAMR see what is inside the image, a rectangle.

    Args:
        maps: M_cam, on the grid of the features.
        layers: features that SCG compares; none for no SCG.
        colours: RGB on the finer grid of the result.
        tags: in {0, 1}.
        inside: cells that are no padding, on both grids.
        enlargement: cells of the finer grid per cell of the other, along each axis.
        delta_h: activation above which a cell is surely of a class.
        delta_l: activation below which it is surely not.
        dilations: of PAMR, cells of the finer grid.
        iterations: of PAMR; 0 for none.
    """
    result = colours.new_zeros(*tags.shape, *colours.shape[-2:])
    for index, (coarse, fine) in enumerate(zip(*inside, strict=True)):
        present = tags[index] > 0
        if present.any() and coarse.any() and fine.any():
            features = [layer[index] for layer in layers]
            found = by_features(maps[index, present], features, frame(coarse), delta_h=delta_h, delta_l=delta_l)
            found = enlarge(found[None], (fine.shape[0], fine.shape[1]), enlargement)[0]
            result[index, present] = by_colours(found, colours[index], fine, dilations=dilations, iterations=iterations)
    return result


def by_features(
    maps: Float[Tensor, "n h w"],
    layers: Sequence[Float[Tensor, "_ h w"]],
    place: tuple[slice, slice],
    *,
    delta_h: float,
    delta_l: float,
) -> Float[Tensor, "n h w"]:
    """SCG of the cells in a rectangle, each map with maximum 1; without layers, the maps as they are.

    Around it the maps of its edge are repeated, so that they do not fade towards the padding when they are enlarged.
    """
    rows, columns = place
    cells = maps[:, rows, columns]
    found = cells.flatten(1)
    if layers:
        correlation = self_correlation([layer[:, rows, columns].flatten(1) for layer in layers])
        found = localise(correlation, found, foreground=delta_h, background=delta_l, reduce="mean")
    beyond = (columns.start, maps.shape[2] - columns.stop, rows.start, maps.shape[1] - rows.stop)
    return F.pad(normalise_maps(found.view_as(cells))[None], beyond, mode="replicate")[0]


@torch.no_grad()
def by_colours(
    maps: Float[Tensor, "n H W"],
    image: Float[Tensor, "3 H W"],
    inside: Bool[Tensor, "H W"],
    *,
    dilations: Sequence[int],
    iterations: int,
) -> Float[Tensor, "n H W"]:
    """PAMR of maps in the rectangle that is inside the image, which must not be empty; 0 elsewhere."""
    rows, columns = frame(inside)
    result = torch.zeros_like(maps)
    image, within = image[:, rows, columns], maps[:, rows, columns]
    result[:, rows, columns] = pamr(image, within, dilations=dilations, iterations=iterations)
    return result


def frame(inside: Bool[Tensor, "h w"]) -> tuple[slice, slice]:
    """Rows and columns of the smallest rectangle that holds all that is `inside`, which must be something."""
    rows, columns = (inside.any(dim).nonzero() for dim in (1, 0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def confident_labels(
    maps: Float[Tensor, "B C h w"], inside: Bool[Tensor, "B h w"], *, delta_fg: float, delta_bg: float
) -> Int[Tensor, "B h w"]:
    """M_seg = CF(M_rs): the class of the largest map where that is above delta_fg, background where below delta_bg.

    255 otherwise, and in padding. Both comparisons are strict. A ValueError if delta_bg is above delta_fg.
    """
    if delta_bg > delta_fg:
        raise ValueError(f"expected delta_bg at most delta_fg, found {delta_bg} and {delta_fg}")
    best, number = maps.max(dim=1)
    labels = torch.where(best > delta_fg, number + 1, torch.where(best < delta_bg, 0, IGNORE))
    return torch.where(inside, labels, IGNORE)
