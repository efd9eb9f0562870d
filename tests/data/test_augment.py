"""Random changes: image and labels stay in step, ranges are kept, the draws decide everything."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from wsss_steps.data.augment import augment, change_colours, cut, draw_size, draw_window
from wsss_steps.data.images import normalise

STILL: dict[str, Any] = {
    "mean": (0.0, 0.0, 0.0),
    "std": (1.0, 1.0, 1.0),
    "crop": 12,
    "resize_long": None,
    "resize_scale": None,
    "scale_set": None,
    "flip": False,
    "jitter": (0.0, 0.0, 0.0, 0.0),
}
SIZE: dict[str, Any] = {"resize_long": None, "resize_scale": None, "scale_set": None}


def coordinates(height: int, width: int) -> np.ndarray:
    """An image whose pixels encode their position: red is the row, green the column."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows, columns, np.full_like(rows, 200)], axis=2).astype(np.uint8)


def test_labels_follow_the_image_through_flip_and_crop() -> None:
    image = coordinates(20, 17)
    place = image[..., 0].astype(np.int64) * 100 + image[..., 1]
    mirrored = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        item = augment(rng, image, {"place": (place, -1)}, **STILL | {"flip": True, "crop": 19})
        found = np.rint(item["images"] * 255).astype(int)
        inside = item["place"] >= 0
        assert np.array_equal(item["inside"], inside)
        assert np.array_equal(item["place"][inside], (found[0] * 100 + found[1])[inside])
        assert (item["images"][:, ~inside] == 0).all()
        assert inside.sum() == 19 * 17  # the crop is one row shorter and two columns wider than the image
        mirrored += bool((np.diff(found[1], axis=1)[:, 3:-3] < 0).all())
    assert 4 <= mirrored <= 16  # about half


def test_labels_follow_the_image_through_resizing() -> None:
    image = np.zeros((30, 40, 3), np.uint8)
    image[10:, 20:] = 255
    labels = np.where(image[..., 0] > 0, 300, 1).astype(np.uint16)
    for seed in range(10):
        changes = STILL | {"resize_scale": (0.5, 2.0), "crop": 24}
        item = augment(np.random.default_rng(seed), image, {"ids": (labels, 0)}, **changes)
        assert np.array_equal(item["inside"], item["ids"] > 0)
        agree = (item["images"][0] > 0.5) == (item["ids"] == 300)
        assert agree[item["inside"]].mean() > 0.97
        assert set(np.unique(item["ids"])) <= {0, 1, 300}


def test_padding_is_the_mean_colour_and_the_given_values() -> None:
    image = np.full((4, 5, 3), 255, np.uint8)
    mean = STILL | {"mean": (0.5, 0.4, 0.3), "crop": 8}
    item = augment(np.random.default_rng(0), image, {"seeds": (np.ones((4, 5), np.uint8), 255)}, **mean)
    assert (item["seeds"] == 1).sum() == 20
    assert (item["images"][:, item["seeds"] == 255] == 0).all()
    assert item["images"][:, item["seeds"] == 1].mean(axis=1) == pytest.approx([0.5, 0.6, 0.7], abs=1e-6)


@pytest.mark.parametrize(
    ("flip", "red"), [(False, [[0, 0, 0], [2, 3, 0], [5, 6, 0]]), (True, [[0, 0, 0], [2, 1, 0], [5, 4, 0]])]
)
def test_inside_and_raw_pixels_by_hand(monkeypatch: pytest.MonkeyPatch, flip: bool, red: list[list[int]]) -> None:
    """The crop starts one row above the image and at its second column; seed 2 mirrors it."""
    monkeypatch.setattr("wsss_steps.data.augment.draw_window", lambda *_: (-1, 1))
    image = np.stack([np.array([[1, 2, 3], [4, 5, 6]]) + 10 * channel for channel in range(3)], axis=2).astype(np.uint8)
    item = augment(np.random.default_rng(2), image, {}, **STILL | {"crop": 3, "flip": flip}, with_pixels=True)
    inside = np.array(red) > 0
    assert (item["inside"].dtype, item["inside"].tolist()) == (bool, inside.tolist())
    assert item["pixels"].dtype == np.uint8
    assert item["pixels"].tolist() == [((np.array(red) + 10 * channel) * inside).tolist() for channel in range(3)]


def test_images_are_the_normalised_pixels_inside_and_0_outside() -> None:
    """And asking for pixels, or for none, draws the same."""
    mean, std = (0.6, 0.3, 0.1), (0.2, 0.5, 0.9)
    ways = STILL | {"mean": mean, "std": std, "resize_scale": (0.5, 2.0), "flip": True, "jitter": (0.3, 0.3, 0.3, 0.1)}
    padded = 0
    for seed in range(20):
        rng, other = np.random.default_rng(seed), np.random.default_rng(seed)
        item = augment(rng, coordinates(9, 14), {}, **ways, with_pixels=True)
        expected = normalise(item["pixels"].transpose(1, 2, 0), mean, std)
        assert np.array_equal(item["images"], np.where(item["inside"], expected, 0))
        assert not item["pixels"][:, ~item["inside"]].any()
        without = augment(other, coordinates(9, 14), {}, **ways)
        assert without.keys() == {"images", "inside"}
        assert all(np.array_equal(array, item[name]) for name, array in without.items())
        assert rng.bit_generator.state == other.bit_generator.state
        padded += not item["inside"].all()
    assert 5 < padded < 20


def test_sizes_are_drawn_from_their_ranges_ends_included() -> None:
    rng = np.random.default_rng(0)
    long = {draw_size(rng, (50, 100), **SIZE | {"resize_long": (98, 102)}) for _ in range(200)}
    assert {width for _, width in long} == {98, 99, 100, 101, 102}
    assert all(height == round(width / 2) for height, width in long)
    scaled = [draw_size(rng, (60, 40), **SIZE | {"resize_scale": (0.5, 1.5)}) for _ in range(200)]
    assert 30 <= min(height for height, _ in scaled) < 35
    assert 85 < max(height for height, _ in scaled) <= 90
    assert draw_size(rng, (1, 9), **SIZE | {"resize_scale": (0.1, 0.1)}) == (1, 1)


def test_scales_of_a_set_occur_alone_and_about_equally_often() -> None:
    rng = np.random.default_rng(0)
    drawn = Counter(draw_size(rng, (60, 40), **SIZE | {"scale_set": [0.5, 1, 1.5]}) for _ in range(3000))
    assert drawn.keys() == {(30, 20), (60, 40), (90, 60)}
    assert all(900 < count < 1100 for count in drawn.values())  # nearly four standard deviations
    halved = augment(rng, np.full((40, 40, 3), 255, np.uint8), {}, **STILL | {"scale_set": (0.5,), "crop": 40})
    assert (halved["images"] > 0).sum() == 3 * 20 * 20


def test_a_set_leaves_the_draws_of_other_settings_as_they_were() -> None:
    """As before `scale_set` existed: one random number per given range, and no others."""
    for seed in range(20):
        rng, reference = np.random.default_rng(seed), np.random.default_rng(seed)
        factor = reference.integers(320, 640, endpoint=True) / 500 * reference.uniform(0.5, 1.5)
        ways = SIZE | {"resize_long": (320, 640), "resize_scale": (0.5, 1.5)}
        assert draw_size(rng, (375, 500), **ways) == (round(375 * factor), round(500 * factor))
        assert draw_size(rng, (375, 500), **SIZE) == (375, 500)
        assert rng.bit_generator.state == reference.bit_generator.state


def test_windows_reach_every_place_and_never_leave_the_image_needlessly() -> None:
    rng = np.random.default_rng(0)
    windows = {draw_window(rng, (10, 4), 6) for _ in range(500)}
    assert {row for row, _ in windows} == {0, 1, 2, 3, 4}
    assert {column for _, column in windows} == {-2, -1, 0}


def test_cut_by_hand() -> None:
    assert cut(np.array([[1, 2, 3], [4, 5, 6]]), (0, -1), 2, 9).tolist() == [[9, 1], [9, 4]]
    assert cut(np.array([[1, 2, 3], [4, 5, 6]]), (1, 1), 2, 9).tolist() == [[5, 6], [9, 9]]


def test_colour_changes_keep_shape_and_places() -> None:
    image = coordinates(40, 50)
    assert change_colours(np.random.default_rng(0), image, (0.0, 0.0, 0.0, 0.0)) is image
    brighter = [change_colours(np.random.default_rng(seed), image, (0.25, 0.0, 0.0, 0.0)) for seed in range(8)]
    for changed in brighter:
        assert (changed.dtype, changed.shape) == (np.uint8, image.shape)
        factor = changed[..., 2].max() / 200
        assert 0.74 <= factor <= 1.25
        assert np.abs(changed.astype(float) - image * factor).max() <= 1.5
    assert len({changed[..., 2].max() for changed in brighter}) > 3
    grey = change_colours(np.random.default_rng(0), np.full((4, 4, 3), 90, np.uint8), (0.0, 0.5, 0.5, 0.5))
    assert np.abs(grey.astype(int) - 90).max() <= 1  # grey has no contrast, no saturation and no hue


def test_colours_are_changed_before_the_image_is_normalised() -> None:
    jitter, mean = (0.4, 0.0, 0.0, 0.0), {"mean": (0.6, 0.3, 0.1), "std": (0.2, 0.5, 0.9)}
    image = coordinates(12, 12)
    found = augment(np.random.default_rng(1), image, {}, **STILL | mean | {"jitter": jitter})["images"]
    expected = normalise(change_colours(np.random.default_rng(1), image, jitter), *mean.values())
    assert np.array_equal(found, expected)
    assert not np.array_equal(found, normalise(image, *mean.values()))


def test_the_generator_decides_everything() -> None:
    everything = STILL | {
        "resize_long": (10, 30),
        "resize_scale": (0.5, 1.5),
        "flip": True,
        "jitter": (0.3, 0.3, 0.3, 0.1),
    }
    first, second, other = (
        augment(np.random.default_rng(seed), coordinates(9, 14), {}, **everything)["images"] for seed in (1, 1, 2)
    )
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)
