"""Salient patches from patch features alone: LOST and TokenCut; free of torch."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Shaped
from numpy.typing import NDArray
from scipy import linalg, ndimage

from wsss_steps.ops.superpixels import cosine_similarity

WEAK_EDGE = 1e-5  # of TokenCut: between dissimilar patches, so that the graph is connected


def tokencut(features: Shaped[NDArray[Any], "h w d"], *, tau: float, connected: bool) -> Bool[NDArray[np.bool_], "h w"]:
    """The salient patches by a normalised cut of the graph of patches (TokenCut, Wang et al. 2022).

    Edges are 1 between patches of cosine similarity above `tau` and 1e-5 between others. The eigenvector of the second
    smallest eigenvalue of (D - E) x = lambda D x is cut at its mean; the salient side has the entry of largest absolute
    value, the seed. With `connected`, only the 4-connected part that contains the seed is kept. Nothing is salient if
    all edges are 1: such a graph has no cut.
    """
    rows, columns, dims = features.shape
    linked = cosine_similarity(features.reshape(-1, dims)) > tau
    if linked.all() or len(linked) < 2:
        return np.zeros((rows, columns), np.bool_)
    vector = second_eigenvector(np.where(linked, 1.0, WEAK_EDGE))
    seed = int(np.abs(vector).argmax())
    side = vector > vector.mean()
    if not side[seed]:
        side = ~side
    return _part(side.reshape(rows, columns), seed, connected)


def second_eigenvector(edges: Float[NDArray[np.float64], "N N"]) -> Float[NDArray[np.float64], " N"]:
    """Eigenvector x of the second smallest lambda of (D - E) x = lambda D x; edges E > 0 are symmetric, D their sums.

    It is D^-1/2 times that of the symmetric matrix I - D^-1/2 E D^-1/2, so x^T D x = 1; its sign is arbitrary. Time
    grows with N^3: a second at N = 2,000.
    """
    root = 1 / np.sqrt(edges.sum(axis=1))
    size = len(edges)
    _, vectors = linalg.eigh(
        root[:, None] * edges * root[None, :], subset_by_index=[size - 2, size - 2], check_finite=False
    )
    vector: NDArray[np.float64] = root * vectors[:, 0]
    return vector


def lost(
    features: Shaped[NDArray[Any], "h w d"], *, least_similar: int, connected: bool
) -> Bool[NDArray[np.bool_], "h w"]:
    """The salient patches by expansion of one seed patch (LOST, Simeoni et al. 2021).

    The degree of a patch is the number of patches with a positive correlation (dot product) to it. The seed is the
    patch of lowest degree, the first of ties. It is joined by those of the `least_similar` patches of lowest degree
    that correlate positively with it. A patch is salient if its mean correlation with these is positive; with
    `connected`, only in the 4-connected part that contains the seed. Nothing is salient if the seed's vector is zero.
    """
    rows, columns, dims = features.shape
    vectors = features.reshape(-1, dims).astype(np.float32)
    correlation = vectors @ vectors.T
    lowest_first = np.argsort((correlation > 0).sum(axis=0), kind="stable")
    seed = int(lowest_first[0])
    helpers = [patch for patch in lowest_first[:least_similar] if correlation[seed, patch] > 0]
    if not helpers:
        return np.zeros((rows, columns), np.bool_)
    salient = correlation[helpers].mean(axis=0) > 0
    return _part(salient.reshape(rows, columns), seed, connected)


def _part(salient: Bool[NDArray[np.bool_], "h w"], seed: int, connected: bool) -> Bool[NDArray[np.bool_], "h w"]:
    """All salient patches, or those 4-connected to the salient patch `seed` (row-major index)."""
    if not connected:
        return salient
    pieces = ndimage.label(salient)[0]
    part: NDArray[np.bool_] = pieces == pieces.ravel()[seed]
    return part
