"""Contracts of features: a grid of vectors that covers the image, each of its own place.

There is no law of mirror images: neither a convolutional network nor a vision transformer keeps one.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from contracts.cases import Method, made
from contracts.world import HEIGHT, WIDTH, World, make_world, smooth_noise

from wsss_steps.ops.superpixels import upsample

SLOT = "features"


def test_there_is_one_vector_per_cell_of_a_grid_that_covers_the_image(method: Method, drawn: World) -> None:
    step = made(method, drawn)
    for entry in drawn.entries:
        item = step.of(entry)
        rows, columns, dims = item["features"].shape
        assert item["features"].dtype == np.float16
        assert min(rows, columns, dims) > 1
        cells = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
        extent = float(item["extent"][0]), float(item["extent"][1])
        assert len(np.unique(upsample(cells, extent, (HEIGHT, WIDTH)))) == cells.size


@pytest.mark.parametrize(("row", "column"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_a_change_in_a_corner_changes_the_vectors_there_more_than_those_far_away(
    method: Method, row: int, column: int, rough: World, tmp_path: Path
) -> None:
    """On an image larger than what a vector of a convolutional network sees."""
    pixels = np.tile(smooth_noise(0), (4, 4, 1))
    height, width = pixels.shape[:2]
    other = pixels.copy()
    corner = slice(row * (height - 8), row * height + 8), slice(column * (width - 8), column * width + 8)
    other[corner] = 255 - other[corner]
    worlds = [
        make_world(tmp_path / name, {"x": (image, (1,))}, rough.classifier)
        for name, image in (("as it was", pixels), ("changed", other))
    ]
    before, after = (made(method, one).of(one.entries[0])["features"].astype(np.float64) for one in worlds)
    change = np.linalg.norm(after - before, axis=2)
    change = change[:: -1 if row else 1, :: -1 if column else 1]
    half = (change.shape[0] + 1) // 2, (change.shape[1] + 1) // 2
    assert change[: half[0], : half[1]].mean() > change[half[0] :, half[1] :].mean()
