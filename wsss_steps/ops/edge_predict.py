"""EP, the boundary-aware mask of EdgePredictMix (Jo et al. 2023): labels that are uniform between edges."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Int, Integer
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation
from skimage.feature import canny
from skimage.measure import label
from torch import Tensor

from wsss_steps.ops.labels import IGNORE

_VALUES = 256  # of labels


def edge_predict(
    labels: Int[Tensor, "B H W"], *, sigma: float, low: float, high: float, widen: int, fill_only_ignored: bool
) -> Int[Tensor, "B H W"]:
    """Give every superpixel of a label map, an area between edges, the label that is most frequent in it.

    Args:
        labels: 0 background, 1..C, 255 unlabelled or padding; the argmax of the decoder's probabilities.
        sigma: of the blur before edges are looked for, px.
        low: threshold on gradients that go on with an edge; see `edges` for the unit.
        high: threshold on gradients that make one.
        widen: edges grow by so many px to all four sides, which closes gaps in them. With 0, the definition of the
            paper, ragged areas often have a gap, through which they merge with what surrounds them.
        fill_only_ignored: only unlabelled pixels get that label, as in the authors' repository.

    Returns:
        Label maps on the same device; computed on the CPU. Pixels on an edge keep their label.
    """
    refined = []
    for one in labels.cpu().numpy():
        pieces = components(edges(one, sigma=sigma, low=low, high=high), widen)
        refined.append(dominant(one, pieces, fill_only_ignored=fill_only_ignored))
    return torch.from_numpy(np.stack(refined)).to(labels)


def edges(
    labels: Integer[NDArray[Any], "H W"], *, sigma: float, low: float, high: float
) -> Bool[NDArray[np.bool_], "H W"]:
    """Canny edges of the areas of every label but the lowest, whose boundaries are those of the others.

    Each area is an image of its own, 255 on 0, so that all boundaries are equally sharp, however classes are numbered.

    Args:
        labels: 0..C and 255.
        sigma: of the Gaussian blur, px. 1 is the standard deviation of OpenCV's kernel of 5x5, but the kernel here is
            not cut off there.
        low: threshold on the length of the Sobel gradient where it goes on with an edge, in levels of 8 bits. OpenCV by
            default adds the components of the gradient instead, which is up to 1.4 times as much.
        high: the same where an edge begins.
    """
    padded = np.pad(labels, 1, mode="edge")  # Canny marks no pixel of the frame, along which areas would connect
    found = np.zeros(padded.shape, bool)
    for value in np.unique(labels)[1:]:
        area = (padded == value).astype(np.uint8) * 255
        found |= canny(area, sigma=sigma, low_threshold=low, high_threshold=high)  # type: ignore[no-untyped-call]
    return found[1:-1, 1:-1]


def components(edge: Bool[NDArray[np.bool_], "H W"], widen: int = 0) -> Integer[NDArray[Any], "H W"]:
    """4-connected areas outside the edges, which grow by `widen` px before; numbered from 1, the edges are 0.

    Edges are 8-connected, so that a closed one parts areas.
    """
    grown = binary_dilation(edge, iterations=widen) if widen else edge
    numbered: NDArray[Any] = label(~grown, connectivity=1)  # type: ignore[no-untyped-call]
    return numbered


def dominant(
    labels: Integer[NDArray[Any], "H W"], pieces: Integer[NDArray[Any], "H W"], *, fill_only_ignored: bool
) -> Integer[NDArray[Any], "H W"]:
    """Labels 0..255 in which every piece has its most frequent one, 255 counting as one; ties go to the lowest.

    Piece 0, the edges, keeps its labels. fill_only_ignored: see `edge_predict`.
    """
    votes = np.bincount((pieces.astype(np.int64) * _VALUES + labels).ravel(), minlength=_VALUES)
    votes = np.pad(votes, (0, -len(votes) % _VALUES)).reshape(-1, _VALUES)
    changes = (pieces > 0) & ((labels == IGNORE) | (not fill_only_ignored))
    return np.where(changes, votes.argmax(axis=1)[pieces], labels).astype(labels.dtype)
