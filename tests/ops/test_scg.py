"""Self-correlation: values worked by hand (methods.md 14), and its laws."""

from __future__ import annotations

import pytest
import torch

from wsss_steps.ops.scg import first_order, localise, second_order, self_correlation

FEATURES = torch.tensor([[1.0, 0.6, 0.0], [0.0, 0.8, 1.0]])  # three positions
CORRELATION = torch.tensor([[1.0, 0.8182, 0.0], [0.6, 1.0, 0.8], [0.0, 0.9655, 1.0]])
ACTIVATION = torch.tensor([[0.9, 0.3, 0.02]])


def test_first_and_second_order_by_hand() -> None:
    first = first_order(FEATURES)
    assert torch.allclose(first, torch.tensor([[1.0, 0.6, 0.0], [0.6, 1.0, 0.8], [0.0, 0.8, 1.0]]))
    expected = torch.tensor([[1.0, 0.8182, 0.0], [0.0, 1.0, 0.5], [0.0, 0.9655, 1.0]])
    assert torch.allclose(second_order(first), expected, atol=1e-4)


def test_the_larger_of_both_orders_and_the_mean_over_layers() -> None:
    assert torch.allclose(self_correlation([FEATURES]), CORRELATION, atol=1e-4)
    other = torch.eye(3)  # of three unlike positions both orders are the identity
    both = self_correlation([FEATURES, other])
    assert torch.allclose(both, (CORRELATION + torch.eye(3)) / 2, atol=1e-4)


def test_opposite_features_do_not_count_as_alike() -> None:
    assert self_correlation([torch.tensor([[1.0, -1.0]])]).min() == 0


@pytest.mark.parametrize("reduce", ["mean", "sum"])
def test_foreground_minus_background_by_hand(reduce: str) -> None:
    found = localise(CORRELATION, ACTIVATION, foreground=0.5, background=0.05, reduce=reduce)
    assert torch.allclose(found, torch.tensor([[1.0, 0.0, 0.0]]), atol=1e-4)


def test_mean_and_sum_differ_by_the_number_of_positions() -> None:
    maps = torch.tensor([[0.9, 0.8, 0.1]])
    mean, total = (localise(CORRELATION, maps, foreground=0.5, background=0.05, reduce=one) for one in ("mean", "sum"))
    assert torch.allclose(total, 2 * mean)
    assert torch.allclose(mean[0], (CORRELATION[0] + CORRELATION[1]) / 2)


def test_without_foreground_nothing_without_background_all_of_it() -> None:
    maps = torch.tensor([[0.3, 0.2, 0.0], [0.9, 0.3, 0.2]])
    found = localise(CORRELATION, maps, foreground=0.5, background=0.05, reduce="mean")
    assert found[0].tolist() == [0, 0, 0]
    assert torch.allclose(found[1], CORRELATION[0])
    assert localise(CORRELATION, maps[:0], foreground=0.5, background=0.05, reduce="mean").shape == (0, 3)


def test_renamed_positions_give_renamed_maps_and_the_length_of_features_does_not_matter() -> None:
    features = torch.randn(5, 12, generator=torch.Generator().manual_seed(0))
    order = torch.randperm(12, generator=torch.Generator().manual_seed(1))
    whole = self_correlation([features])
    assert torch.allclose(self_correlation([features[:, order]]), whole[order][:, order], atol=1e-5)
    assert torch.allclose(self_correlation([features * 7]), whole, atol=1e-5)
    assert whole.min() >= 0
    assert whole.max() <= 1 + 1e-6


def test_a_plain_image_gives_finite_numbers() -> None:
    assert self_correlation([torch.ones(3, 4)]).isfinite().all()
    assert self_correlation([torch.zeros(3, 4)]).tolist() == [[0.0] * 4] * 4
