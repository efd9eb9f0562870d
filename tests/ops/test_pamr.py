"""PAMR: values worked by hand, and its laws."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from wsss_steps.ops.pamr import affinities, neighbours, pamr

SOFT = torch.tensor([[[0.9, 0.6, 0.2], [0.8, 0.5, 0.3], [0.7, 0.6, 0.1]]])
EDGE = torch.tensor([0.0, 0.0, 1.0]).expand(3, 3, 3)  # the right column is white


def test_one_step_on_a_plain_image_is_the_mean_of_the_neighbours() -> None:
    plain = torch.full((3, 3, 3), 0.4)
    assert torch.allclose(affinities(plain, [1]), torch.full((8, 3, 3), 1 / 8))
    expected = torch.tensor([[0.75, 0.55, 0.3625], [0.7125, 0.525, 0.325], [0.675, 0.475, 0.325]])
    assert torch.allclose(pamr(plain, SOFT, dilations=[1], iterations=1)[0], expected)


def test_weights_at_an_edge() -> None:
    """Unbiased deviation 0.5 in the middle column: five black neighbours have 1 / 5 each, three white ones nothing."""
    weights = affinities(EDGE, [1])[:, 1, 1]
    black = torch.tensor([column < 1 for _ in range(3) for column in (-1, 0, 1)])[[0, 1, 2, 3, 5, 6, 7, 8]]
    assert torch.allclose(weights[black], torch.full((5,), 0.2), atol=1e-7)
    assert weights[~black].max() < 1e-8


def test_a_mask_that_follows_the_edge_stays() -> None:
    mask = torch.tensor([1.0, 1.0, 0.0]).expand(1, 3, 3)
    assert torch.allclose(pamr(EDGE, mask, dilations=[1], iterations=10), mask, atol=1e-6)


def test_one_step_at_an_edge_by_hand() -> None:
    expected = torch.tensor([[0.75, 0.74, 0.24], [0.7125, 0.72, 0.18], [0.675, 0.66, 0.18]])
    assert torch.allclose(pamr(EDGE, SOFT, dilations=[1], iterations=1)[0], expected, atol=1e-6)


def case(height: int, width: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(3, height, width, generator=generator), torch.rand(2, height, width, generator=generator)


@pytest.mark.parametrize(("height", "width"), [(9, 7), (1, 5), (1, 1)])
def test_weights_sum_to_one_so_that_values_stay_in_range(height: int, width: int) -> None:
    image, maps = case(height, width)
    dilations = [1, 2, 24]
    assert torch.allclose(affinities(image, dilations).sum(0), torch.ones(height, width))
    found = pamr(image, maps, dilations=dilations, iterations=3)
    for before, after in zip(maps, found, strict=True):
        assert before.min() - 1e-6 <= after.min()
        assert after.max() <= before.max() + 1e-6
    constant = torch.full((1, height, width), 0.3)
    assert torch.allclose(pamr(image, constant, dilations=dilations, iterations=3), constant)


def test_mirror_images_give_mirrored_maps() -> None:
    image, maps = case(9, 7)
    found = pamr(image, maps, dilations=[1, 2], iterations=2)
    mirrored = pamr(image.flip(-1), maps.flip(-1), dilations=[1, 2], iterations=2)
    assert torch.allclose(mirrored.flip(-1), found, atol=1e-6)


def test_classes_do_not_mix_and_brightness_scale_does_not_matter() -> None:
    image, maps = case(9, 7)
    both = pamr(image, maps, dilations=[1, 4], iterations=2)
    assert torch.equal(pamr(image, maps[1:], dilations=[1, 4], iterations=2), both[1:])
    assert torch.allclose(pamr(image * 255, maps, dilations=[1, 4], iterations=2), both, atol=1e-5)


def test_neighbours_are_at_the_distance_of_the_dilation() -> None:
    plane = torch.arange(25.0).reshape(1, 5, 5)
    seen = torch.stack(list(neighbours(plane, [1, 2])))[:, 0, 2, 2]
    assert seen.tolist() == [6, 7, 8, 11, 13, 16, 17, 18, 0, 2, 4, 10, 14, 20, 22, 24]


def test_an_image_without_tags_has_no_maps() -> None:
    assert pamr(torch.rand(3, 4, 5), torch.zeros(0, 4, 5), dilations=(1, 2), iterations=2).shape == (0, 4, 5)
