"""Superpixel measures by hand and against sums over sets of pixels."""

from functools import partial

import numpy as np
import pytest

from wsss_steps.ops.superpixel_metrics import boundary_counts, boundary_pixels, region_counts

RANDOM = np.random.default_rng(0)
inner4 = partial(boundary_counts, boundary="inner4")


def by_sets(superpixels: np.ndarray, truth: np.ndarray) -> tuple[tuple[int, int], tuple[int, int]]:
    """Equations 3.9 and 3.12 with sets of pixels."""
    pixels = [place for place in np.ndindex(truth.shape) if truth[place] != 255]
    s = [{p for p in pixels if superpixels[p] == k} for k in np.unique(superpixels)]
    g = [{p for p in pixels if truth[p] == i} for i in np.unique(truth) if i != 255]
    under = sum(min(len(one & other), len(one - other)) for one in s for other in g)
    return (under, len(pixels)), (sum(max((len(one & other) for other in g), default=0) for one in s), len(pixels))


def by_distances(
    superpixels: np.ndarray, truth: np.ndarray, tolerance: float
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Equations 3.10 and 3.11 with all pairwise distances, without void."""

    def edges(labels: np.ndarray) -> list[tuple[int, int]]:
        places = set(np.ndindex(labels.shape))
        steps = ((0, 1), (1, 0), (0, -1), (-1, 0))
        return [
            p for p in places if any((q := (p[0] + y, p[1] + x)) in places and labels[q] != labels[p] for y, x in steps)
        ]

    def found(ones: list[tuple[int, int]], others: list[tuple[int, int]]) -> int:
        return sum(any(np.hypot(p[0] - q[0], p[1] - q[1]) < tolerance for q in others) for p in ones)

    g, s = edges(truth), edges(superpixels)
    return (found(g, s), len(g)), (found(s, g), len(s))


def test_regions_by_hand() -> None:
    truth = np.array([[0, 0, 0, 1, 1, 1]])
    assert region_counts(np.array([[1, 1, 2, 2, 2, 2]]), truth) == ((2, 6), (5, 6))  # (0 + 1 + 0 + 1) / 6, (2 + 3) / 6
    assert region_counts(truth + 1, truth) == ((0, 6), (6, 6))
    assert region_counts(np.ones_like(truth), truth) == ((6, 6), (3, 6))


def test_void_is_in_no_region() -> None:
    truth = np.array([[0, 0, 0, 255, 255, 1, 1, 1]])
    assert region_counts(np.array([[1, 1, 2, 3, 2, 2, 2, 2]]), truth) == ((2, 6), (5, 6))
    assert region_counts(np.array([[1, 1]]), np.array([[255, 255]])) == ((0, 0), (0, 0))


@pytest.mark.parametrize("void", [0.0, 0.2])
def test_regions_equal_sets(void: float) -> None:
    truth = RANDOM.integers(0, 4, (9, 11))
    truth[RANDOM.random(truth.shape) < void] = 255
    superpixels = RANDOM.integers(1, 7, truth.shape).astype(np.uint16)
    assert region_counts(superpixels, truth.astype(np.uint8)) == by_sets(superpixels, truth)


def test_boundary_is_both_sides_of_an_edge_and_not_the_frame() -> None:
    labels = np.array([[0, 0, 0], [0, 0, 1], [0, 0, 0]])
    assert boundary_pixels(labels, "inner4").astype(int).tolist() == [[0, 0, 1], [0, 1, 1], [0, 0, 1]]
    assert not boundary_pixels(np.zeros((3, 3), int), "inner4").any()


def test_boundary_of_opencv() -> None:
    """What cv2.findContours of OpenCV 5.0.0 marks: one label's mask at a time, RETR_LIST, CHAIN_APPROX_NONE.

    Labels with holes, diagonal touches and lines one pixel wide; 4,000 random maps agreed as well.
    """
    labels = (
        "1111112222",
        "1111112222",
        "1133111222",
        "1133112222",
        "1111112222",
        "1141112222",
        "4444411112",
        "4444411112",
        "4444455112",
        "4444455552",
        "4444455555",
    )
    marked = (
        "##########",
        "#.##.##..#",
        "#####.##.#",
        "#######..#",
        "#.##.##..#",
        "##########",
        "##.#######",
        "#...###.##",
        "#...######",
        "#...##.###",
        "##########",
    )
    found = boundary_pixels(np.array([[int(value) for value in row] for row in labels]), "opencv")
    assert ["".join(".#"[value] for value in row) for row in found.astype(int)] == list(marked)
    assert boundary_pixels(np.zeros((3, 3), int), "opencv").astype(int).tolist() == [[1, 1, 1], [1, 0, 1], [1, 1, 1]]


def columns(*borders: int) -> np.ndarray:
    """A map 3 x 12 whose label changes after each of these columns."""
    return np.tile(sum((np.arange(12) > border).astype(int) for border in (*borders, 11)), (3, 1))


def test_borders_by_hand() -> None:
    truth = columns(4)
    assert inner4(columns(5), truth, boundary_tolerance=2.0, void="nearest") == (
        (6, 6),
        (6, 6),
    )  # distances 1 and 0
    assert inner4(columns(7), truth, boundary_tolerance=2.0, void="nearest") == (
        (0, 6),
        (0, 6),
    )  # 2 is not < 2
    assert inner4(columns(7), truth, boundary_tolerance=2.1, void="nearest") == ((3, 6), (3, 6))
    assert inner4(columns(4, 9), truth, boundary_tolerance=2.0, void="nearest") == ((6, 6), (6, 12))


def test_the_frame_counts_in_both_maps_with_opencv() -> None:
    low = columns(7), columns(4)  # 3 x 12: 26 pixels of the frame, and the two of the edge that lie inside it
    counts = boundary_counts(*low, boundary="opencv", boundary_tolerance=2.0, void="nearest")
    assert counts == ((28, 28), (28, 28))  # no pixel is far from the frame
    high = np.repeat(columns(8), 3, axis=0), np.repeat(columns(4), 3, axis=0)
    counts = boundary_counts(*high, boundary="opencv", boundary_tolerance=2.0, void="nearest")
    # 9 x 12: 38 pixels of the frame, all found, and 2 x 7 of the edge inside it, of which the 4 next to the frame are
    assert counts == ((38 + 4, 38 + 14), (38 + 4, 38 + 14))
    assert inner4(*high, boundary_tolerance=2.0, void="nearest") == ((0, 18), (0, 18))


def test_borders_that_are_not_there() -> None:
    none = columns()
    assert inner4(none, columns(4), boundary_tolerance=2.0, void="nearest") == ((0, 6), (0, 0))
    assert inner4(columns(4), none, boundary_tolerance=2.0, void="nearest") == ((0, 0), (0, 6))


@pytest.mark.parametrize("tolerance", [1.0, 2.0, 3.5])
def test_borders_equal_distances(tolerance: float) -> None:
    truth = np.kron(RANDOM.integers(0, 3, (3, 4)), np.ones((5, 4), int))
    superpixels = np.kron(RANDOM.integers(1, 5, (4, 3)), np.ones((4, 6), int))[:15, :16]
    expected = by_distances(superpixels, truth, tolerance)
    assert expected[0][0] < expected[0][1]
    assert inner4(superpixels, truth, boundary_tolerance=tolerance, void="nearest") == expected
    assert inner4(superpixels, truth, boundary_tolerance=tolerance, void="exclude") == expected


def test_a_ring_of_void_bounds_in_its_middle_or_not_at_all() -> None:
    """Void in columns 3..6: with the nearest class, the border is 4|5; excluded, only what is 2 px away is left."""
    truth = np.tile(np.array([0] * 3 + [255] * 4 + [1] * 5, np.uint8), (3, 1))
    assert inner4(columns(4, 9), truth, boundary_tolerance=1.0, void="nearest") == ((6, 6), (6, 12))
    assert inner4(columns(4, 9), truth, boundary_tolerance=2.0, void="exclude") == ((0, 0), (0, 6))


def test_nothing_but_void() -> None:
    void = np.full((3, 12), 255, np.uint8)
    for choice in ("nearest", "exclude"):
        assert inner4(columns(4), void, boundary_tolerance=2.0, void=choice) == ((0, 0), (0, 0))
