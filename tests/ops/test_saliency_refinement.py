"""Refined saliency maps by hand (dissertation, eqs. 2.5 and 2.6), and seeds made from them."""

import numpy as np
import pytest

from wsss_steps.ops.saliency_refinement import binarise, object_map, refine
from wsss_steps.ops.seeds import saliency_seeds

CASES = [(0.9, 0, 1), (0.8, 0, 0), (0.29, 1, 255), (0.3, 1, 1), (0.5, 0, 0), (0.2, 0, 0)]  # B, O, R


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_refine_by_hand(dtype: type) -> None:
    objects, salient, expected = (np.array([column]) for column in zip(*CASES, strict=True))
    arrays = objects.astype(dtype), salient.astype(np.uint8)
    options = {"tau_1": 0.8, "tau_2": 0.3}
    assert refine(*arrays, **options, uncertain="unlabelled").tolist() == expected.tolist()
    harmful = np.where(expected == 255, 0, expected)
    assert refine(*arrays, **options, uncertain="background").tolist() == harmful.tolist()
    assert arrays[1].tolist() == salient.tolist()  # the argument is not modified


def test_stored_scores_keep_the_thresholds_strict() -> None:
    """204 of 255 is the threshold 0.8 itself, also in the single precision of a store."""
    stored = np.array([[203, 204, 205]], np.uint8).astype(np.float32) * np.float32(1 / 255)
    found = refine(stored, np.zeros((1, 3), np.uint8), tau_1=0.8, tau_2=0.3, uncertain="unlabelled")
    assert found.tolist() == [[0, 0, 1]]


def test_object_map_by_hand() -> None:
    maps = np.array([[[2.0, 1.0, 0.0]], [[0.1, 0.4, 0.2]], [[0.0, 0.0, 0.0]]])
    assert object_map(maps).tolist() == [[1.0, 1.0, 0.5]]  # each class by its own maximum; the third adds nothing
    assert object_map(np.zeros((2, 1, 3))).tolist() == [[0, 0, 0]]
    assert object_map(np.zeros((0, 2, 3), np.float32)).shape == (2, 3)


def test_binarise_is_strict() -> None:
    stored = np.array([[0, 127, 128, 255]], np.uint8).astype(np.float32) * np.float32(1 / 255)
    assert binarise(stored, 127).tolist() == [[0, 0, 1, 1]]
    assert binarise(stored, 0).tolist() == [[0, 1, 1, 1]]


def test_seeds_by_hand() -> None:
    maps, classes = np.array([[[0.9, 0.2, 1.0, 0.0]], [[0.1, 0.8, 0.0, 1.0]]]), np.array([2, 5], np.uint8)
    refined = np.array([[1, 1, 0, 255]], np.uint8)
    assert saliency_seeds(maps, classes, refined).tolist() == [[2, 5, 0, 255]]


def test_an_image_without_tags_has_no_object() -> None:
    refined = np.array([[1, 0, 255]], np.uint8)
    assert saliency_seeds(np.zeros((0, 1, 3)), np.zeros(0, np.uint8), refined).tolist() == [[0, 0, 255]]
