"""The random walk: values worked by hand (methods.md 11), and its laws."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from wsss_steps.ops.losses.affinity import affinity_loss
from wsss_steps.ops.random_walk import affinity, column_stochastic, offsets, paired, transition, walk


@pytest.mark.parametrize(("radius", "count"), [(2, 4), (5, 34), (10, 152)])
def test_neighbours_within_the_radius_each_pair_once(radius: int, count: int) -> None:
    found = offsets(radius)
    assert len(found) == len(set(found)) == count
    assert not {(-down, -right) for down, right in found} & set(found)
    assert all(math.hypot(*step) < radius for step in found)


def test_pairs_of_a_step() -> None:
    plane = torch.arange(6).reshape(2, 3)
    assert [part.tolist() for part in paired(plane, (1, -1))] == [[[1, 2]], [[3, 4]]]
    assert [part.tolist() for part in paired(plane, (0, 2))] == [[[0], [3]], [[2], [5]]]
    for step in ((2, 0), (4, 1), (0, 5), (1, -7)):
        assert [part.numel() for part in paired(plane, step)] == [0, 0]


def test_affinity_of_two_positions_by_hand() -> None:
    features = torch.tensor([[[[0.0, 1.0]], [[2.0, 5.0]]]])
    assert affinity(features, (0, 1)).item() == pytest.approx(math.exp(-2))


@pytest.mark.parametrize(("beta", "expected"), [(1.0, (2 / 3, 1 / 3)), (2.0, (0.8, 0.2))])
def test_the_transition_between_two_positions_by_hand(beta: float, expected: tuple[float, float]) -> None:
    """Affinity 1/2: features that differ by log 2."""
    features = torch.tensor([[[0.0, math.log(2)]]], dtype=torch.float64)
    steps = transition(features, radius=5, beta=beta)
    assert steps.toarray() == pytest.approx(np.array([expected, expected[::-1]]))
    start = np.array([[1.0, 0.0]], np.float32)
    twice = {1: (5 / 9, 4 / 9), 2: (0.68, 0.32)}[beta]
    assert walk(start, steps, 2)[0] == pytest.approx(twice)


def test_columns_sum_to_one_and_rows_need_not() -> None:
    weights = np.array([0.5, 0.2])
    steps = column_stochastic(weights, np.array([0, 1]), np.array([1, 2]), 3)
    assert steps.toarray()[0] == pytest.approx([0.6667, 0.2941, 0], abs=1e-4)
    assert steps.toarray().sum(axis=0) == pytest.approx([1, 1, 1])
    assert walk(np.array([[1.0, 0, 0]], np.float32), steps, 1)[0] == pytest.approx([0.6667, 0.2941, 0], abs=1e-4)


def test_steps_one_by_one_are_the_power_of_the_matrix_and_keep_the_range() -> None:
    generator = torch.Generator().manual_seed(0)
    steps = transition(torch.rand(3, 4, 5, generator=generator), radius=3, beta=4.0)
    maps = np.random.default_rng(0).random((2, 20)).astype(np.float32)
    found = walk(maps, steps, 16)
    assert found == pytest.approx(maps @ np.linalg.matrix_power(steps.toarray(), 16), abs=1e-5)
    assert maps.min() <= found.min()
    assert found.max() <= maps.max()
    assert walk(np.ones((1, 20), np.float32), steps, 16) == pytest.approx(np.ones((1, 20)), abs=1e-5)
    assert walk(maps[:0], steps, 4).shape == (0, 20)


def test_a_wall_of_other_features_is_not_crossed() -> None:
    features = torch.zeros(1, 3, 8)
    features[..., 4:] = 10
    maps = np.zeros((1, 24), np.float32)
    maps[0, 0] = 1
    found = walk(maps, transition(features, radius=5, beta=8.0), 256).reshape(3, 8)
    assert found[:, :4].min() > 0.01
    assert found[:, 4:].max() < 1e-6


def test_the_loss_by_hand() -> None:
    """A row of background, background, class, unlabelled at the distances 0, 1 and 9: one pair of each sort."""
    features = torch.tensor([[[[0.0, 0.0, 1.0, 9.0]]]])
    labels = torch.tensor([[[0, 0, 3, 255]]])
    parts = affinity_loss(features, labels, radius=2)
    assert parts["background"].item() == pytest.approx(0, abs=1e-5)
    assert parts["foreground"].item() == 0
    assert parts["boundary"].item() == pytest.approx(-math.log(1 - math.exp(-1)) / 2, abs=1e-4)
    same = affinity_loss(features, torch.tensor([[[3, 3, 3, 255]]]), radius=2)
    assert same["foreground"].item() == pytest.approx((0 + 1) / 2 / 4, abs=1e-4)
    assert same["boundary"].item() == 0
    none = affinity_loss(features, torch.full((1, 1, 4), 255), radius=2)
    assert sum(none.values()).item() == 0


def test_the_gradient_of_the_loss() -> None:
    generator = torch.Generator().manual_seed(0)
    features = torch.rand(1, 2, 3, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([[[0, 0, 255], [1, 1, 0], [2, 1, 2]]])
    assert torch.autograd.gradcheck(lambda x: sum(affinity_loss(x, labels, radius=3).values()), features)
