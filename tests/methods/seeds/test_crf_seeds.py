"""Seeds from one background, by hand without a CRF, and as those of two equal backgrounds with one."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import UInt8

from wsss_steps.methods.seeds import affinity
from wsss_steps.methods.seeds.crf import seeds
from wsss_steps.settings import crf

MAPS = np.array([[[0.0, 0.1, 0.3, 0.0]], [[0.0, 0.0, 0.2, 0.9]]], np.float32)
TAGS = np.array([2, 5], np.uint8)


def of(maps: np.ndarray, tags: np.ndarray, **options: Any) -> UInt8[np.ndarray, "H W"]:
    """Seeds of a black image."""
    image = np.zeros((*maps.shape[1:], 3), np.uint8)
    return seeds(maps, tags, image=image, **{"background_power": 4.0, "sure": 0.0, "crf": None} | options)


def test_the_largest_of_background_and_maps_by_hand() -> None:
    """(1 - m)^4 of the largest map: 1, .6561, .2401 and .0001; (1 - m): 1, .9, .7 and .1."""
    assert of(MAPS, TAGS).tolist() == [[0, 0, 2, 5]]
    assert of(MAPS, TAGS, background_power=1.0).tolist() == [[0, 0, 0, 5]]
    assert of(MAPS, TAGS).dtype == np.uint8


def test_a_label_that_is_not_sure_stays_out_by_hand() -> None:
    """Of the sum: 1, .6561 / .7561 = .868, .3 / .7401 = .405, .9 / .9001; at most `sure` is not enough."""
    assert of(MAPS, TAGS, sure=0.5).tolist() == [[0, 0, 255, 5]]
    assert of(MAPS, TAGS, sure=0.9).tolist() == [[0, 255, 255, 5]]
    half = np.full((1, 1, 1), 0.5, np.float32)
    assert of(half, TAGS[:1], background_power=1.0, sure=0.5).tolist() == [[255]]


def test_an_image_without_tags_is_background() -> None:
    none = np.zeros((0, 2, 3), np.float32)
    assert of(none, TAGS[:0], sure=0.9, crf=crf.numbers("seam")).tolist() == [[0, 0, 0]] * 2


def test_they_are_those_of_affinity_with_two_equal_powers() -> None:
    numbers, random = crf.numbers("seam"), np.random.default_rng(0)
    image = random.integers(0, 256, (20, 24, 3), np.uint8)
    maps = random.random((2, 20, 24), np.float32) ** 2
    found = seeds(maps, TAGS, image=image, background_power=6.0, sure=0.0, crf=numbers)
    both = affinity.seeds(maps, TAGS, image=image, alpha_low=6.0, alpha_high=6.0, crf=numbers)
    assert found.tolist() == both.tolist()
    assert len(np.unique(found)) == 3
