"""Whole patches: where the padding lies, what the grid spans, what the pixels are."""

import numpy as np
import pytest

from wsss_steps.data.patches import item, whole_patches

PLAIN = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}
WHITE = np.full((13, 10, 3), 255, np.uint8)


def test_padding_is_zero_and_only_at_the_right_and_bottom() -> None:
    mean, std = (0.5, 0.25, 0.0), (0.5, 1.0, 2.0)
    pixels, extent = whole_patches(WHITE, patch=8, image_scale=1.0, input_mode="pad", mean=mean, std=std)
    assert pixels.shape == (3, 16, 16)
    assert pixels[:, 12, 9].tolist() == [1.0, 0.75, 0.5]  # (1 - mean) / std
    assert (pixels[:, :13, :10] != 0).all()
    assert not pixels[:, 13:].any()
    assert not pixels[:, :, 10:].any()
    assert extent.tolist() == [16.0, 16.0]


def test_a_voc_image_has_47_by_63_patches() -> None:
    image = np.zeros((375, 500, 3), np.uint8)
    pixels, extent = whole_patches(image, patch=8, image_scale=1.0, input_mode="pad", **PLAIN)
    assert (pixels.shape[1] // 8, pixels.shape[2] // 8) == (47, 63)
    assert extent.tolist() == [376.0, 504.0]


def test_the_grid_of_a_scaled_image_is_measured_in_pixels_of_the_image() -> None:
    pixels, extent = whole_patches(WHITE, patch=8, image_scale=2.0, input_mode="pad", **PLAIN)
    assert pixels.shape == (3, 32, 24)  # 26 x 20 px in whole patches
    assert extent.tolist() == [16.0, 12.0]
    odd, extent = whole_patches(WHITE, patch=8, image_scale=1.25, input_mode="pad", **PLAIN)
    assert odd.shape == (3, 16, 16)  # 16 x 12 px: 13 * 1.25 rounds down, 10 * 1.25 to even
    assert extent == pytest.approx([16 * 13 / 16, 16 * 10 / 12])


def test_resizing_fills_whole_patches_with_the_image() -> None:
    pixels, extent = whole_patches(WHITE, patch=8, image_scale=1.0, input_mode="resize", **PLAIN)
    assert pixels.shape == (3, 16, 16)
    assert (pixels == 1).all()
    assert extent.tolist() == [13.0, 10.0]


def test_a_size_of_whole_patches_is_left_alone() -> None:
    image = np.arange(16 * 8 * 3, dtype=np.uint8).reshape(16, 8, 3)
    padded, _ = whole_patches(image, patch=8, image_scale=1.0, input_mode="pad", **PLAIN)
    resized, _ = whole_patches(image, patch=8, image_scale=1.0, input_mode="resize", **PLAIN)
    assert np.array_equal(padded, resized)
    assert np.array_equal(np.rint(padded * 255).astype(np.uint8).transpose(1, 2, 0), image)


def test_unknown_mode() -> None:
    with pytest.raises(ValueError, match="unknown input mode 'crop'; known: pad, resize"):
        whole_patches(WHITE, patch=8, image_scale=1.0, input_mode="crop", **PLAIN)  # type: ignore[arg-type]


def test_centring_takes_the_mean_off() -> None:
    features = np.array([[[1.0, 5.0], [3.0, 9.0]]])
    extent = np.array([8, 16], np.float32)
    assert item(features, extent)["features"].tolist() == features.tolist()
    assert item(features, extent, centre=True)["features"].tolist() == [[[-1.0, -2.0], [1.0, 2.0]]]


def test_features_beyond_half_floats_are_refused() -> None:
    with pytest.raises(FloatingPointError, match="beyond the range of half floats: the largest is 1e"):
        item(np.full((1, 1, 1), 1e6), np.ones(2, np.float32))
