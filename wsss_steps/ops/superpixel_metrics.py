"""Region and boundary measures of superpixels against ground truth (Kim 2022, dissertation, eqs. 3.9 to 3.12).

Each measure is counted as (numerator, denominator) per image, so that its mean over images and its pooled value come
from the same counts.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Integer
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from skimage.segmentation import find_boundaries

from wsss_steps.ops.labels import IGNORE

Counts = tuple[int, int]


def region_counts(
    superpixels: Integer[NDArray[Any], "H W"], truth: Integer[NDArray[Any], "H W"]
) -> tuple[Counts, Counts]:
    """Undersegmentation error (3.9) and achievable segmentation accuracy (3.12), each as (numerator, denominator).

    `truth` holds semantic classes, including background; void pixels (255) are excluded. The denominator is the number
    of remaining pixels, which may be 0.
    """
    valid = truth != IGNORE
    classes = int(truth[valid].max(initial=0)) + 1
    pairs = superpixels[valid].astype(np.int64) * classes + truth[valid]
    overlap = np.bincount(pairs, minlength=classes).astype(np.int64)
    overlap = np.pad(overlap, (0, -len(overlap) % classes)).reshape(-1, classes)  # (superpixels, classes)
    outside = overlap.sum(axis=1, keepdims=True) - overlap
    pixels = int(valid.sum())
    return (int(np.minimum(overlap, outside).sum()), pixels), (int(overlap.max(axis=1).sum()), pixels)


def boundary_pixels(
    labels: Integer[NDArray[Any], "H W"], convention: Literal["inner4", "opencv"]
) -> Bool[NDArray[np.bool_], "H W"]:
    """The pixels with a 4-neighbour of another label: both sides of every edge.

    With "inner4" the image frame is no boundary. With "opencv" it is: the pixels are those that OpenCV's `findContours`
    (since 3.2, any mode but RETR_EXTERNAL, CHAIN_APPROX_NONE) finds in the mask of each label in turn; it treats the
    outside of the image as background.
    """
    result: NDArray[np.bool_] = find_boundaries(labels, connectivity=1, mode="thick")  # type: ignore[no-untyped-call]
    if convention == "opencv":
        result[[0, -1]] = True
        result[:, [0, -1]] = True
    return result


def _near(mask: NDArray[np.bool_], tolerance: float) -> NDArray[np.bool_]:
    """The pixels whose Euclidean distance to the nearest pixel of `mask` is less than `tolerance` px."""
    if not mask.any():
        return np.zeros(mask.shape, bool)
    result: NDArray[np.bool_] = distance_transform_edt(~mask) < tolerance
    return result


def without_void(truth: Integer[NDArray[Any], "H W"]) -> Integer[NDArray[Any], "H W"]:
    """Each void pixel (255) takes the value of the nearest non-void pixel; an all-void map is returned unchanged."""
    is_void = truth == IGNORE
    if is_void.all() or not is_void.any():
        return truth
    nearest = distance_transform_edt(is_void, return_distances=False, return_indices=True)
    filled: NDArray[Any] = truth[tuple(nearest)]
    return filled


def boundary_counts(
    superpixels: Integer[NDArray[Any], "H W"],
    truth: Integer[NDArray[Any], "H W"],
    *,
    boundary: Literal["inner4", "opencv"],
    boundary_tolerance: float,
    void: Literal["nearest", "exclude"],
) -> tuple[Counts, Counts]:
    """Boundary recall (3.10) and boundary precision (3.11), each as (numerator, denominator); a denominator may be 0.

    `boundary` defines a boundary (see `boundary_pixels`). With "opencv" both maps share the frame of the image, which
    can only raise the two measures. The dissertation used a "contour finding method provided by opencv" (3.4.3) without
    stating its options. A boundary pixel counts as found if the other map has one strictly nearer than
    `boundary_tolerance` px. Void pixels (255) are no class and have no boundary. With `void` = "nearest" each takes the
    class of the nearest non-void pixel, so the boundary of an object ringed by void runs along the middle of the ring;
    with "exclude", boundaries nearer than the tolerance to void are left out of both sets, and such an object has none.
    """
    is_void = truth == IGNORE
    counted = np.ones(truth.shape, bool)
    if void == "exclude":
        counted = ~_near(is_void, boundary_tolerance)
    if is_void.all():
        return (0, 0), (0, 0)
    truth = without_void(truth)
    of_truth, of_superpixels = boundary_pixels(truth, boundary), boundary_pixels(superpixels, boundary)
    found = of_truth & counted & _near(of_superpixels, boundary_tolerance)
    right = of_superpixels & counted & _near(of_truth, boundary_tolerance)
    recall = int(found.sum()), int((of_truth & counted).sum())
    return recall, (int(right.sum()), int((of_superpixels & counted).sum()))
