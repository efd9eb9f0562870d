from __future__ import annotations

import numpy as np
import pytest

from wsss_steps.ops import overlays
from wsss_steps.ops.labels import IGNORE


def grid(text: str) -> np.ndarray:
    """A map of digits; `.` is 0 and `#` is 255."""
    values = {".": 0, "#": IGNORE}
    return np.array([[values.get(one, ord(one) - ord("0")) for one in row] for row in text.split()], np.uint8)


def test_outlines_of_an_object_by_hand() -> None:
    """Two pixels inside in the object's class, one around in 255, also where there is no label; not at the frame."""
    labels = grid("""
        .......#
        .22222..
        .22222..
        .22222..
        .22222..
        .22222..
        ........""")
    expected = grid("""
        .#####..
        #22222#.
        #22222#.
        #22.22#.
        #22222#.
        #22222#.
        .#####..""")
    assert np.array_equal(overlays.outline(labels), expected)
    assert not overlays.outline(np.full((5, 6), 3, np.uint8)).any(), "the frame is no border of an object"


def test_outlines_between_two_objects_and_beside_no_label() -> None:
    labels = grid("1111222## 1111222##")
    assert np.array_equal(overlays.outline(labels), grid("..112222#. ..112222#.".replace("2222#.", "222#.")))


def test_a_fill_shows_classes_and_stripes_where_there_is_no_label() -> None:
    """Stripes: (row + column) modulo 8 is 0 or 1."""
    labels = grid("##########1. ###.######1.")
    assert np.array_equal(overlays.fill(labels), grid("##......##1. #......##.1."))


def test_borders_are_light_on_one_side_and_dark_on_the_other() -> None:
    regions = np.array([[7, 7, 300], [7, 7, 300], [5, 5, 5]], np.uint16)
    assert np.array_equal(overlays.borders(regions), grid("012 111 222"))


def test_the_order_of_regions_spreads_over_the_palette() -> None:
    """1 + (k - 1) * 254 // (n - 1)."""
    regions = np.array([[1, 2, 3]], np.uint16)
    assert overlays.order(regions, 3).tolist() == [[1, 128, 255]]
    assert overlays.order(np.array([[1, 1000]], np.uint16), 1000).tolist() == [[1, 255]]
    assert overlays.order(np.array([[1]], np.uint16), 1).tolist() == [[1]]


def test_heat_levels_by_hand() -> None:
    """31 v, rounded; values outside [0, 1] are cut off."""
    assert overlays.heat(np.array([[0.0, 0.5, 1.0, -1.0, 2.0, 0.1]], np.float32)).tolist() == [[0, 16, 31, 0, 31, 3]]


def test_the_palettes() -> None:
    heat = overlays.heat_palette()
    assert heat.shape == (overlays.LEVELS, 4)
    assert heat[0].tolist() == [*overlays.HEAT[0], 0]
    assert heat[-1].tolist() == [*overlays.HEAT[-1], 255]
    assert heat[10, 3] == round(255 * 1.5 * 10 / 31)
    assert (np.diff(heat[:, 3].astype(int)) >= 0).all()
    order = overlays.order_palette()
    assert (order[0, 3], order[1].tolist(), order[255].tolist()) == (0, [68, 1, 84, 255], [253, 231, 37, 255])
    assert overlays.palette({1: (1, 2, 3)}, 3).tolist() == [[0, 0, 0, 0], [1, 2, 3, 255], [0, 0, 0, 0]]


def test_bright_colours_are_as_many_and_black_and_white_stay() -> None:
    from wsss_steps.formats.labels import voc_palette

    before = np.array(voc_palette(), np.uint8).reshape(256, 3)
    after = overlays.bright(before)
    assert len(np.unique(after, axis=0)) == len(np.unique(before, axis=0)) == 256
    assert after[1].tolist() == [round(255 * (128 / 255) ** 0.45), 0, 0]
    assert after[0].tolist() == [0, 0, 0]


def test_objects_are_neither_background_nor_unlabelled() -> None:
    assert overlays.is_object(grid(".1#2")).tolist() == [[False, True, False, True]]


def test_the_share_of_pixels_that_differ_by_hand() -> None:
    assert overlays.differing(grid(".1#2 1111"), grid(".1.1 1112")) == 3 / 8
    with pytest.raises(ValueError, match=r"expected label maps of one size, found \(1, 4\) and \(2, 2\)"):
        overlays.differing(grid("1111"), grid("11 11"))
