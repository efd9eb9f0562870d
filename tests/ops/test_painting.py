"""Label images of overlapping objects, against the rule pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest

from wsss_steps.ops.painting import paint


def slow(size: tuple[int, int], masks: list[np.ndarray], labels: list[int], smaller_on_top: bool) -> np.ndarray:
    """Each pixel alone: of the objects that cover it, the smallest, or the last; of equal ones the last."""
    image = np.zeros(size, np.uint8)
    for row, column in np.ndindex(size):
        best = None
        for index, mask in enumerate(masks):
            if mask[row, column] and (best is None or not smaller_on_top or mask.sum() <= masks[best].sum()):
                best = index
        image[row, column] = 0 if best is None else labels[best]
    return image


@pytest.mark.parametrize("smaller_on_top", [False, True])
def test_every_pixel_follows_the_rule(smaller_on_top: bool) -> None:
    rng = np.random.default_rng(0)
    for _ in range(30):
        masks = [rng.random((5, 7)) < rng.random() for _ in range(rng.integers(0, 6))]
        labels = [int(rng.integers(1, 256)) for _ in masks]
        found = paint((5, 7), masks, labels, smaller_on_top=smaller_on_top)
        np.testing.assert_array_equal(found, slow((5, 7), masks, labels, smaller_on_top))


def test_a_small_object_within_a_large_one() -> None:
    small, large = np.array([[False, True, False]]), np.array([[True, True, True]])
    assert paint((1, 3), [small, large], [7, 3], smaller_on_top=True).tolist() == [[3, 7, 3]]
    assert paint((1, 3), [small, large], [7, 3], smaller_on_top=False).tolist() == [[3, 3, 3]]
    assert paint((1, 3), [large, ~small], [7, 3], smaller_on_top=True).tolist() == [[3, 7, 3]]


def test_of_equal_objects_the_later_is_on_top() -> None:
    both = np.ones((1, 1), bool)
    assert paint((1, 1), [both, both], [7, 3], smaller_on_top=True).tolist() == [[3]]


def test_another_size_is_an_error() -> None:
    with pytest.raises(ValueError, match="expected masks of 1 x 3 px"):
        paint((1, 3), [np.ones((3, 1), bool)], [1], smaller_on_top=False)
