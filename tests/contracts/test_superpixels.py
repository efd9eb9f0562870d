"""Contracts of superpixels: ids without gaps that cover the image and follow what is seen in it."""

from __future__ import annotations

import numpy as np
from contracts.cases import Method, made
from contracts.effects import keywords
from contracts.world import CELL, DRAWN, HEIGHT, WIDTH, World, regions

SLOT = "superpixels"


def test_a_method_that_takes_a_device_says_so_to_the_workflow(method: Method) -> None:
    assert method.cls.on_device == ("device" in keywords(method.module.maker))


def test_ids_are_1_to_n_without_gaps_at_the_size_of_the_image(method: Method, drawn: World, rough: World) -> None:
    for world in (drawn, rough):
        step = made(method, world)
        for entry in world.entries:
            item = step.of(entry)
            assert item["superpixels"].shape == (HEIGHT, WIDTH)
            count = len(item["seed_patches"])
            assert np.array_equal(np.unique(item["superpixels"]), np.arange(1, count + 1))


def test_seed_patches_are_patches_of_their_superpixels_or_none(method: Method, drawn: World, rough: World) -> None:
    for world in (drawn, rough):
        step = made(method, world)
        for entry in world.entries:
            item = step.of(entry)
            for number, patch in enumerate(item["seed_patches"].tolist(), start=1):
                row, column = divmod(patch, WIDTH // CELL)
                place = slice(row * CELL, (row + 1) * CELL), slice(column * CELL, (column + 1) * CELL)
                assert patch == -1 or (item["superpixels"][place] == number).all()


def test_superpixels_do_not_reach_over_edges_of_colour(method: Method, drawn: World) -> None:
    """Nine pixels of ten have the class of most of their superpixel."""
    step = made(method, drawn)
    for entry in drawn.entries:
        truth, ids = regions(DRAWN[entry.id]), step.of(entry)["superpixels"]
        counts = np.histogram2d(ids.ravel(), truth.ravel(), bins=(ids.max(), np.arange(5)))[0]
        assert counts.max(1).sum() > 0.9 * truth.size
