"""The loss of DRS's refinement network: by hand, by a slow transcription, its laws, its gradient."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from wsss_steps.ops.losses.map_regression import map_regression, strongest_alone


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_every_position_keeps_its_largest_class_alone() -> None:
    """Positions: the second is largest; the first; all are equal, so the first; nothing is there."""
    maps = torch.tensor([[[0.2, 0.9, 0.5, 0.0]], [[0.7, 0.1, 0.5, 0.0]], [[0.6, 0.3, 0.5, 0.0]]])
    expected = [[[0, 0.9, 0.5, 0]], [[0.7, 0, 0, 0]], [[0, 0, 0, 0]]]
    torch.testing.assert_close(strongest_alone(maps[None]), torch.tensor([expected]))
    assert torch.equal(strongest_alone(maps[None].flip(-1)).flip(-1), strongest_alone(maps[None]))


def test_the_loss_by_hand() -> None:
    """Two classes at three positions, one of them outside: squares 1, 0.25, 0, 4 of four numbers."""
    maps = torch.tensor([[[[1.0, 0.5, 9.0]], [[0.0, 3.0, 9.0]]]])
    targets = torch.tensor([[[[0.0, 1.0, 0.0]], [[0.0, 1.0, 0.0]]]])
    inside = torch.tensor([[[True, True, False]]])
    assert map_regression(maps, targets, inside).item() == pytest.approx(5.25 / 4)
    assert map_regression(maps, targets, torch.ones_like(inside)).item() == pytest.approx((5.25 + 162) / 6)


def slowly(maps: Tensor, targets: Tensor, inside: Tensor) -> float:
    squares = []
    images, classes, height, width = maps.shape
    for b in range(images):
        for y in range(height):
            for x in range(width):
                for c in range(classes if inside[b, y, x] else 0):
                    largest = max(float(one) for one in targets[b, :, y, x])
                    first = next(k for k in range(classes) if float(targets[b, k, y, x]) == largest)
                    squares.append((float(maps[b, c, y, x]) - (largest if c == first else 0.0)) ** 2)
    return sum(squares) / len(squares)


def test_a_slow_transcription_agrees() -> None:
    maps, targets = 2 * drawn(2, 3, 4, 5) - 0.5, drawn(2, 3, 4, 5, seed=1)
    inside = drawn(2, 4, 5, seed=2) > 0.3
    found = map_regression(maps, strongest_alone(targets), inside)
    assert found.item() == pytest.approx(slowly(maps, targets, inside), abs=1e-6)


def test_it_is_zero_at_the_target_and_where_nothing_is_inside() -> None:
    targets = strongest_alone(drawn(1, 3, 4, 5))
    assert map_regression(targets, targets, torch.ones(1, 4, 5, dtype=torch.bool)) == 0
    maps = drawn(1, 3, 4, 5, seed=1).requires_grad_()
    loss = map_regression(maps, targets, torch.zeros(1, 4, 5, dtype=torch.bool))
    loss.backward()
    assert loss == 0
    assert maps.grad is not None
    assert not maps.grad.any()


def test_the_gradient() -> None:
    maps, targets = drawn(2, 2, 3, 3).requires_grad_(), drawn(2, 2, 3, 3, seed=1)
    inside = drawn(2, 3, 3, seed=2) > 0.3
    assert torch.autograd.gradcheck(lambda one: map_regression(one, strongest_alone(targets), inside), (maps,))
