from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from skimage.metrics import contingency_table

from wsss_steps.ops.bootstrap import bootstrap_miou
from wsss_steps.ops.evaluation import (
    cam_confusions,
    cam_labels,
    confusion,
    coverage_and_precision,
    measures,
)

TRUTH = np.array([[0, 0, 1, 1, 255]], np.uint8)
PREDICTED = np.array([[0, 1, 1, 1, 0]], np.uint8)


def random_maps(seed: int, size: tuple[int, int] = (13, 17), classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Ground truth and prediction, each with all labels 0..C and 255."""
    rng = np.random.default_rng(seed)
    values = np.array([*range(classes + 1), 255], np.uint8)
    return values[rng.integers(0, len(values), size)], values[rng.integers(0, len(values), size)]


# ---- one count ---------------------------------------------------------------------------------------------------


def test_five_pixels_by_hand() -> None:
    table = confusion(TRUTH, PREDICTED, 1)
    assert table.dtype == np.int64
    assert table.tolist() == [[1, 1, 0], [0, 2, 0]]  # the void pixel is not counted
    found = measures(table)
    assert found.iou.tolist() == pytest.approx([1 / 2, 2 / 3])
    assert found.miou == pytest.approx(float(Fraction(7, 12)))
    assert (found.fp[1], found.fn[1], found.fp[0], found.fn[0]) == pytest.approx((1 / 3, 0, 0, 1 / 2))
    assert (found.mean_fp, found.mean_fn) == pytest.approx((1 / 3, 0))  # without background
    assert found.pixel_accuracy == pytest.approx(3 / 4)


def test_unlabelled_predictions_have_a_column_of_their_own() -> None:
    table = confusion(np.array([[0, 0, 1, 255]], np.uint8), np.array([[255, 0, 255, 255]], np.uint8), 1)
    assert table.tolist() == [[1, 0, 1], [0, 0, 1]]


@pytest.mark.parametrize("seed", range(3))
def test_against_scikit_image(seed: int) -> None:
    truth, predicted = random_maps(seed)
    expected = contingency_table(truth, predicted, ignore_labels=[255]).toarray().astype(int)
    table = confusion(truth, predicted, 3)
    np.testing.assert_array_equal(table, expected[:4][:, [0, 1, 2, 3, 255]])


@pytest.mark.parametrize(("name", "where"), [("ground truth", 0), ("prediction", 1)])
@pytest.mark.parametrize("value", [2, 200, 254])
def test_an_unknown_value_is_refused(name: str, where: int, value: int) -> None:
    """Without the check it would be counted in the cell of another class."""
    maps = [TRUTH.copy(), PREDICTED.copy()]
    maps[where][0, 2] = value
    with pytest.raises(ValueError, match=rf"expected values 0\.\.1 and 255 in the {name}, found \[{value}\]"):
        confusion(*maps, 1)


def test_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected a prediction of the size .* \(1, 5\) \(H, W\), found \(5, 1\)"):
        confusion(TRUTH, PREDICTED.T.copy(), 1)


def test_counts_of_images_add_up() -> None:
    (first, of_first), (second, of_second) = random_maps(0), random_maps(1)
    both = confusion(np.vstack([first, second]), np.vstack([of_first, of_second]), 3)
    np.testing.assert_array_equal(both, confusion(first, of_first, 3) + confusion(second, of_second, 3))


# ---- many measures -----------------------------------------------------------------------------------------------


def test_a_perfect_prediction() -> None:
    truth, _ = random_maps(0)
    found = measures(confusion(truth, np.where(truth == 255, 0, truth).astype(np.uint8), 3))
    assert (found.miou, found.mean_fp, found.mean_fn, found.pixel_accuracy) == (1, 0, 0, 1)


def test_counts_above_2_to_the_31() -> None:
    """32-bit counters wrap here; float32 loses the odd pixel."""
    image = np.array([[2**31 + 1, 0, 0], [1, 2**31, 0]])
    total = np.stack([image] * 3).sum(axis=0)
    found = measures(total)
    assert total[0, 0] == 6442450947
    assert found.iou[0] == pytest.approx(float(Fraction(3 * 2**31 + 3, 3 * 2**31 + 6)), rel=1e-15)
    assert found.iou[0] < 1


def test_unlabelled_pixels_count_as_wrong_or_not_at_all() -> None:
    """Ground truth 0 0 1 1, predicted 0 255 1 0."""
    table = confusion(np.array([[0, 0, 1, 1]], np.uint8), np.array([[0, 255, 1, 0]], np.uint8), 1)
    wrong, left_out = measures(table), measures(table, pred_ignore="exclude")
    assert wrong.iou.tolist() == pytest.approx([1 / 3, 1 / 2])
    assert wrong.fn.tolist() == pytest.approx([1 / 3, 1 / 2])
    assert left_out.iou.tolist() == pytest.approx([1 / 2, 1 / 2])
    assert (wrong.pixel_accuracy, left_out.pixel_accuracy) == pytest.approx((1 / 2, 2 / 3))


def test_a_class_without_a_pixel_is_skipped_or_zero() -> None:
    table = confusion(TRUTH, PREDICTED, 2)
    skipped, zero = measures(table), measures(table, absent="zero")
    assert math.isnan(skipped.iou[2])
    assert skipped.miou == pytest.approx(7 / 12)
    assert zero.iou[2] == 0
    assert zero.miou == pytest.approx(7 / 18)


def test_a_class_that_is_only_predicted_is_not_absent() -> None:
    """Its IoU is 0 under either policy: it was predicted where it is not."""
    table = confusion(np.array([[0, 0]], np.uint8), np.array([[0, 1]], np.uint8), 1)
    assert measures(table).iou.tolist() == [0.5, 0]


def test_nothing_to_measure_is_nan() -> None:
    found = measures(np.zeros((2, 3), np.int64))
    assert all(map(math.isnan, (found.miou, found.mean_fp, found.mean_fn, found.pixel_accuracy)))


@pytest.mark.parametrize("pred_ignore", ["count_as_wrong", "exclude"])
def test_iou_fp_and_fn_share_the_union(pred_ignore: str) -> None:
    found = measures(confusion(*random_maps(2), 3), pred_ignore=pred_ignore)
    np.testing.assert_allclose(found.iou + found.fp + found.fn, 1)


def test_names_of_classes_do_not_matter() -> None:
    truth, predicted = random_maps(3)
    other = np.arange(256, dtype=np.uint8)
    other[:4] = [2, 0, 3, 1]
    found, renamed = measures(confusion(truth, predicted, 3)), measures(confusion(other[truth], other[predicted], 3))
    np.testing.assert_allclose(renamed.iou[other[:4]], found.iou)
    assert renamed.miou == pytest.approx(found.miou)


@pytest.mark.parametrize(
    ("policy", "known"), [("pred_ignore", "count_as_wrong, exclude"), ("absent", "nan_skip, zero")]
)
def test_an_unknown_policy_is_refused(policy: str, known: str) -> None:
    with pytest.raises(ValueError, match=f"unknown policy {policy} 'x'; known: {known}"):
        measures(np.zeros((2, 3), np.int64), **{policy: "x"})


# ---- class activation maps ---------------------------------------------------------------------------------------


def some_cam(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Maps in steps of 1/10, so that ties occur with thresholds and between classes; classes are 1, 3, ..."""
    rng = np.random.default_rng(seed)
    return (rng.integers(0, 11, (count, 13, 17)) / 10).astype(np.float32), np.array([1, 3, 2][:count], np.uint8)


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5, 1.0])
def test_labels_are_the_argmax_over_background_and_maps(threshold: float) -> None:
    cam, classes = some_cam(0, 2)
    background = np.full((1, 13, 17), threshold, np.float32)
    expected = np.array([0, *classes], np.uint8)[np.concatenate([background, cam]).argmax(axis=0)]
    np.testing.assert_array_equal(cam_labels(cam, classes, threshold), expected)


def test_labels_without_a_class_are_background() -> None:
    assert not cam_labels(np.zeros((0, 2, 3), np.float32), np.zeros(0, np.uint8), 0.1).any()


@pytest.mark.parametrize("count", [0, 1, 3])
def test_the_sweep_counts_as_one_threshold_at_a_time(count: int) -> None:
    cam, classes = some_cam(1, count)
    truth, _ = random_maps(1)
    thresholds = np.array([0.0, 0.1, 0.25, 0.5, 0.9, 1.0], np.float32)
    swept = cam_confusions(truth, cam, classes, thresholds, 3)
    one_by_one = [confusion(truth, cam_labels(cam, classes, float(value)), 3) for value in thresholds]
    np.testing.assert_array_equal(swept, one_by_one)


def test_the_sweep_needs_ascending_thresholds() -> None:
    cam, classes = some_cam(1, 1)
    with pytest.raises(ValueError, match="expected ascending thresholds"):
        cam_confusions(random_maps(1)[0], cam, classes, np.array([0.3, 0.3], np.float32), 3)


# ---- interval ----------------------------------------------------------------------------------------------------


def tables(count: int) -> np.ndarray:
    return np.stack([confusion(*random_maps(seed), 3) for seed in range(count)])


def test_the_interval_is_that_of_scores_of_resampled_images() -> None:
    images = tables(5)
    generator = np.random.default_rng(7)
    scores = [measures(images[generator.integers(5, size=5)].sum(axis=0)).miou for _ in range(100)]
    expected = np.percentile(scores, [2.5, 97.5])
    assert bootstrap_miou(images, draws=100, seed=7) == pytest.approx(tuple(expected))


def test_the_interval_repeats_and_holds_the_score() -> None:
    images = tables(20)
    low, high = bootstrap_miou(images, draws=300, seed=0)
    assert (low, high) == bootstrap_miou(images, draws=300, seed=0)
    assert (low, high) != bootstrap_miou(images, draws=300, seed=1)
    assert low < measures(images.sum(axis=0)).miou < high


def test_equal_images_leave_no_doubt() -> None:
    images = np.repeat(tables(1), 6, axis=0)
    score = measures(images[0]).miou
    assert bootstrap_miou(images, draws=10, seed=0) == pytest.approx((score, score))


def test_the_interval_follows_the_policies() -> None:
    images = np.repeat(tables(1), 3, axis=0)
    score = measures(images[0], pred_ignore="exclude").miou
    assert bootstrap_miou(images, draws=3, seed=0, pred_ignore="exclude") == pytest.approx((score, score))


@pytest.mark.parametrize(("count", "draws"), [(0, 10), (3, 0)])
def test_no_images_or_draws_no_interval(count: int, draws: int) -> None:
    assert all(map(math.isnan, bootstrap_miou(np.zeros((count, 2, 3), np.int64), draws=draws, seed=0)))


def test_images_of_nothing_but_void_have_no_interval() -> None:
    assert all(map(math.isnan, bootstrap_miou(np.zeros((2, 2, 3), np.int64), draws=5, seed=0)))


# ---- seeds -------------------------------------------------------------------------------------------------------


def test_coverage_and_precision_by_hand() -> None:
    """Seven of ten pixels have a label, five of them the right one; two void pixels are not counted."""
    truth = np.array([[0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 255, 255]], np.uint8)
    seeds = np.array([[0, 0, 255, 1, 1, 1, 255, 0, 2, 255, 2, 255]], np.uint8)
    covered, precise, coverage, precision = coverage_and_precision(confusion(truth, seeds, 2))
    assert covered.tolist() == pytest.approx([3 / 4, 3 / 4, 1 / 2])
    assert precise.tolist() == pytest.approx([2 / 3, 2 / 3, 1])
    assert (coverage, precision) == pytest.approx((7 / 10, 5 / 7))


def test_seeds_without_a_label_cover_nothing_and_have_no_precision() -> None:
    covered, precise, coverage, precision = coverage_and_precision(confusion(TRUTH, np.full_like(TRUTH, 255), 2))
    assert covered[:2].tolist() == [0, 0]
    assert math.isnan(covered[2])
    assert np.isnan(precise).all()
    assert coverage == 0
    assert math.isnan(precision)
    assert math.isnan(coverage_and_precision(np.zeros((2, 3), np.int64))[2])
