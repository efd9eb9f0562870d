"""Scores of small and large objects apart.

What a class covers in an image counts as one object, since label maps do not tell its instances apart. The size of an
object is the share that it has of the image's pixels, void left out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64, Int64

from wsss_steps.ops.evaluation import mean_of_known, ratios


def size_of_objects(
    truth: Int64[np.ndarray, "images classes"], bounds: Sequence[float]
) -> Int64[np.ndarray, "images classes"]:
    """The number of the size of every object: how many of the ascending `bounds` it reaches; -1 where there is none.

    `truth` counts the pixels of each class, background first, which is no object.
    """
    shares = truth / np.maximum(truth.sum(axis=1, keepdims=True), 1)
    sizes = np.where(truth > 0, np.searchsorted(np.array(bounds, np.float64), shares, side="right"), -1)
    sizes[:, 0] = -1
    return sizes.astype(np.int64)


def iou_by_size(
    counts: Float64[np.ndarray, "runs images 3 classes"], sizes: Int64[np.ndarray, "images classes"], number: int
) -> tuple[Float64[np.ndarray, "runs sizes"], Int64[np.ndarray, " sizes"]]:
    """The IoU of objects of each of `number` sizes in every run, and how many objects there are of each.

    The IoU of a class at a size comes from the pixels counted in the images in which its object has that size: what is
    taken for the class in images without it is not counted. Then the mean over the classes with objects of that
    size; NaN if there are none. `counts` are `evaluation.triples` of each image.
    """
    found = []
    for size in range(number):
        chosen = sizes == size
        summed = np.einsum("nc,rnkc->rkc", chosen.astype(np.float64), counts)
        found.append(mean_of_known(np.where(chosen.any(axis=0), ratios(summed, "nan_skip")[0], np.nan)))
    objects = [(sizes == size).sum() for size in range(number)]
    return np.stack(found, axis=-1), np.array(objects, np.int64)
