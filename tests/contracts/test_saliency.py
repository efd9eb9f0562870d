"""Contracts of saliency: a map of every image, high on its objects; images without one are named."""

from __future__ import annotations

import numpy as np
from contracts.cases import Method, made
from contracts.world import DRAWN, HEIGHT, WIDTH, World, regions

SLOT = "saliency"


def test_a_map_has_the_size_of_the_image_and_8_bits(method: Method, drawn: World) -> None:
    step = made(method, drawn)
    for entry in drawn.entries:
        levels = step.of(entry)["saliency"]
        assert (levels.shape, levels.dtype) == ((HEIGHT, WIDTH), np.uint8)


def test_images_left_out_are_of_the_data_set_and_have_zero_maps(method: Method, rough: World) -> None:
    settings = method.settings()
    step = made(method, rough, settings=settings | ({"bad_maps": "leave_out"} if "bad_maps" in settings else {}))
    assert set(step.left_out) <= {entry.id for entry in rough.entries}
    assert not any(step.of(entry)["saliency"].any() for entry in rough.entries if entry.id in step.left_out)


def test_objects_are_more_salient_than_the_rest(method: Method, drawn: World) -> None:
    step = made(method, drawn)
    for entry in drawn.entries[:1]:
        levels, truth = step.of(entry)["saliency"] / 255, regions(DRAWN[entry.id])
        assert levels[truth > 0].mean() > levels[truth == 0].mean() + 0.1


def test_objects_of_the_mirror_image_are_more_salient_than_the_rest(method: Method, mirror: World) -> None:
    """A trained network keeps no exact law of mirror images."""
    step = made(method, mirror)
    for entry in mirror.entries[:1]:
        levels, truth = step.of(entry)["saliency"] / 255, regions(DRAWN[entry.id])[:, ::-1]
        assert levels[truth > 0].mean() > levels[truth == 0].mean() + 0.1
