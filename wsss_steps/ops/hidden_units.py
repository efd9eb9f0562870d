"""Random choice of the hidden units that each window of a convolution sees (Lee et al. 2019, FickleNet).

FickleNet expands a feature map (K, h, w) to (K, s h, s w), in which the s x s window of every position is a block,
zeros outside the map. It drops positions of the expansion, all channels of them, but never the centre of a block, and
convolves what is left with an s x s kernel of stride s. Nothing is expanded here: with z_o = W_o x, the 1x1 convolution
of the features by what the kernel has in its cell o, the score of a window u is

    y(u) = sum_o m(u, o) z_o(u + o),      m(u, o) the weight of cell o in window u, 0 if it is dropped

which are the same numbers from C s^2 planes instead of K s^2. As y is linear in x, so is Grad-CAM of its mean in z.
The idea and the table of rates are those of the paper; sizes and rescaling are from general knowledge of it.

Cells are counted row by row. Windows reach outside the map by s // 2 positions; s is odd.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

FORMS = ("centre_preserving", "general", "none")


def cell_scores(features: Float[Tensor, "B K h w"], kernel: Float[Tensor, "C K s s"]) -> Float[Tensor, "B C cells h w"]:
    """z: what a position adds to the score of each window that it lies in, by the cell that it is there."""
    classes, channels, side, _ = kernel.shape
    each = kernel.permute(0, 2, 3, 1).reshape(classes * side**2, channels, 1, 1)
    return F.conv2d(features, each).reshape(len(features), classes, side**2, *features.shape[-2:])


def window_scores(
    scores: Float[Tensor, "B C cells h w"], weights: Float[Tensor, "b cells hh ww"]
) -> Float[Tensor, "B C h w"]:
    """y: the scores of all windows. weights: m, of every window and cell; sizes of 1 stand for all."""
    total = scores.new_zeros((*scores.shape[:2], *scores.shape[-2:]))
    for cell, plane in enumerate(_moved(scores, 1)):  # one after the other: no more than z itself is kept
        total = torch.addcmul(total, weights[:, None, cell], plane)
    return total


def weights_of_positions(weights: Float[Tensor, "b cells h w"]) -> Float[Tensor, "b cells h w"]:
    """m(v - o, o): the weight of position v in the window in which it is cell o; 0 where there is no such window."""
    return torch.stack(list(_moved(weights, -1)), dim=1)


def gradcam_of_windows(
    scores: Float[Tensor, "B C cells h w"], weights: Float[Tensor, "b cells h w"], *, pool_grad: bool
) -> Float[Tensor, "B C h w"]:
    """Grad-CAM of the mean of `window_scores`, before the ReLU and times h w, without a backward pass.

    The gradient of that mean by x_k(v) is sum_o m(v - o, o) W_ko / (h w), whatever x is. So sum_k x_k(v) times it is
    sum_o m(v - o, o) z_o(v) / (h w).

    Args:
        scores: z of `cell_scores`.
        weights: m, of every window and cell.
        pool_grad: weigh each feature map by its mean gradient; otherwise each of its positions by its own.
    """
    reached = weights_of_positions(weights)
    if pool_grad:
        reached = reached.mean(dim=(2, 3), keepdim=True)
    return (reached[:, None] * scores).sum(dim=2)


def draw_weights(
    count: int,
    size: Sequence[int],
    side: int,
    dropout: float,
    *,
    form: str,
    rescale: bool,
    generator: torch.Generator | None = None,
) -> Float[Tensor, "count cells h w"]:
    """Weights m of `count` images of `size` positions, on the CPU, with windows of `side` x `side` cells.

    centre_preserving: each cell of each window is dropped with the probability `dropout`, but never the centre.
    general: positions of the feature map are dropped before the windows are looked at, the same in all of them.
    none: nothing is dropped.

    rescale: divide what is kept by 1 - dropout, as dropout does; the centre, if it is always kept, stays as it is.
    """
    check(dropout, form, rescale)
    cells = (side**2, *size)
    if form == "none":
        return torch.ones(count, *cells)
    if form == "general":
        kept = (torch.rand(count, 1, *size, generator=generator) >= dropout).float().expand(-1, *cells)
        return torch.stack(list(_moved(_scaled(kept, dropout, rescale), 1)), dim=1)
    drawn = _scaled((torch.rand(count, *cells, generator=generator) >= dropout).float(), dropout, rescale)
    drawn[:, side**2 // 2] = 1
    return drawn


def mean_weights(side: int, dropout: float, *, form: str, rescale: bool) -> Float[Tensor, "1 cells 1 1"]:
    """The mean of m over all draws: with it `window_scores` gives the mean scores."""
    check(dropout, form, rescale)
    mean = torch.full((1, side**2, 1, 1), 1.0 if rescale or form == "none" else 1 - dropout)
    if form == "centre_preserving":
        mean[:, side**2 // 2] = 1
    return mean


def check(dropout: float, form: str, rescale: bool) -> None:
    """Raise a ValueError unless these can be drawn."""
    if form not in FORMS:
        raise ValueError(f"form: expected one of {', '.join(FORMS)}, found '{form}'")
    if not 0 <= dropout <= 1 or (rescale and dropout == 1):
        raise ValueError(f"dropout: expected 0 to 1, below 1 with rescale, found {dropout} with rescale {rescale}")


def _scaled(kept: Tensor, dropout: float, rescale: bool) -> Tensor:
    return kept / (1 - dropout) if rescale else kept


def _moved(values: Tensor, direction: int) -> Iterator[Tensor]:
    """For each cell o, the plane (..., h, w) with values_o(u + direction o) at u, 0 outside; of (..., cells, h, w)."""
    side, (height, width) = math.isqrt(values.shape[-3]), values.shape[-2:]
    reach = side // 2
    for cell, plane in enumerate(values.unbind(-3)):  # planes of their own, whose gradients are no larger than they
        row, column = (reach + direction * (index - reach) for index in divmod(cell, side))
        yield F.pad(plane, (reach,) * 4)[..., row : row + height, column : column + width]
