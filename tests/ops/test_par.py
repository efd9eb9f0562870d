"""PAR: weights worked by hand, and its laws."""

from __future__ import annotations

import math

import pytest
import torch

from wsss_steps.ops.par import affinities, par


def test_weights_of_a_plain_image_differ_by_distance_alone() -> None:
    """Distances 1 and sqrt 2, four of each: their unbiased deviation is 0.2071 sqrt(8 / 7)."""
    deviation = (math.sqrt(2) - 1) / 2 * math.sqrt(8 / 7)
    near, far = (math.exp(-((distance / deviation / 0.3) ** 2)) for distance in (1.0, math.sqrt(2)))
    total = 4 * (near + far)
    weights = affinities(torch.full((3, 2, 2), 0.5), [1])[:, 0, 0]
    corners = [0, 2, 5, 7]
    assert weights[corners].tolist() == pytest.approx([1 / 8 + 0.01 * far / total] * 4, abs=1e-6)
    assert weights[[1, 3, 4, 6]].tolist() == pytest.approx([1 / 8 + 0.01 * near / total] * 4, abs=1e-6)


def test_the_pixel_itself_is_left_out_of_the_deviation() -> None:
    """Grey 0, neighbours of which one is 1: deviation sqrt(1 / 8), so that one has e^-(8 / 0.09) of the others."""
    image = torch.zeros(3, 3, 3)
    image[:, 0, 0] = 1
    weights = affinities(image, [1])[:, 1, 1] - 0.01 * affinities(torch.zeros(3, 3, 3), [1])[:, 1, 1]
    assert weights[0] < 1e-3
    assert weights[1:].sum() == pytest.approx(1, abs=5e-3)


def test_the_weights_sum_to_one_and_a_hundredth() -> None:
    image = torch.rand(3, 7, 5, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(affinities(image, [1, 2, 24]).sum(0), torch.full((7, 5), 1.01))
    constant = torch.full((1, 7, 5), 0.5)
    assert torch.allclose(par(image, constant, dilations=[1, 2], iterations=2), constant * 1.01**2)


def test_mirror_images_give_mirrored_maps() -> None:
    generator = torch.Generator().manual_seed(0)
    image, maps = torch.rand(3, 6, 9, generator=generator), torch.rand(2, 6, 9, generator=generator)
    found = par(image, maps, dilations=[1, 2], iterations=3)
    mirrored = par(image.flip(-1), maps.flip(-1), dilations=[1, 2], iterations=3)
    assert torch.allclose(mirrored.flip(-1), found, atol=1e-5)
