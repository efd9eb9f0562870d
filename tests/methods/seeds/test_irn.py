"""Seeds of two thresholds: by hand without a CRF (methods.md 12), and where the CRF moves them."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from wsss_steps.methods.seeds.irn import agreed, seeds
from wsss_steps.settings import crf
from wsss_steps.settings.seeds import IrnSeeds

OPTIONS = {"foreground": 0.3, "background": 0.05, "crf": None}


def test_labels_of_both_thresholds_by_hand() -> None:
    sure, broad = np.array([0, 0, 5, 5], np.uint8), np.array([0, 5, 5, 0], np.uint8)
    assert agreed(sure, broad).tolist() == [0, 255, 5, 5]


def test_background_class_and_neither_by_hand() -> None:
    """On a threshold the background wins."""
    maps = np.array([[[0.0, 0.1, 0.3, 0.4]], [[0.05, 0.0, 0.2, 0.9]]], np.float32)
    image = np.zeros((1, 4, 3), np.uint8)
    found = seeds(maps, np.array([2, 5], np.uint8), image=image, **OPTIONS)
    assert found.tolist() == [[0, 255, 255, 5]]
    assert found.dtype == np.uint8


@pytest.mark.parametrize("preset", ["none", "label"])
def test_an_image_without_tags_is_background(preset: str) -> None:
    image, none = np.zeros((2, 3, 3), np.uint8), np.zeros((0, 2, 3), np.float32)
    options = OPTIONS | {"crf": crf.numbers(preset)}
    assert seeds(none, np.array([], np.uint8), image=image, **options).tolist() == [[0, 0, 0]] * 2


def test_the_crf_moves_the_seeds_to_the_edge_of_the_object() -> None:
    image = np.zeros((24, 32, 3), np.uint8)
    image[:, 16:] = 255
    maps = np.zeros((1, 24, 32), np.float32)
    maps[0, :, 18:] = 0.8
    maps[0, :, 14:18] = 0.1
    found = seeds(maps, np.array([1], np.uint8), image=image, **OPTIONS | {"crf": crf.numbers("label")})
    assert (found[:, 16:] == 1).all()
    assert (found[:, :16] == 0).all()


def test_thresholds_are_ordered() -> None:
    with pytest.raises(ValidationError, match="must not exceed"):
        IrnSeeds(foreground=0.1, background=0.2)
