from __future__ import annotations

import numpy as np
import pytest

from wsss_steps.ops import drawing
from wsss_steps.ops.drawing import coloured, heat, mean_colours, nearest

PALETTE = np.stack([np.arange(256), np.zeros(256), np.zeros(256)], axis=1).astype(np.uint8)


def test_nearest_repeats_and_skips() -> None:
    labels = np.array([[1, 2], [3, 4]], np.uint16)
    np.testing.assert_array_equal(nearest(labels, 4, 4), np.kron(labels, np.ones((2, 2), int)))
    np.testing.assert_array_equal(nearest(nearest(labels, 6, 10), 2, 2), labels)
    np.testing.assert_array_equal(nearest(labels, 2, 2), labels)


def test_labels_take_their_colours_and_unlabelled_pixels_are_hatched() -> None:
    labels = np.full((9, 9), 7, np.uint8)
    labels[:, 4:] = 255
    picture = coloured(labels, PALETTE)
    assert (picture[:, :4] == (7, 0, 0)).all()
    greys = np.unique(picture[:, 4:].reshape(-1, 3), axis=0)
    assert len(greys) == 2
    assert (greys == greys[:, :1]).all()


def test_regions_take_their_mean_and_a_white_edge() -> None:
    image = np.zeros((2, 6, 3), np.uint8)
    image[:, :3, 0] = [10, 20, 30]
    image[:, 3:, 1] = 90
    picture = mean_colours(image, np.array([[5, 5, 5, 900, 900, 900]] * 2, np.uint16))
    assert (picture[:, :3] == (20, 0, 0)).all()
    assert (picture[:, 3] == 255).all()
    assert (picture[:, 4:] == (0, 90, 0)).all()


def test_means_are_rounded_and_region_0_has_one_too() -> None:
    image = np.array([[(1, 0, 255), (2, 0, 255), (2, 1, 254)]], np.uint8)
    assert mean_colours(image, np.zeros((1, 3), np.uint16)).tolist() == [[[2, 0, 255]] * 3]  # 5 / 3, 1 / 3, 764 / 3


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_heat_keeps_some_of_the_image(value: float) -> None:
    dark, light = (heat(np.full((1, 1, 3), level, np.uint8), np.full((1, 1), value, np.float32)) for level in (0, 255))
    assert (light.astype(int) - dark > 70).all()


def test_heat_is_blue_where_cold_and_red_where_hot() -> None:
    picture = heat(np.zeros((1, 2, 3), np.uint8), np.array([[0.0, 1.0]], np.float32))
    assert picture[0, 0].argmax() == 2
    assert picture[0, 1].argmax() == 0


def test_borders_of_regions() -> None:
    regions = np.array([[1, 1, 2], [1, 1, 2], [3, 3, 3]])
    assert drawing.outlines(regions).astype(int).tolist() == [[0, 0, 1], [0, 0, 1], [1, 1, 1]]
    assert drawing.edges(regions).astype(int).tolist() == [[0, 1, 1], [1, 1, 1], [1, 1, 1]]


def test_labels_over_a_photograph() -> None:
    """Background is clear, a class half transparent with an outline in its colour, white on the other side."""
    labels = np.zeros((5, 9), np.uint8)
    labels[:, 4:] = 3
    labels[:, 8] = 255
    image = np.full((5, 9, 3), 100, np.uint8)
    palette = np.zeros((256, 3), np.uint8)
    palette[3] = (200, 0, 0)
    row = drawing.overlaid(image, labels, palette)[2].tolist()
    assert row[:4] == [[100] * 3] * 3 + [[255] * 3]
    assert row[4] == row[7] == [200, 0, 0]
    assert row[5] == row[6] == [150, 50, 50]
    assert row[8] == [255] * 3


def test_components_as_colours() -> None:
    """Three patches on a line: all variance is in the first component, which is red; the sign is that of its axis."""
    features = np.array([[[0, 5, 0], [0, 5, 1], [0, 5, 2]]], np.float16)
    assert drawing.principal_colours(features).tolist() == [[[0, 0, 0], [128, 0, 0], [255, 0, 0]]]
    assert drawing.principal_colours(-features).tolist() == [[[255, 0, 0], [128, 0, 0], [0, 0, 0]]]
    assert drawing.principal_colours(np.ones((2, 2, 1), np.float16)).max() == 0
    noise = np.random.default_rng(0).random((4, 5, 6)).astype(np.float16)
    found = drawing.principal_colours(noise).reshape(-1, 3)
    assert (found.min(axis=0) == 0).all()
    assert (found.max(axis=0) == 255).all()


def test_differences_in_red_and_blue() -> None:
    image = np.full((1, 4, 3), 100, np.uint8)
    values = np.array([[0, 0.5, -0.9, 0.25]], np.float32)
    assert drawing.signed(image, values)[0].tolist() == [[185] * 3, [214, 20, 20], [20, 60, 214], [200, 102, 102]]
    assert drawing.marked(image, np.array([[True, False, False, False]]))[0, :2].tolist() == [[214, 20, 20], [185] * 3]


def test_the_legend_of_heat_colours() -> None:
    found = drawing.ramp(np.array([[0, 1 / 3, 1]], np.float32))
    assert found.tolist() == [[[20, 20, 110], [0, 170, 220], [220, 30, 20]]]
