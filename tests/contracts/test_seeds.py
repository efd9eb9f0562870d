"""Contracts of seeds: labels of the image's tags, of background, or none, where the maps say so."""

from __future__ import annotations

import numpy as np
import pytest
from contracts.cases import Method, made
from contracts.world import DRAWN, HEIGHT, WIDTH, World, regions

from wsss_steps.ops.labels import IGNORE

SLOT = "seeds"


def test_labels_are_tags_of_the_image_background_or_unlabelled(method: Method, drawn: World, rough: World) -> None:
    for world in (drawn, rough):
        step = made(method, world)
        for entry in world.entries:
            labels = step.of(entry)["seeds"]
            assert (labels.shape, labels.dtype) == ((HEIGHT, WIDTH), np.uint8)
            assert set(np.unique(labels)) <= {0, IGNORE, *entry.tags}


def test_every_tag_has_seeds_where_its_map_is_high(method: Method, drawn: World) -> None:
    step = made(method, drawn)
    for entry in drawn.entries:
        labels, truth = step.of(entry)["seeds"], regions(DRAWN[entry.id])
        for tag in entry.tags:
            assert (labels == tag).any()
            assert (truth[labels == tag] == tag).mean() > 0.8


def test_background_lies_where_no_map_is_high(method: Method, drawn: World) -> None:
    step = made(method, drawn)
    for entry in drawn.entries:
        labels, truth = step.of(entry)["seeds"], regions(DRAWN[entry.id])
        assert (labels == 0).any()
        assert (truth[labels == 0] == 0).mean() > 0.8


def test_mirrored_maps_give_mirrored_seeds(method: Method, drawn: World, mirror: World) -> None:
    step, other = made(method, drawn), made(method, mirror)
    for entry, reflection in zip(drawn.entries, mirror.entries, strict=True):
        assert np.array_equal(other.of(reflection)["seeds"], step.of(entry)["seeds"][:, ::-1])


def test_maps_are_compared_with_each_other_not_by_their_place(method: Method, drawn: World) -> None:
    """Of two classes that change their maps, each gets the seeds of the other."""
    if method.given:
        pytest.skip("made of no maps")
    step, entry = made(method, drawn), drawn.entries[1]
    given = step.given(entry)
    maps = given["cams"]["cam"]
    swapped = step.make(entry, given | {"cams": given["cams"] | {"cam": maps[::-1].copy()}})["seeds"]
    labels = step.make(entry, given)["seeds"]
    assert np.array_equal(swapped, np.where((labels == 2) | (labels == 3), 5 - labels, labels))
