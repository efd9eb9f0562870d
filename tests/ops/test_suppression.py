"""Suppression of discriminative regions: by hand, by a slow transcription, its laws, its gradient."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from wsss_steps.ops.suppression import suppress

ROW = torch.tensor([[[[-1.0, 1.0, 2.0, 4.0]]]])


def drawn(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize(("share", "expected"), [(0.5, [0, 1, 2, 2]), (1.0, [0, 1, 2, 4]), (0.0, [0, 0, 0, 0])])
def test_a_channel_by_hand(share: float, expected: list[float]) -> None:
    assert suppress(ROW, share).flatten().tolist() == expected
    assert suppress(ROW, torch.tensor([[share]])).flatten().tolist() == expected


def test_every_channel_of_every_image_has_its_own_maximum_and_share() -> None:
    features = torch.stack([torch.cat([ROW[0], 10 * ROW[0]]), torch.cat([-ROW[0], ROW[0]])])
    shares = torch.tensor([[0.25, 0.5], [0.5, 0.75]])
    found = suppress(features, shares)[:, :, 0].tolist()
    assert found == [[[0, 1, 1, 1], [0, 10, 20, 20]], [[0.5, 0, 0, 0], [0, 1, 2, 3]]]


def slowly(features: Tensor, shares: Tensor) -> Tensor:
    result = torch.zeros_like(features)
    images, channels, height, width = features.shape
    for b in range(images):
        for k in range(channels):
            peak = max(max(float(one), 0.0) for one in features[b, k].flatten())
            for y in range(height):
                for x in range(width):
                    result[b, k, y, x] = min(max(float(features[b, k, y, x]), 0.0), float(shares[b, k]) * peak)
    return result


def test_a_slow_transcription_agrees() -> None:
    features, shares = drawn(2, 3, 4, 5), drawn(2, 3).sigmoid()
    torch.testing.assert_close(suppress(features, shares), slowly(features, shares), rtol=0, atol=1e-6)


def test_the_maximum_is_the_share_of_the_maximum_and_more_share_is_no_less() -> None:
    features = drawn(2, 3, 4, 5)
    before = torch.zeros_like(features)
    for share in (0.1, 0.3, 0.55, 0.9, 1.0):
        found = suppress(features, share)
        assert (found >= before).all()
        torch.testing.assert_close(found.amax((2, 3)), share * features.relu().amax((2, 3)))
        before = found
    assert torch.equal(before, features.relu())  # a share of 1


def test_nothing_positive_stays_zero_with_a_finite_gradient() -> None:
    features = (-drawn(1, 2, 3, 3).abs()).requires_grad_()
    found = suppress(features, 0.5)
    found.sum().backward()
    assert not found.any()
    assert features.grad is not None
    assert features.grad.isfinite().all()


def test_mirrored_features_are_suppressed_alike() -> None:
    features, shares = drawn(1, 2, 4, 5), drawn(1, 2).sigmoid()
    assert torch.equal(suppress(features.flip(-1), shares), suppress(features, shares).flip(-1))


def test_what_is_suppressed_hands_its_gradient_to_the_share_and_the_maximum() -> None:
    """Of maximum 4 and g = 0.25, 2 and 4 become 1."""
    features = torch.tensor([[[[-1.0, 0.5, 2.0, 4.0]]]], requires_grad=True)
    share = torch.tensor([[0.25]], requires_grad=True)
    suppress(features, share).sum().backward()  # 0 + 0.5 + 4 g + 4 g
    assert features.grad is not None
    assert share.grad is not None
    assert features.grad.flatten().tolist() == [0, 1, 0, 0.5]
    assert share.grad.tolist() == [[8.0]]


def test_the_gradient() -> None:
    features, shares = drawn(2, 2, 3, 3).requires_grad_(), drawn(2, 2).sigmoid().requires_grad_()
    assert torch.autograd.gradcheck(suppress, (features, shares))
    assert torch.autograd.gradcheck(lambda one: suppress(one, 0.55), (features,))


def test_a_coarse_precision_is_kept() -> None:
    assert suppress(ROW.bfloat16(), torch.tensor([[0.5]])).dtype == torch.bfloat16
