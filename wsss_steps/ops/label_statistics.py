"""What label maps show, counted per image: pixels of each label, compared with the tags. No ground truth.

`counts` are those of `label_counts` of N images, with C classes: background first, unlabelled last. `tags` say which
of the classes 1..C an image is tagged with. Shares are NaN where there is nothing to take a share of.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt8
from numpy.typing import NDArray

from wsss_steps.ops.labels import IGNORE


def label_counts(labels: UInt8[np.ndarray, "H W"], num_classes: int) -> Int64[np.ndarray, " columns"]:
    """Pixels of background, of the classes 1..C and without a label in one map: (C + 2,).

    Raises ValueError for values other than 0..C and 255.
    """
    found = np.bincount(labels.ravel(), minlength=IGNORE + 1)
    if bad := [int(value) for value in np.flatnonzero(found) if num_classes < value < IGNORE]:
        raise ValueError(f"expected labels 0..{num_classes} and {IGNORE}, found {bad}")
    return np.append(found[: num_classes + 1], found[IGNORE]).astype(np.int64)


def share(part: NDArray[np.generic], whole: NDArray[np.generic]) -> NDArray[np.float64]:
    """Elementwise part / whole, NaN for 0 / 0."""
    base = np.asarray(whole, np.float64)
    empty = np.full(base.shape, np.nan)
    found: NDArray[np.float64] = np.divide(np.asarray(part, np.float64), base, out=empty, where=base != 0)
    return found


def of_images(counts: Int64[np.ndarray, "N columns"]) -> Float64[np.ndarray, "N columns"]:
    """The share of its image that each label has."""
    return share(counts, np.broadcast_to(counts.sum(axis=1, keepdims=True), counts.shape))


def of_all_pixels(counts: Int64[np.ndarray, "N columns"]) -> Float64[np.ndarray, " columns"]:
    """The share of the pixels of all images that each label has."""
    total = counts.sum(axis=0)
    return share(total, np.full(total.shape, total.sum()))


def of_tagged(counts: Int64[np.ndarray, "N columns"], tags: Bool[np.ndarray, "N C"]) -> Float64[np.ndarray, " C"]:
    """The share that each class has of the pixels of all images tagged with it."""
    return share((counts[:, 1:-1] * tags).sum(axis=0), (counts.sum(axis=1)[:, None] * tags).sum(axis=0))


def lacking(counts: Int64[np.ndarray, "N columns"], tags: Bool[np.ndarray, "N C"]) -> Bool[np.ndarray, "N C"]:
    """Which images are tagged with a class of which they have no pixel."""
    found: NDArray[np.bool_] = tags & (counts[:, 1:-1] == 0)
    return found


def untagged(counts: Int64[np.ndarray, "N columns"], tags: Bool[np.ndarray, "N C"]) -> Int64[np.ndarray, "N C"]:
    """The pixels of each class in images that are not tagged with it."""
    return np.where(tags, 0, counts[:, 1:-1])


def alone(tags: Bool[np.ndarray, "N C"]) -> Bool[np.ndarray, "N C"]:
    """Which images have a class as their only tag."""
    found: NDArray[np.bool_] = tags & (tags.sum(axis=1) == 1)[:, None]
    return found


def together(tags: Bool[np.ndarray, "N C"]) -> Float64[np.ndarray, "C C"]:
    """Of the images tagged with one of two classes, the share tagged with both."""
    both = tags.T.astype(np.int64) @ tags.astype(np.int64)
    each = np.diagonal(both)
    return share(both, each[:, None] + each[None] - both)
