"""Statistics of label maps and tags by hand."""

from __future__ import annotations

import numpy as np
import pytest

from wsss_steps.ops import label_statistics as stats

# two classes: background, cat, dog, unlabelled; 10 pixels an image
COUNTS = np.array([[5, 5, 0, 0], [2, 0, 4, 4], [10, 0, 0, 0], [0, 1, 9, 0]], np.int64)
TAGS = np.array([[1, 0], [1, 1], [0, 1], [1, 0]], bool)


def test_pixels_of_one_map() -> None:
    labels = np.array([[0, 0, 2], [255, 2, 2]], np.uint8)
    assert stats.label_counts(labels, 2).tolist() == [2, 0, 3, 1]
    assert stats.label_counts(labels, 254).sum() == 6
    with pytest.raises(ValueError, match=r"expected labels 0..1 and 255, found \[2\]"):
        stats.label_counts(labels, 1)


def test_shares_of_nothing_are_nan() -> None:
    found = stats.share(np.array([1, 0, 0]), np.array([4, 3, 0]))
    assert found == pytest.approx([0.25, 0, np.nan], nan_ok=True)


def test_shares_of_each_image() -> None:
    assert stats.of_images(COUNTS).tolist()[1] == [0.2, 0, 0.4, 0.4]
    assert stats.of_images(COUNTS).sum(axis=1) == pytest.approx([1, 1, 1, 1])


def test_shares_of_all_pixels() -> None:
    assert stats.of_all_pixels(COUNTS).tolist() == [17 / 40, 6 / 40, 13 / 40, 4 / 40]
    assert np.isnan(stats.of_all_pixels(COUNTS[:0])).all()


def test_shares_of_the_images_tagged_with_a_class() -> None:
    """Cat: 5 + 0 + 1 of 30 pixels; dog: 4 + 0 of 20, its 9 pixels in the last image do not count."""
    assert stats.of_tagged(COUNTS, TAGS) == pytest.approx([6 / 30, 4 / 20])
    assert stats.of_tagged(COUNTS, TAGS & [True, False]) == pytest.approx([6 / 30, np.nan], nan_ok=True)


def test_tags_that_a_label_lacks_and_classes_that_no_tag_names() -> None:
    assert stats.lacking(COUNTS, TAGS).tolist() == [[False, False], [True, False], [False, True], [False, False]]
    assert stats.untagged(COUNTS, TAGS).tolist() == [[0, 0], [0, 0], [0, 0], [0, 9]]


def test_classes_that_are_alone_or_together() -> None:
    """Cat in images 0, 1, 3; dog in 1, 2: both in one of four."""
    assert stats.alone(TAGS).sum(axis=0).tolist() == [2, 1]
    assert stats.together(TAGS) == pytest.approx(np.array([[1, 1 / 4], [1 / 4, 1]]))
    assert np.isnan(stats.together(np.zeros((3, 2), bool))).all()
