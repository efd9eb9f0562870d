"""Superpixel discovery from patch features (Kim 2022, dissertation, Table 3.1), and upsampling; free of torch."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Integer, Shaped
from numpy.typing import NDArray

from wsss_steps.errors import UserError

_ROWS_PER_SUM = 255  # the most zeros and ones that 8 bits sum without overflow, several times faster than 32 bits


def cosine_similarity(features: Shaped[NDArray[Any], "N d"]) -> Float[NDArray[np.float32], "N N"]:
    """Cosine similarity of all pairs of N feature vectors, eq. 3.1: (N, N) float32 in [-1, 1] up to rounding.

    A zero vector has no direction: its similarity is 1 to itself and other zero vectors, and 0 to all others.
    Raises a `UserError` if a feature is not finite.
    """
    vectors = features.astype(np.float32)
    lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors))
    bad = np.flatnonzero(~np.isfinite(lengths))  # a NaN or infinite feature makes the length so
    if len(bad):
        found = f"found NaN, infinity or an overflow in {len(bad)} of {len(lengths)} patches, the first is {bad[0]}"
        raise UserError(f"expected finite features, {found}")
    zero = np.flatnonzero(lengths == 0)
    vectors /= np.where(lengths == 0, 1, lengths)[:, None]
    # a matrix times its own transpose: exactly symmetric, at half the cost
    similarity: NDArray[np.float32] = vectors @ vectors.T
    similarity[np.ix_(zero, zero)] = 1
    return similarity


def discover(
    features: Shaped[NDArray[Any], "N d"], tau: float, order: Literal["lowest", "highest"] = "lowest"
) -> tuple[Integer[NDArray[np.int32], " N"], Integer[NDArray[np.int32], " n"]]:
    """Partition N patches by the similarity of their features; Table 3.1.

    Repeatedly, the candidate of lowest (or highest, see `order`) degree becomes the seed, and it and all candidates
    whose cosine with it exceeds `tau` form the next superpixel. The degree of a patch is the number of candidates,
    including itself, with a positive cosine to it. Ties go to the lowest index.

    One difference from the table: a seed always belongs to its own superpixel. In the table, a seed whose cosine with
    itself does not exceed `tau` (by rounding, or for tau >= 1) would stay a candidate forever.

    Returns the superpixel 0..n-1 of every patch, in the order of discovery, and the seed patch of each superpixel.
    Superpixels need not be connected, by design. Most time goes into the product of the features with themselves;
    memory is 5 N^2 bytes.
    """
    similarity = cosine_similarity(features)
    positive = (similarity > 0).view(np.uint8)
    size = len(similarity)
    # `taken` is never picked, even after subtractions
    pick, taken = (np.argmin, 4 * size) if order == "lowest" else (np.argmax, -1)
    degree = positive.sum(axis=0, dtype=np.int32)
    candidate = np.ones(size, bool)
    label = np.empty(size, np.int32)
    seeds: list[int] = []
    left = size
    while left:
        seed = int(pick(degree))
        joins = similarity[seed] > tau
        joins &= candidate
        joins[seed] = True
        members = np.flatnonzero(joins)
        label[members] = len(seeds)
        seeds.append(seed)
        candidate[members] = False
        left -= len(members)
        # rows instead of columns: the matrix is symmetric, and rows are contiguous in memory
        for start in range(0, len(members), _ROWS_PER_SUM):
            degree -= np.add.reduce(positive[members[start : start + _ROWS_PER_SUM]], axis=0, dtype=np.uint8)
        degree[members] = taken
    return label, np.array(seeds, np.int32)


def upsample(
    grid: Integer[NDArray[np.int32], "h w"], extent: tuple[float, float], size: tuple[int, int]
) -> Integer[NDArray[np.int32], "H W"]:
    """Give every pixel of an image of `size` (H, W) the value of the grid cell that contains its centre.

    `extent` (height, width) is the size of the grid in image pixels; both share the top left corner. Raises a
    `UserError` if they do not match: if a pixel lies outside the grid by more than rounding, or a whole row or column
    of cells outside the image.
    """
    picked = []
    for cells, span, pixels, name in zip(grid.shape, extent, size, ("height", "width"), strict=True):
        cell = span / cells
        if not pixels - 1 < span < pixels + cell:
            raise UserError(
                f"expected a grid of {cells} cells of {cell:g} px to span the image's {name} of {pixels} px, "
                f"found that it spans {span:g} px (are the features those of this image, at this size?)"
            )
        picked.append(np.minimum((np.arange(pixels) + 0.5) / cell, cells - 1).astype(np.intp))
    result: NDArray[np.int32] = grid[np.ix_(*picked)]
    return result


def compact(
    labels: Integer[NDArray[Any], "H W"],
) -> tuple[Integer[NDArray[np.int32], "H W"], Integer[NDArray[np.int64], " n"]]:
    """Renumber the labels (>= 0) of a map to 0..n-1 without gaps, in the same order; also returns the old labels."""
    occurs = np.bincount(labels.ravel()) > 0
    return (np.cumsum(occurs, dtype=np.int32) - 1)[labels], np.flatnonzero(occurs)


def as_ids(labels: Integer[NDArray[Any], "H W"]) -> NDArray[np.uint16]:
    """Ids 1..n for storage from labels 0..n-1; a `UserError` if n does not fit in 16 bits."""
    most = np.iinfo(np.uint16).max
    if labels.max() + 1 > most:
        raise UserError(
            f"expected at most {most} superpixels in an image, found {labels.max() + 1}; lower tau or count"
        )
    return (labels + 1).astype(np.uint16)
