"""Eq. 3.2 by hand, against torch, and its gradient; the same for the loss of saliency masks."""

import math

import pytest
import torch
from torch.nn import functional as F

from wsss_steps.ops.losses.saliency import saliency_loss
from wsss_steps.ops.losses.tags import multi_label_loss


def test_by_hand() -> None:
    # sigmoid(0) = 1/2, sigmoid(ln 3) = 3/4
    loss = multi_label_loss(torch.tensor([[0.0, math.log(3)]]), torch.tensor([[1.0, 0.0]]))
    assert float(loss) == pytest.approx((math.log(2) + math.log(4)) / 2)


def test_is_the_multi_label_soft_margin_loss() -> None:
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(5, 7, generator=generator) * 5
    tags = (torch.rand(5, 7, generator=generator) > 0.7).float()
    expected = F.multilabel_soft_margin_loss(scores, tags)
    assert float(multi_label_loss(scores, tags)) == pytest.approx(float(expected), rel=1e-6)


def test_large_scores_stay_finite_and_keep_their_gradient() -> None:
    scores = torch.tensor([[200.0, -200.0]], requires_grad=True)
    loss = multi_label_loss(scores, torch.tensor([[0.0, 1.0]]))
    loss.backward()
    assert float(loss.detach()) == pytest.approx(200)
    assert scores.grad is not None
    assert scores.grad.tolist() == [[0.5, -0.5]]


def test_gradient() -> None:
    scores = torch.randn(3, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64, requires_grad=True)
    tags = torch.tensor([[1, 0, 0, 1], [0, 0, 0, 0], [1, 1, 1, 1]], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: multi_label_loss(x, tags), scores)


def test_saliency_loss_by_hand() -> None:
    """log(1 + e^-1) for a right logit of 1, log(1 + e) for a wrong one; the pixel outside the image is not counted."""
    logits = torch.tensor([[[[1.0, 1.0, 50.0]]]])
    masks, inside = torch.tensor([[[1, 0, 0]]]), torch.tensor([[[True, True, False]]])
    assert saliency_loss(logits, masks, inside).item() == pytest.approx((0.313262 + 1.313262) / 2, abs=1e-6)
    assert saliency_loss(logits, masks, torch.zeros_like(inside)).item() == 0


def test_gradient_of_the_saliency_loss() -> None:
    logits = torch.randn(2, 1, 3, 4, dtype=torch.float64, requires_grad=True)
    masks = torch.tensor([0, 1, 0, 1]).expand(2, 3, 4)
    inside = torch.tensor([True, True, False, True]).expand(2, 3, 4)
    assert torch.autograd.gradcheck(lambda scores: saliency_loss(scores, masks, inside), logits)
    saliency_loss(logits, masks, inside).backward()
    assert logits.grad is not None
    assert not logits.grad[..., 2].any()
