"""Contracts of every method that works image by image: its result is a function of the image and of its settings."""

from __future__ import annotations

import copy
import functools
from pathlib import Path

import numpy as np
from contracts import effects
from contracts.cases import STEPS, Method, equal, made
from contracts.world import World

from wsss_steps.formats.stores import Store, write_store

SLOTS = list(STEPS)


def test_the_same_image_gives_the_same_result(method: Method, drawn: World) -> None:
    once, again = (made(method, drawn) for _ in range(2))
    assert all(equal(once.of(entry), again.of(entry)) for entry in drawn.entries)
    assert all(equal(once.of(entry), again.of(entry)) for entry in drawn.entries)


def test_an_image_does_not_see_the_others(method: Method, drawn: World, lone: World) -> None:
    """Whichever image comes before it, and if there are no others."""
    forwards, backwards = made(method, drawn), made(method, drawn)
    there = {entry.id: forwards.of(entry) for entry in drawn.entries}
    back = {entry.id: backwards.of(entry) for entry in reversed(drawn.entries)}
    assert all(equal(there[name], back[name]) for name in there)
    (only,) = lone.entries
    assert equal(made(method, lone).of(only), there[only.id])


def test_images_that_differ_give_results_that_differ(method: Method, drawn: World, mirror: World) -> None:
    one, reflection = drawn.entries[0], mirror.entries[0]
    assert not equal(made(method, drawn).of(one), made(method, mirror).of(reflection))


def test_what_is_given_is_left_as_it_is(method: Method, drawn: World) -> None:
    settings = method.settings()
    before = copy.deepcopy(settings)
    step = made(method, drawn, settings=settings)
    for entry in drawn.entries:
        given = step.given(entry)
        untouched = copy.deepcopy(given)
        step.make(entry, given)
        assert given.keys() == untouched.keys()
        assert all(equal(given[name], untouched[name]) for name in given)
    assert settings == before


def test_the_result_fits_its_store(method: Method, drawn: World, tmp_path: Path) -> None:
    step = made(method, drawn)
    items = ((entry.id, step.of(entry)) for entry in drawn.entries)
    write_store(tmp_path / "x.h5", step.kind, items, stamp="{}", classes=["red", "green", "blue"])
    with Store(tmp_path / "x.h5", step.kind) as store:
        for entry in drawn.entries:
            stored = store[entry.id]
            assert stored.keys() == step.kind.data_sets.keys()
            assert all(np.isfinite(values).all() for values in stored.values())


def test_every_setting_has_an_effect(method: Method, drawn: World, rough: World) -> None:
    result = functools.partial(effects.image_by_image, method, worlds=(drawn, rough))
    assert effects.without_effect(method, effects.of_images(method), result) == []
