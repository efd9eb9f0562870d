"""Sizes and resampling by hand."""

import pytest
import torch

from wsss_steps.ops.resize import resize_images, resize_labels, scaled_size


@pytest.mark.parametrize(
    ("size", "scale", "expected"), [((375, 500), 0.5, (188, 250)), ((3, 5), 2.0, (6, 10)), ((1, 9), 0.3, (1, 3))]
)
def test_scaled_size(size: tuple[int, int], scale: float, expected: tuple[int, int]) -> None:
    assert scaled_size(size, scale) == expected


def test_images_are_interpolated_between_pixel_centres() -> None:
    image = torch.tensor([0.0, 4.0]).view(1, 1, 1, 2)
    assert resize_images(image, (1, 4)).flatten().tolist() == [0, 1, 3, 4]
    assert resize_images(image, (1, 1)).flatten().tolist() == [2]
    assert resize_images(image, (1, 2)) is image


def test_labels_are_picked_at_the_centre_and_stay_exact() -> None:
    labels = torch.tensor([[[1, 2, 3, 4, 5, 65535]]])
    assert resize_labels(labels, (1, 2)).tolist() == [[[2, 5]]]
    assert resize_labels(labels, (1, 6)).tolist() == labels.tolist()
