"""Boxes of class activation maps: by hand on 6 x 6 maps, and against a search that walks from pixel to pixel."""

from __future__ import annotations

from collections import deque
from fractions import Fraction

import numpy as np
import pytest

from wsss_steps.ops.bootstrap import interval
from wsss_steps.ops.localisation import box_of_map, corloc, largest_component, resampled_corloc, tight_box
from wsss_steps.ops.overlap import Box, best_iou, box_iou

RANDOM = np.random.default_rng(0)


def box(rows: list[list[float]], threshold: float = 0.2, connectivity: int = 8) -> Box | None:
    return box_of_map(np.array(rows, np.float32), threshold=threshold, connectivity=connectivity)


def component_by_walking(mask: np.ndarray, connectivity: int) -> set[tuple[int, int]]:
    """The largest component, the first of equal ones in row-major order, by breadth-first search."""
    steps = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0)]
    steps = [step for step in steps if connectivity == 8 or 0 in step]
    seen: set[tuple[int, int]] = set()
    largest: set[tuple[int, int]] = set()
    for start in np.ndindex(mask.shape):
        if not mask[start] or start in seen:
            continue
        found, waiting = {start}, deque([start])
        while waiting:
            y, x = waiting.popleft()
            for other in ((y + dy, x + dx) for dy, dx in steps):
                inside = 0 <= other[0] < mask.shape[0] and 0 <= other[1] < mask.shape[1]
                if inside and mask[other] and other not in found:
                    found.add(other)
                    waiting.append(other)
        seen |= found
        if len(found) > len(largest):
            largest = found
    return largest


def iou_by_pixels(first: Box, second: Box) -> Fraction:
    ones, others = ({(y, x) for y in range(b[0], b[2]) for x in range(b[1], b[3])} for b in (first, second))
    return Fraction(len(ones & others), len(ones | others))


# ---- the box of a map

TWO_PARTS = [
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [0.0, 1.0, 0.5, 0.0, 0.0, 0.0],
    [0.0, 0.2, 0.1, 0.0, 0.0, 0.0],
    [0.0, 0.0, 0.0, 0.0, 0.3, 0.3],
    [0.0, 0.0, 0.0, 0.0, 0.3, 0.3],
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
]


def test_by_hand() -> None:
    """At 20 % the lower part has 4 pixels, the upper 3, since its 0.2 is in and its 0.1 is not."""
    assert box(TWO_PARTS) == (3, 4, 5, 6)
    assert box(TWO_PARTS, threshold=0.1) == (1, 1, 3, 3)  # 4 and 4: the first
    assert box(TWO_PARTS, threshold=0.4) == (1, 1, 2, 3)
    assert box(TWO_PARTS, threshold=1.0) == (1, 1, 2, 2)


def test_the_threshold_is_a_share_of_the_maximum_and_what_is_equal_to_it_is_in() -> None:
    row = [0.0, 0.4, 2.0, 0.399, 0.0, 0.0]
    assert box([row]) == (0, 1, 1, 3)
    assert box([[value / 4 for value in row]]) == (0, 1, 1, 3)


def test_of_maps_in_8_bits_the_pixel_at_the_threshold_is_in() -> None:
    for number in range(1, 256):
        stored = np.array([[number - 1, number, 255]], np.uint8).astype(np.float32) * np.float32(1 / 255)
        assert box_of_map(stored, threshold=number / 255, connectivity=8) == (0, 1, 1, 3), number


def test_corners_connect_with_8_neighbours_alone() -> None:
    corners = [
        [1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [0.0, 1.0, 0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 1.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 1.0, 1.0],
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    ]
    assert box(corners) == (0, 0, 3, 3)
    assert box(corners, connectivity=4) == (4, 4, 5, 6)
    with pytest.raises(ValueError, match="expected connectivity 4 or 8, found 6"):
        box(corners, connectivity=6)


def test_of_equal_components_that_with_the_first_pixel_in_row_major_order() -> None:
    """The left one begins a row later, though it reaches further to the left and further up than most of the other."""
    equal = [
        [0.0, 0.0, 0.0, 0.0, 0.0, 1.0],
        [1.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        [1.0, 0.0, 0.0, 0.0, 0.0, 1.0],
    ]
    assert box(equal) == (0, 5, 3, 6)
    assert box([row[::-1] for row in equal]) == (0, 0, 3, 1)
    assert box(equal[1:] + equal[:1]) == (0, 0, 2, 2)  # (0, 0), (0, 1), (1, 0); the other has lost a pixel


def test_a_map_that_is_zero_everywhere_has_no_box() -> None:
    assert box([[0.0] * 6] * 6) is None
    assert box([[-1.0] * 6] * 6) is None
    assert box_of_map(np.zeros((0, 6), np.float32), threshold=0.2, connectivity=8) is None


def test_the_whole_map_and_a_pixel() -> None:
    assert box([[0.7] * 6] * 6) == (0, 0, 6, 6)
    assert box([[0.0, 0.0], [0.0, 1e-6]]) == (1, 1, 2, 2)


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("density", [0.02, 0.2, 0.4, 0.6, 0.9])
def test_components_against_a_walk(connectivity: int, density: float) -> None:
    for _ in range(60):
        mask = RANDOM.random(tuple(RANDOM.integers(1, 9, 2))) < density
        expected = component_by_walking(mask, connectivity)
        found = largest_component(mask, connectivity)
        assert set(zip(*(places.tolist() for places in np.nonzero(found)), strict=True)) == expected
        rows, columns = ({place[axis] for place in expected} for axis in (0, 1))
        tight = (min(rows), min(columns), max(rows) + 1, max(columns) + 1) if expected else None
        assert tight_box(found) == tight


def mirrored(one: Box, width: int) -> Box:
    return one[0], width - one[3], one[2], width - one[1]


@pytest.mark.parametrize("connectivity", [4, 8])
def test_the_box_of_a_mirrored_map_is_the_mirrored_box(connectivity: int) -> None:
    """Where one component is larger than all others; random values at 0.2 make one of most of the map, at 0.8 many."""
    kept = 0
    for threshold in (0.2, 0.8):
        for _ in range(100):
            values = RANDOM.random((6, 6)).astype(np.float32)
            sizes = []
            mask = values >= np.float32(threshold) * values.max()
            while mask.any():
                part = largest_component(mask, connectivity)
                sizes.append(int(part.sum()))
                mask = mask & ~part
            if sizes[0] == max(sizes[1:], default=0):
                continue
            kept += 1
            ones = [
                box_of_map(one, threshold=threshold, connectivity=connectivity) for one in (values, values[:, ::-1])
            ]
            assert ones[0]
            assert ones[1] == mirrored(ones[0], 6)
            turned = box_of_map(values.T, threshold=threshold, connectivity=connectivity)
            assert turned == (ones[0][1], ones[0][0], ones[0][3], ones[0][2])
    assert kept > 100


# ---- overlap


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((0, 0, 2, 2), (0, 0, 2, 2), Fraction(1)),
        ((0, 0, 2, 2), (0, 0, 2, 4), Fraction(1, 2)),  # exactly the threshold of CorLoc
        ((0, 0, 2, 2), (1, 1, 3, 3), Fraction(1, 7)),
        ((0, 0, 4, 3), (1, 1, 3, 2), Fraction(2, 12)),  # one inside the other
        ((0, 0, 3, 3), (1, 0, 4, 3), Fraction(6, 12)),
        ((0, 0, 2, 2), (0, 2, 2, 4), Fraction(0)),  # they touch
        ((0, 0, 2, 2), (2, 2, 4, 4), Fraction(0)),
        ((0, 0, 1, 1), (4, 0, 6, 6), Fraction(0)),
    ],
)
def test_iou_by_hand(first: Box, second: Box, expected: Fraction) -> None:
    assert box_iou(first, second) == box_iou(second, first) == float(expected)
    assert iou_by_pixels(first, second) == expected


def test_iou_against_sets_of_pixels() -> None:
    for _ in range(300):
        starts, sides = RANDOM.integers(0, 5, (2, 2)), RANDOM.integers(1, 5, (2, 2))
        first, second = ((*map(int, start), *map(int, start + side)) for start, side in zip(starts, sides, strict=True))
        assert box_iou(first, second) == float(iou_by_pixels(first, second))
        assert box_iou(mirrored(first, 9), mirrored(second, 9)) == box_iou(first, second)


def test_the_best_of_several() -> None:
    assert best_iou((0, 0, 2, 2), [(5, 5, 6, 6), (0, 0, 2, 4), (1, 1, 3, 3)]) == 0.5
    assert best_iou(None, [(0, 0, 2, 2)]) == 0
    assert best_iou((0, 0, 2, 2), []) == 0


# ---- CorLoc

RIGHT = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 0]], bool)
SHOWN = np.array([[1, 1, 0], [1, 1, 0], [1, 0, 0]], bool)


def test_corloc_by_hand() -> None:
    found = corloc(RIGHT.sum(axis=0).astype(float), SHOWN.sum(axis=0).astype(float))
    np.testing.assert_array_equal(found, [2 / 3, 1 / 2, np.nan])


def test_draws_against_a_loop() -> None:
    found = resampled_corloc(RIGHT, SHOWN, draws=200, seed=4)
    generator, expected = np.random.default_rng(4), []
    for _ in range(200):
        chosen = generator.integers(3, size=3)
        shares = [
            Fraction(int(RIGHT[chosen, c].sum()), int(SHOWN[chosen, c].sum()))
            for c in range(3)
            if SHOWN[chosen, c].any()
        ]
        expected.append(float(sum(shares) / len(shares)))
    np.testing.assert_allclose(found, expected, atol=1e-15)
    assert len(set(expected)) > 4
    np.testing.assert_array_equal(found, resampled_corloc(RIGHT, SHOWN, draws=200, seed=4))
    assert (found != resampled_corloc(RIGHT, SHOWN, draws=200, seed=5)).any()


def test_the_interval_of_what_is_the_same_everywhere_has_no_width() -> None:
    assert interval(resampled_corloc(SHOWN, SHOWN, draws=50, seed=0)) == (1, 1)
    assert interval(resampled_corloc(~SHOWN & SHOWN, SHOWN, draws=50, seed=0)) == (0, 0)


def test_nothing_to_draw_from() -> None:
    assert resampled_corloc(RIGHT[:0], SHOWN[:0], draws=10, seed=0).shape == (0,)
    assert resampled_corloc(RIGHT, SHOWN, draws=0, seed=0).shape == (0,)
