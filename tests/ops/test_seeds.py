"""Seeds by hand on a few pixels."""

import numpy as np
import pytest

from wsss_steps.ops.seeds import least_activated, strongest_class, superpixel_seeds, threshold_seeds


def maps_of(*pixels: tuple[float, ...]) -> np.ndarray:
    """Maps (n, 1, pixels) from one tuple of class values per pixel."""
    return np.array(pixels, np.float32).T[:, None]


def test_thresholds_by_hand() -> None:
    maps = maps_of((0.6, 0.2), (0.25, 0.1), (0.02, 0.01))
    assert threshold_seeds(maps, np.array([4, 9]), 0.3, 0.05).tolist() == [[4, 255, 0]]


def test_both_thresholds_are_strict() -> None:
    maps = maps_of((0.3,), (0.05,))
    assert threshold_seeds(maps, np.array([1]), 0.3, 0.05).tolist() == [[255, 255]]


def test_equal_maps_give_the_first_class() -> None:
    strength, label = strongest_class(maps_of((0.5, 0.5), (0.1, 0.7)), np.array([3, 8]))
    assert strength.tolist() == [[np.float32(0.5), np.float32(0.7)]]
    assert label.tolist() == [[3, 8]]


def test_an_image_without_classes_is_background() -> None:
    nothing, superpixels = np.zeros((0, 2, 3), np.float32), np.ones((2, 3), np.uint16)
    for labels in (
        threshold_seeds(nothing, np.zeros(0, np.uint8), 0.3, 0.05),
        superpixel_seeds(nothing, np.zeros(0, np.uint8), superpixels, 0.5, "override"),
    ):
        assert labels.shape == (2, 3)
        assert labels.dtype == np.uint8
        assert not labels.any()


def test_superpixel_seeds_by_hand() -> None:
    maps, superpixels = maps_of((0.9,), (0.4,), (0.1,), (0.2,)), np.array([[1, 1, 2, 2]])
    assert superpixel_seeds(maps, np.array([7]), superpixels, 0.5, "override").tolist() == [[7, 255, 0, 0]]


def test_alpha_is_strict() -> None:
    maps, superpixels = maps_of((0.5,), (0.75,), (0.0,)), np.array([[1, 1, 2]])
    assert superpixel_seeds(maps, np.array([7]), superpixels, 0.5, "override").tolist() == [[255, 7, 0]]


@pytest.mark.parametrize(("conflict", "expected"), [("override", [0, 0, 7, 255]), ("keep_fg", [7, 0, 7, 255])])
def test_the_background_superpixel_may_override_a_class(conflict: str, expected: list[int]) -> None:
    # z: superpixel 1 has (0.6 + 0) / 2 = 0.3, superpixel 2 has (0.9 + 0.4) / 2 = 0.65
    maps, superpixels = maps_of((0.6,), (0.0,), (0.9,), (0.4,)), np.array([[1, 1, 2, 2]])
    assert superpixel_seeds(maps, np.array([7]), superpixels, 0.5, conflict).tolist() == [expected]


def test_a_single_superpixel_never_overrides_classes() -> None:
    maps, superpixels = maps_of((0.9,), (0.4,)), np.array([[1, 1]])
    assert superpixel_seeds(maps, np.array([7]), superpixels, 0.5, "override").tolist() == [[7, 0]]


def test_least_activated_ties_go_to_the_lowest_id_that_exists() -> None:
    strength = np.array([[0.5, 0.25, 0.25]], np.float32)
    assert least_activated(strength, np.array([[1, 5, 3]])) == 3


def test_numbering_of_superpixels_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    maps, superpixels = rng.random((2, 6, 7), np.float32), rng.integers(1, 6, (6, 7))
    renumbered = np.array([0, 40, 3, 17, 2, 9])[superpixels]
    expected = superpixel_seeds(maps, np.array([1, 2]), superpixels, 0.8, "override")
    assert (superpixel_seeds(maps, np.array([1, 2]), renumbered, 0.8, "override") == expected).all()
    assert len(np.unique(superpixels[expected == 0])) == 1


def test_thresholds_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValueError, match=r"0\.5 must not exceed foreground threshold 0\.3"):
        threshold_seeds(np.zeros((1, 2, 2), np.float32), np.array([1]), 0.3, 0.5)
