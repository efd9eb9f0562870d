"""Seeds from two backgrounds, by hand without a CRF."""

from __future__ import annotations

import numpy as np

from wsss_steps.methods.seeds.affinity import seeds
from wsss_steps.settings import crf

OPTIONS = {"alpha_low": 4.0, "alpha_high": 32.0, "crf": None}


def test_background_class_and_neither_by_hand() -> None:
    """(1 - m)^4 and (1 - m)^32 of the largest map: .6561 and .0343 at .1, .2401 and .00001 at .3; 1 and 1 at 0."""
    maps = np.array([[[0.0, 0.1, 0.3, 0.0]], [[0.0, 0.0, 0.2, 0.9]]], np.float32)
    image = np.zeros((1, 4, 3), np.uint8)
    found = seeds(maps, np.array([2, 5], np.uint8), image=image, **OPTIONS)
    assert found.tolist() == [[0, 255, 2, 5]]
    assert found.dtype == np.uint8


def test_an_image_without_tags_is_background() -> None:
    image = np.zeros((2, 3, 3), np.uint8)
    none = np.zeros((0, 2, 3), np.float32)
    assert seeds(none, np.array([], np.uint8), image=image, **OPTIONS).tolist() == [[0, 0, 0]] * 2


def test_the_crf_moves_the_seeds_to_the_edge_of_the_object() -> None:
    image = np.zeros((24, 32, 3), np.uint8)
    image[:, 16:] = 255
    maps = np.full((1, 24, 32), 0.02, np.float32)
    maps[0, :, 20:] = 0.8
    found = seeds(maps, np.array([1], np.uint8), image=image, **OPTIONS | {"crf": crf.numbers("probability")})
    assert (found[:, 17:] == 1).all()
    assert (found[:, :15] != 1).all()
