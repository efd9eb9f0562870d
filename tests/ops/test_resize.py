"""Sizes and resampling by hand."""

import pytest
import torch

from wsss_steps.ops.resize import enlarge, resize_images, sample_labels, scaled_size


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


def test_labels_are_picked_at_the_centre_of_cells() -> None:
    labels = torch.tensor([[[1, 2, 3, 4, 5, 65535]]])
    assert sample_labels(labels, (1, 6), 1, outside=255).tolist() == labels.tolist()
    assert sample_labels(labels, (1, 6), 3, outside=255).tolist() == [[[255, 255]]]  # one row has no centre of three
    tall = labels.expand(1, 3, 6)
    assert sample_labels(tall, (3, 6), 3, outside=255).tolist() == [[[2, 5]]]
    assert sample_labels(tall, (3, 6), 4, outside=255).tolist() == [[[3, 255]]]  # the second centre is at 6 px
    # rows are read at twice their number: centres at 1 and 3 px of 3
    assert sample_labels(tall, (6, 12), 4, outside=0).tolist() == [[[2, 4, 65535], [0, 0, 0]]]
    assert sample_labels(tall > 2, (6, 12), 4, outside=False).tolist() == [[[False, True, True], [False] * 3]]


@pytest.mark.parametrize(("stride", "scale"), [(8, 1.0), (16, 1.0), (8, 0.75), (8, 0.5)])
@pytest.mark.parametrize("crop", range(97, 130))
@pytest.mark.parametrize("flipped", [False, True])
def test_labels_that_are_sampled_and_drawn_again_stay_where_they_were(
    crop: int, stride: int, scale: float, flipped: bool
) -> None:
    """Straight edges at every pixel of some cells come back without a mean offset, up to half pixels."""
    size = scaled_size((crop, crop), scale)
    period = round(stride / scale)
    edges = torch.arange(period, (crop // period - 1) * period)
    labels = (torch.arange(crop)[None] >= edges[:, None]).long()[:, None].expand(-1, crop, -1)
    labels = labels.transpose(1, 2) if flipped else labels
    cells = sample_labels(labels, size, stride, outside=255)
    logits = torch.nn.functional.one_hot(cells.clamp(max=1), 2).movedim(-1, 1).float()
    drawn = resize_images(enlarge(logits, size, stride), (crop, crop)).argmax(1)
    drawn = drawn.transpose(1, 2) if flipped else drawn
    offsets = (crop - drawn[:, 0].sum(1)) - edges
    assert offsets.abs().max() <= period / 2 + 1
    assert abs(offsets.float().mean().item()) <= 0.5 / scale
