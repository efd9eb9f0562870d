"""Means over superpixels, by hand."""

from __future__ import annotations

import numpy as np

from wsss_steps.ops.superpixel_means import mean_by_superpixel


def test_every_pixel_has_the_mean_of_its_superpixel() -> None:
    ids = np.array([[1, 1, 5], [1, 5, 5]])
    maps = np.array([[[0.0, 0.3, 1.0], [0.6, 0.5, 0.0]], [[1, 1, 0], [1, 0, 0]]], np.float32)
    found = mean_by_superpixel(maps, ids)
    assert np.allclose(found, [[[0.3, 0.3, 0.5], [0.3, 0.5, 0.5]], [[1, 1, 0], [1, 0, 0]]])
    assert found.dtype == np.float32
    assert mean_by_superpixel(maps[:0], ids).shape == (0, 2, 3)
