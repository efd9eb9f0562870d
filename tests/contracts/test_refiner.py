"""Contracts of refiners: maps of the same classes and size, which follow the image and invent nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from contracts.cases import Made, Method, made
from contracts.world import DRAWN, World, regions

from wsss_steps.data.manifest import Entry
from wsss_steps.methods.per_image import Arrays

SLOT = "refiner"


def changed(step: Made, entry: Entry, maps: np.ndarray) -> Arrays:
    """What becomes of other maps of the same image."""
    given = step.given(entry)
    return step.make(entry, given | {"cams": given["cams"] | {"cam": maps}})


def test_maps_keep_their_classes_size_and_range(method: Method, drawn: World) -> None:
    step = made(method, drawn)
    for entry in drawn.entries:
        before, after = step.given(entry)["cams"], step.of(entry)
        assert after["class"].tolist() == before["class"].tolist()
        assert after["cam"].shape == before["cam"].shape
        assert np.isfinite(after["cam"]).all()
        assert ((after["cam"] >= 0) & (after["cam"] <= 1 + 1e-5)).all()


def test_strided_maps_stay_strided(method: Method, drawn: World) -> None:
    step, entry = made(method, drawn), drawn.entries[0]
    assert changed(step, entry, step.given(entry)["cams"]["cam"][:, ::4, ::4])["cam"].shape == (1, 6, 8)


def test_zero_maps_stay_zero(method: Method, drawn: World) -> None:
    step, entry = made(method, drawn), drawn.entries[1]
    found = changed(step, entry, np.zeros_like(step.given(entry)["cams"]["cam"]))["cam"]
    assert np.rint(found * 255).max() == 0  # as they are stored


def test_a_refined_map_is_high_where_its_class_is(method: Method, drawn: World) -> None:
    step = made(method, drawn)
    for entry in drawn.entries:
        truth = regions(DRAWN[entry.id])
        for tag, one in zip(entry.tags, step.of(entry)["cam"], strict=True):
            assert one[truth == tag].mean() > 1.5 * one[truth != tag].mean()  # the maximum need not be 1


def test_mirrored_maps_of_the_mirror_image_are_refined_alike(method: Method, drawn: World, mirror: World) -> None:
    """A network of its own keeps no exact law of mirror images."""
    tolerance = 0.2 if hasattr(method.module, "build") else 1e-4
    step, other = made(method, drawn), made(method, mirror)
    for entry, reflection in zip(drawn.entries, mirror.entries, strict=True):
        assert Path(entry.image) != Path(reflection.image)
        assert other.of(reflection)["cam"] == pytest.approx(step.of(entry)["cam"][..., ::-1], abs=tolerance)
