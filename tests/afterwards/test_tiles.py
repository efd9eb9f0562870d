"""Tiles cover an image once, with their surroundings."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from wsss_steps.afterwards.tiles import Span, common_step, spans, tiles


def test_by_hand() -> None:
    """Of 100 px in tiles of 40 that share 10: they start every 30 px, the last where 40 px are left."""
    assert spans(100, 40, 10, 1) == [Span(0, 40, 0, 35), Span(30, 70, 35, 65), Span(60, 100, 65, 100)]
    assert spans(40, 40, 10, 1) == [Span(0, 40, 0, 40)]
    assert spans(41, 40, 10, 8) == [Span(0, 41, 0, 41)]  # of a step less, no tile more


@pytest.mark.parametrize(
    ("length", "side", "overlap", "step"),
    list(itertools.product([64, 65, 200, 1000], [64, 100], [0, 16, 63], [1, 8, 32])),
)
def test_every_pixel_is_kept_once_with_its_surroundings(length: int, side: int, overlap: int, step: int) -> None:
    found = spans(length, side, overlap, step)
    kept = [px for span in found for px in range(span.first, span.last)]
    assert kept == list(range(length))
    for span in found:
        assert span.start % step == 0
        assert span.stop - span.start < side + step
        assert span.start == 0 or span.first - span.start >= min(overlap, side - step) // 2
        assert span.stop == length or span.stop - span.last >= min(overlap, side - step) // 2


def test_tiles_of_an_image_are_read_and_kept_where_they_lie() -> None:
    image = np.arange(50 * 70).reshape(50, 70)
    copy = np.zeros_like(image)
    found = list(tiles((50, 70), 32, 8, 4))
    for rows, columns in found:
        copy[rows.target, columns.target] += image[rows.read, columns.read][rows.kept, columns.kept]
    assert np.array_equal(copy, image)
    assert len(found) == 2 * 3
    assert len(list(tiles((5000, 7000), None, 8, 4))) == 1


@pytest.mark.parametrize(
    ("stride", "scales", "expected"),
    [(8, [1.0], 8), (8, [1.0, 0.75, 0.5], 32), (4, [1.0, 1.25], 16), (8, [0.3333], 8), (16, [1.0, 0.5], 32)],
)
def test_cells_of_tiles_lie_as_those_of_the_image_at_every_scale(
    stride: int, scales: list[float], expected: int
) -> None:
    assert common_step(stride, scales) == expected
