"""Contracts of what makes class activation maps: one per tag, high where the evidence of its class lies."""

from __future__ import annotations

import numpy as np
import pytest
from contracts.cases import Method, made
from contracts.world import DRAWN, HEIGHT, WIDTH, World, regions

from wsss_steps.ops.cam import strided_size
from wsss_steps.ops.resize import resize_maps

SLOT = "cams"


def test_there_is_one_map_per_tag_at_the_size_of_the_image_or_strided(method: Method, drawn: World) -> None:
    step = made(method, drawn)
    for entry in drawn.entries:
        maps = step.of(entry)
        assert maps["class"].tolist() == list(entry.tags)
        assert maps["cam"].shape[0] == len(entry.tags)
        assert maps["cam"].shape[1:] in ((HEIGHT, WIDTH), strided_size(HEIGHT, WIDTH))


def test_maps_reach_from_0_to_1(method: Method, drawn: World, rough: World) -> None:
    """Each has its maximum 1, unless it is zero throughout."""
    for world in (drawn, rough):
        step = made(method, world)
        for entry in world.entries:
            for one in step.of(entry)["cam"]:
                assert one.min() >= 0
                assert one.max() in (0, pytest.approx(1))


def test_a_map_is_high_where_the_evidence_of_its_class_lies(method: Method, drawn: World) -> None:
    """The classifier knows the colours of the classes; names of the classes tell them too."""
    step = made(method, drawn)
    for entry in drawn.entries:
        maps = resize_maps(step.of(entry)["cam"], (HEIGHT, WIDTH))
        truth = regions(DRAWN[entry.id])
        for tag, one in zip(entry.tags, maps, strict=True):
            assert one[truth == tag].mean() > one[truth != tag].mean() + 0.2
            assert np.corrcoef(one.ravel(), (truth == tag).ravel())[0, 1] > 0.5


def test_the_mirror_image_has_the_mirrored_maps(method: Method, drawn: World, mirror: World) -> None:
    step, other = made(method, drawn), made(method, mirror)
    for entry, reflection in zip(drawn.entries, mirror.entries, strict=True):
        assert other.of(reflection)["cam"] == pytest.approx(step.of(entry)["cam"][..., ::-1], abs=1e-4)
