"""Evaluation of label maps: all measures come from one confusion matrix per image (Kim 2022, dissertation, ch. 1).

A confusion is an int64 array (C + 1, C + 2): pixels whose ground truth is the class of the row (0 background, 1..C)
and whose prediction is the class of the column; the last column counts pixels predicted as unlabelled (255). Pixels
whose ground truth is 255 (void) are not counted. The confusion of several images is the sum of theirs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64, UInt8
from numpy.typing import NDArray

from wsss_steps.ops.labels import IGNORE


@dataclass(frozen=True)
class Measures:
    """Measures of one confusion (eqs. 1.5 to 1.8): per class, (C + 1,) background first, NaN if left out; and means.

    Per class iou + fp + fn = 1 (fp, fn: false positives and negatives over the union). `miou` is the mean over all
    classes, `mean_fp` and `mean_fn` over the classes 1..C, as usual in the literature; their sum need not be 1.
    """

    iou: Float64[np.ndarray, " classes"]
    fp: Float64[np.ndarray, " classes"]
    fn: Float64[np.ndarray, " classes"]
    miou: float
    mean_fp: float
    mean_fn: float
    pixel_accuracy: float


def confusion(
    truth: UInt8[np.ndarray, "H W"], predicted: UInt8[np.ndarray, "H2 W2"], num_classes: int
) -> Int64[np.ndarray, "rows columns"]:
    """Count the pixels of one image; `num_classes` is C, without background.

    Raises ValueError if the maps differ in size or hold values other than 0..C and 255, which would silently count for
    another class.
    """
    if truth.shape != predicted.shape:
        raise ValueError(
            f"expected a prediction of the size of the ground truth, {truth.shape} (H, W), found {predicted.shape}"
        )
    for name, labels in (("ground truth", truth), ("prediction", predicted)):
        values = np.flatnonzero(np.bincount(labels.ravel(), minlength=256))
        if bad := [int(value) for value in values if num_classes < value < IGNORE]:
            raise ValueError(f"expected values 0..{num_classes} and {IGNORE} in the {name}, found {bad}")
    rows, columns = num_classes + 1, num_classes + 2
    counted = truth != IGNORE
    column = np.where(predicted == IGNORE, num_classes + 1, predicted)[counted].astype(np.int64)
    cells = truth[counted].astype(np.int64) * columns + column
    return np.bincount(cells, minlength=rows * columns).reshape(rows, columns).astype(np.int64)


def cam_labels(
    cam: Float32[np.ndarray, "n H W"], classes: UInt8[np.ndarray, " n"], threshold: float
) -> UInt8[np.ndarray, "H W"]:
    """Label each pixel by the argmax over a constant background map (`threshold`) and the maps; ties are background."""
    if len(classes) == 0:
        return np.zeros(cam.shape[1:], np.uint8)
    return np.where(cam.max(axis=0) > np.float32(threshold), classes[cam.argmax(axis=0)], 0).astype(np.uint8)


def cam_confusions(
    truth: UInt8[np.ndarray, "H W"],
    cam: Float32[np.ndarray, "n H W"],
    classes: UInt8[np.ndarray, " n"],
    thresholds: Float32[np.ndarray, " thresholds"],
    num_classes: int,
) -> Int64[np.ndarray, "thresholds rows columns"]:
    """The confusion of `cam_labels` at each of the ascending `thresholds`, from one argmax and one count.

    A pixel of strongest class c and strength v is labelled c at the thresholds below v, and background at the others.
    So pixels are counted by (ground truth, c, number of thresholds below v), and the counts are summed from the
    highest threshold down.
    """
    if (np.diff(thresholds) <= 0).any():
        raise ValueError(f"expected ascending thresholds, found {thresholds.tolist()}")
    if len(classes) == 0:
        return np.repeat(
            confusion(truth, np.zeros(cam.shape[1:], np.uint8), num_classes)[None], len(thresholds), axis=0
        )
    strongest = classes[cam.argmax(axis=0)]
    everywhere = confusion(truth, strongest, num_classes)  # checks sizes and values
    counted = truth != IGNORE
    below = np.searchsorted(thresholds, cam.max(axis=0)[counted], side="left")
    steps = len(thresholds) + 1
    cells = (truth[counted].astype(np.int64) * (num_classes + 2) + strongest[counted]) * steps + below
    counts = np.bincount(cells, minlength=everywhere.size * steps).reshape(*everywhere.shape, steps)
    at_least = counts[..., ::-1].cumsum(axis=-1)[..., ::-1]  # pixels above at least that many thresholds
    result = np.moveaxis(at_least[..., 1:], -1, 0).astype(np.int64)
    result[..., 0] += counts.sum(axis=(1, 2))[None] - result.sum(axis=2)
    return result


def triples(confusions: Int64[np.ndarray, "... rows columns"], pred_ignore: str) -> Int64[np.ndarray, "... 3 rows"]:
    """Per class, pixels predicted correctly (TP), predicted (P) and in the ground truth (T)."""
    if pred_ignore not in ("count_as_wrong", "exclude"):
        raise ValueError(f"unknown policy pred_ignore '{pred_ignore}'; known: count_as_wrong, exclude")
    labelled = confusions[..., :-1]
    truth = (confusions if pred_ignore == "count_as_wrong" else labelled).sum(axis=-1)
    return np.stack([np.diagonal(labelled, axis1=-2, axis2=-1), labelled.sum(axis=-2), truth], axis=-2)


def ratios(
    counts: NDArray[np.number], absent: str
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """IoU, FP and FN per class from (..., 3, C + 1); all NaN for a class without pixels, or with "zero" an IoU of 0."""
    if absent not in ("nan_skip", "zero"):
        raise ValueError(f"unknown policy absent '{absent}'; known: nan_skip, zero")
    right, predicted, truth = (counts[..., row, :].astype(np.float64) for row in range(3))
    union = truth + predicted - right
    empty = union == 0
    shares = [
        np.where(empty, np.nan, part / np.where(empty, 1.0, union))
        for part in (right, predicted - right, truth - right)
    ]
    if absent == "zero":
        shares[0] = np.where(empty, 0.0, shares[0])
    return shares[0], shares[1], shares[2]


def mean_of_known(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the last axis, ignoring NaN; NaN if all are."""
    known = ~np.isnan(values)
    count = known.sum(axis=-1)
    mean: NDArray[np.float64] = np.where(
        count == 0, np.nan, np.where(known, values, 0.0).sum(axis=-1) / np.maximum(count, 1)
    )
    return mean


def measures(
    total: Int64[np.ndarray, "rows columns"], *, pred_ignore: str = "count_as_wrong", absent: str = "nan_skip"
) -> Measures:
    """Measures of a confusion, summed over images.

    `pred_ignore`: whether pixels predicted as unlabelled count against their class or are left out; `absent`: whether
    a class with no pixel in ground truth and prediction is left out of the means or has IoU 0. Raises ValueError for
    another policy.
    """
    counts = triples(total, pred_ignore)
    iou, fp, fn = ratios(counts, absent)
    right, _, truth = counts.sum(axis=-1)
    accuracy = float(right / truth) if truth else float("nan")
    return Measures(
        iou, fp, fn, float(mean_of_known(iou)), float(mean_of_known(fp[1:])), float(mean_of_known(fn[1:])), accuracy
    )


def coverage_and_precision(
    total: Int64[np.ndarray, "rows columns"],
) -> tuple[Float64[np.ndarray, " classes"], Float64[np.ndarray, " classes"], float, float]:
    """Coverage and precision of seeds per class, then both over all pixels.

    Coverage of class c: share of its pixels that have any label. Precision of c: share of the pixels labelled c that
    are of class c. Void pixels are not counted; NaN if there are no pixels.
    """
    labelled = total[:, :-1]
    right = np.diagonal(labelled)
    per_class = []
    for part, base in ((labelled.sum(axis=1), total.sum(axis=1)), (right, labelled.sum(axis=0))):
        per_class.append(np.where(base == 0, np.nan, part / np.maximum(base, 1)))
    pixels, with_label = int(total.sum()), int(labelled.sum())
    coverage = with_label / pixels if pixels else float("nan")
    precision = int(right.sum()) / with_label if with_label else float("nan")
    return per_class[0], per_class[1], coverage, precision
