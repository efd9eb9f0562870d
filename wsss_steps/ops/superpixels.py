"""Superpixel discovery from patch features (dissertation, Table 3.1), and from patches to pixels; free of torch."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Integer, Shaped
from numpy.typing import NDArray

from wsss_steps.errors import UserError

_ROWS_PER_SUM = 255  # so many zeros and ones are summed in 8 bits without overflow, several times faster than in 32


def cosine_similarity(features: Shaped[NDArray[Any], "N d"]) -> Float[NDArray[np.float32], "N N"]:
    """Cosine of the angle between any two of N feature vectors, eq. 3.1: (N, N) float32 in [-1, 1] up to rounding.

    A zero vector has no direction: its similarity is taken as 1 to another zero vector and as 0 to any other vector.
    Raises a `UserError` if a feature is not finite.
    """
    vectors = features.astype(np.float32)
    lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors))
    bad = np.flatnonzero(~np.isfinite(lengths))  # a NaN or an infinity shows in the length of its vector
    if len(bad):
        found = f"found NaN, infinity or an overflow in {len(bad)} of {len(lengths)} patches, the first is {bad[0]}"
        raise UserError(f"expected finite features, {found}")
    zero = np.flatnonzero(lengths == 0)
    vectors /= np.where(lengths == 0, 1, lengths)[:, None]
    similarity: NDArray[np.float32] = (
        vectors @ vectors.T
    )  # of a matrix with itself: exactly symmetric, at half the cost
    similarity[np.ix_(zero, zero)] = 1
    return similarity


def discover(
    features: Shaped[NDArray[Any], "N d"], tau: float, order: Literal["lowest", "highest"] = "lowest"
) -> tuple[Integer[NDArray[np.int32], " N"], Integer[NDArray[np.int32], " n"]]:
    """Partition N patches by the similarity of their features; Table 3.1.

    Again and again the candidate of lowest (`order`) degree is the seed, and all candidates whose cosine with it
    exceeds `tau` form the next superpixel. The degree of a patch is the number of candidates, itself included, with a
    positive cosine to it. Among equal degrees the lowest index wins.

    One difference from the table: a seed always belongs to its own superpixel. There, a seed whose cosine with itself
    does not exceed `tau` (by rounding, or for tau >= 1) would stay a candidate for ever.

    Returns the superpixel 0..n-1 of every patch, in the order of discovery, and the seed patch of each superpixel.
    Superpixels may lie in several pieces, by design. Time is that of the product of the features with themselves;
    memory is 5 N^2 bytes.
    """
    similarity = cosine_similarity(features)
    positive = (similarity > 0).view(np.uint8)
    size = len(similarity)
    pick, taken = (
        (np.argmin, 4 * size) if order == "lowest" else (np.argmax, -1)
    )  # `taken` is never picked, even after subtractions
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
        for start in range(
            0, len(members), _ROWS_PER_SUM
        ):  # rows for columns: the matrix is symmetric, and rows lie together
            degree -= np.add.reduce(positive[members[start : start + _ROWS_PER_SUM]], axis=0, dtype=np.uint8)
        degree[members] = taken
    return label, np.array(seeds, np.int32)


def upsample(
    grid: Integer[NDArray[np.int32], "h w"], extent: tuple[float, float], size: tuple[int, int]
) -> Integer[NDArray[np.int32], "H W"]:
    """Give every pixel of an image of `size` (H, W) the value of the grid cell in which its centre lies.

    `extent` (height, width) is what the grid spans, in pixels of the image, whose top left part the image is. Raises
    a `UserError` if the two disagree: if a pixel lies beyond the grid by more than rounding, or a whole row or column
    of cells beyond the image.
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
    """Close the gaps in a map of labels >= 0: the map with labels 0..n-1 in the old order, and each one's old label."""
    occurs = np.bincount(labels.ravel()) > 0
    return (np.cumsum(occurs, dtype=np.int32) - 1)[labels], np.flatnonzero(occurs)


def as_ids(labels: Integer[NDArray[Any], "H W"]) -> NDArray[np.uint16]:
    """Ids 1..n for storage from labels 0..n-1; a `UserError` if n exceeds what 16 bits hold."""
    most = np.iinfo(np.uint16).max
    if labels.max() + 1 > most:
        raise UserError(
            f"expected at most {most} superpixels in an image, found {labels.max() + 1}; lower tau or count"
        )
    return (labels + 1).astype(np.uint16)
