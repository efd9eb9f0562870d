"""SLIC: ids, counts and edges."""

from collections.abc import Callable

import numpy as np
import pytest

from wsss_steps.data.manifest import Entry
from wsss_steps.methods.superpixels.slic import maker

Saved = Callable[[np.ndarray], Entry]


@pytest.mark.parametrize("count", [9, 30, 100])
def test_a_plain_image_gives_about_as_many_as_asked_for(count: int, saved: Saved) -> None:
    found = maker(count=count, compactness=10.0)(saved(np.full((120, 120, 3), 128, np.uint8)), {})
    ids, seeds = found["superpixels"], found["seed_patches"]
    assert (ids.dtype, ids.shape, seeds.dtype) == (np.uint16, (120, 120), np.int32)
    assert np.array_equal(np.unique(ids), np.arange(1, len(seeds) + 1))
    assert abs(len(seeds) - count) <= 0.2 * count
    assert (seeds == -1).all()


def test_superpixels_follow_an_edge_of_colour(saved: Saved) -> None:
    image = np.full((60, 80, 3), 30, np.uint8)
    image[:, 43:] = 220
    ids = maker(count=12, compactness=10.0)(saved(image), {})["superpixels"]
    assert not set(ids[:, :43].ravel()) & set(ids[:, 43:].ravel())


def test_compactness_is_used(saved: Saved) -> None:
    entry = saved(np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8))
    loose, tight = (maker(count=16, compactness=value)(entry, {})["superpixels"] for value in (1.0, 1000.0))
    assert not np.array_equal(loose, tight)
