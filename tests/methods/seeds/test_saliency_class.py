"""Seeds of the strongest class inside a saliency map, by hand."""

from __future__ import annotations

import numpy as np

from wsss_steps.methods.seeds import saliency as corrected
from wsss_steps.methods.seeds.saliency_class import seeds
from wsss_steps.settings.seeds import SaliencyClassSeeds

CLASSES = np.array([2, 5], np.uint8)


def of_levels(*levels: int) -> np.ndarray:
    """A saliency map as the store has it, from 8-bit numbers."""
    return np.array([levels], np.float32) / np.float32(255)


def test_the_strongest_class_inside_and_background_outside() -> None:
    maps = np.array([[[0.1, 0.9, 0.2, 0.9]], [[0.3, 0.1, 0.8, 1.0]]], np.float32)
    found = seeds(maps, CLASSES, saliency=of_levels(200, 200, 200, 10), binarise=76)
    assert found.tolist() == [[5, 2, 5, 0]]
    assert found.dtype == np.uint8


def test_the_threshold_is_strict_and_three_tenths_by_default() -> None:
    maps = np.ones((1, 1, 3), np.float32)
    chosen = SaliencyClassSeeds()
    assert chosen.binarise / 255 < 0.3 < (chosen.binarise + 1) / 255
    found = seeds(maps, np.array([1], np.uint8), saliency=of_levels(75, 76, 77), binarise=chosen.binarise)
    assert found.tolist() == [[0, 0, 1]]


def test_ties_and_pixels_without_any_activation_go_to_the_lowest_class() -> None:
    maps = np.array([[[0.0, 0.5, 0.0]], [[0.0, 0.5, 0.1]]], np.float32)
    assert seeds(maps, CLASSES, saliency=of_levels(255, 255, 255), binarise=76).tolist() == [[2, 2, 5]]


def test_an_image_without_tags_is_background() -> None:
    none = np.zeros((0, 1, 2), np.float32)
    assert seeds(none, np.array([], np.uint8), saliency=of_levels(255, 0), binarise=76).tolist() == [[0, 0]]


def test_it_is_the_correction_left_out() -> None:
    """`saliency` with `refine: false` comes to the same by way of a store of refined maps."""
    rng = np.random.default_rng(0)
    maps, saliency = rng.random((2, 6, 7)).astype(np.float32), of_levels(*range(0, 252, 6)).reshape(6, 7)
    options = {"tau_1": 0.8, "tau_2": 0.3, "uncertain": "unlabelled"}
    refined = corrected.refined(maps, saliency, binarise=76, refine=False, **options)
    expected = corrected.seeds(maps, CLASSES, refined_saliency=refined)
    assert np.array_equal(seeds(maps, CLASSES, saliency=saliency, binarise=76), expected)
