"""Seeds of a saliency map and the maps in one dense CRF: probabilities by hand, and laws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from wsss_steps.methods.seeds import saliency_class
from wsss_steps.methods.seeds.saliency_crf import probabilities, seeds
from wsss_steps.ops import crf as dense
from wsss_steps.settings import crf

TAGS = np.array([2, 5], np.uint8)
POWERS: dict[str, Any] = {"saliency_power": 0.5, "background_power": 1.0, "object_power": 0.0}
OPTIONS = POWERS | {"agree_power": None}


def of(maps: np.ndarray, saliency: np.ndarray, **options: Any) -> np.ndarray:
    """Seeds of a black image, without a CRF unless one is given."""
    image = np.zeros((*maps.shape[1:], 3), np.uint8)
    return seeds(maps, TAGS[: len(maps)], image=image, saliency=saliency, **{**OPTIONS, "crf": None} | options)


def test_probabilities_by_hand() -> None:
    """Saliency .25 and 1 (taken for .98): s .5 and .98995; the largest maps are .6 and 0."""
    maps = np.array([[[0.6, 0.0]], [[0.199, 0.0]]])
    found = probabilities(maps, np.array([[0.25, 1.0]]), **POWERS)
    salient = 0.98**0.5
    assert found[0, 0] == pytest.approx([0.5 * 0.4, 1 - salient])
    assert found[1, 0] == pytest.approx([0.5 * 0.601 / 0.801, salient / 2])
    assert found[2, 0] == pytest.approx([0.5 * 0.2 / 0.801, salient / 2])


def test_the_largest_map_speaks_for_every_class_by_its_power() -> None:
    """The largest maps are .64 and 0 (taken for .02); the background stays as it was."""
    maps = np.array([[[0.64, 0.0]], [[0.1, 0.0]]])
    saliency = np.array([[0.25, 1.0]])
    without, found = (probabilities(maps, saliency, **POWERS | {"object_power": power}) for power in (0.0, 0.5))
    assert np.array_equal(found[0], without[0])
    assert found[1:, 0, 0] == pytest.approx(0.8 * without[1:, 0, 0])
    assert found[1:, 0, 1] == pytest.approx(0.02**0.5 * without[1:, 0, 1])


def test_a_power_of_0_leaves_the_background_to_the_saliency() -> None:
    maps = np.array([[[0.0, 0.5, 1.0]]])
    found = probabilities(maps, np.full((1, 3), 0.5), saliency_power=1.0, background_power=0.0, object_power=0.0)
    assert found.tolist() == [[[0.5] * 3], [[0.5] * 3]]


def test_a_sure_map_is_an_object_that_the_saliency_missed() -> None:
    maps, faint = np.array([[[0.95, 0.0]]], np.float32), np.full((1, 2), 0.1, np.float32)
    assert of(maps, faint).tolist() == [[2, 0]]
    assert of(maps, faint, background_power=0.0).tolist() == [[0, 0]]


def test_a_faint_map_is_no_object_whatever_the_saliency_says() -> None:
    maps, sure = np.array([[[0.01, 0.9]]], np.float32), np.full((1, 2), 0.9, np.float32)
    assert of(maps, sure).tolist() == [[2, 2]]
    assert of(maps, sure, object_power=1.0).tolist() == [[0, 2]]


def test_without_a_crf_one_class_is_the_rule_at_one_half() -> None:
    saliency = np.random.default_rng(0).random((6, 7)).astype(np.float32)
    maps = np.random.default_rng(1).random((1, 6, 7)).astype(np.float32)
    rule = saliency_class.seeds(maps, TAGS[:1], saliency=saliency, binarise=127)
    found = of(maps, saliency, saliency_power=1.0, background_power=0.0)
    assert np.array_equal(found, rule)
    assert len(np.unique(found)) == 2


def test_the_crf_moves_the_outline_of_the_saliency_to_that_of_the_colours() -> None:
    image = np.zeros((24, 24, 3), np.uint8)
    image[:, 10:] = 255
    saliency = np.zeros((24, 24), np.float32)
    saliency[:, 12:] = 0.9
    maps = np.full((1, 24, 24), 0.4, np.float32)
    found = seeds(maps, TAGS[:1], image=image, saliency=saliency, **OPTIONS, crf=crf.numbers("deeplab"))
    assert (found[:, 10:] == 2).all()
    assert (found[:, :10] == 0).all()


def test_only_what_the_maps_alone_say_too_is_labelled() -> None:
    """Alone, a map of .6 is above its background .4, and .3 below .7; to the power of 4 the background is .24."""
    maps = np.array([[[0.6, 0.6, 0.3, 0.0]]], np.float32)
    saliency = np.array([[0.9, 0.0, 0.9, 0.0]], np.float32)
    assert of(maps, saliency).tolist() == [[2, 0, 2, 0]]
    assert of(maps, saliency, agree_power=1.0).tolist() == [[2, 255, 255, 0]]
    assert of(maps, saliency, agree_power=4.0).tolist() == [[2, 255, 2, 0]]


def test_agreement_is_with_a_dense_crf_of_the_maps_alone() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (12, 15, 3), np.uint8)
    maps, saliency = rng.random((2, 12, 15), np.float32), rng.random((12, 15), np.float32)
    preset = crf.numbers("deeplab")
    options = POWERS | {"image": image, "saliency": saliency, "crf": preset}
    one = seeds(maps, TAGS, **options, agree_power=None)
    alone = np.concatenate([(1 - maps.max(axis=0, keepdims=True)) ** 5, maps])
    other = np.array([0, *TAGS])[dense.refine(image, alone, dense.preset_of(preset)).argmax(axis=0)]
    found = seeds(maps, TAGS, **options, agree_power=5.0)
    assert np.array_equal(found, np.where(one == other, one, 255))
    assert 0 < (found == 255).sum() < found.size


@pytest.mark.parametrize("agree_power", [None, 5.0])
def test_an_image_without_tags_is_background(agree_power: float | None) -> None:
    none = np.zeros((0, 2, 3), np.float32)
    found = of(none, np.ones((2, 3), np.float32), agree_power=agree_power, crf=crf.numbers("deeplab"))
    assert found.tolist() == [[0, 0, 0]] * 2
