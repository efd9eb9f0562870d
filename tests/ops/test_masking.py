"""Losses of image masking by hand (dissertation, eqs. 2.7 to 2.10), their gradients, and empty sets."""

from math import log

import pytest
import torch
from torch.autograd import gradcheck

from wsss_steps.ops.masking import attention_loss, attention_map, foreground_map, mean_of, saliency_loss

H = [(0.8, 0.1, 0.1), (0.3, 0.5, 0.2), (0.2, 0.6, 0.2), (0.1, 0.2, 0.7)]
LABELS = torch.tensor([[[0, 1, 2, 255]]])  # which class an object pixel has does not matter


def row(pixels: list[tuple[float, ...]]) -> torch.Tensor:
    """Probabilities (1, L, 1, pixels)."""
    return torch.tensor(pixels, dtype=torch.float64).T[None, :, None]


def tags(*present: int) -> torch.Tensor:
    return torch.tensor([present], dtype=torch.float64)


def test_saliency_loss_by_hand() -> None:
    assert saliency_loss(row(H).log(), LABELS, tags(1, 0)).item() == pytest.approx(0.825130, abs=1e-6)
    assert saliency_loss(row(H).log(), LABELS, tags(1, 1)).item() == pytest.approx(0.513053, abs=1e-6)


def test_images_weigh_the_same() -> None:
    """An image with one labelled pixel counts as much as one with three."""
    few = torch.tensor([[[255, 1, 255, 255]]])
    both = saliency_loss(row(H).log().repeat(2, 1, 1, 1), torch.cat([LABELS, few]), tags(1, 0).repeat(2, 1))
    assert both.item() == pytest.approx((0.825130 - log(0.5)) / 2, abs=1e-6)


def test_without_background_or_object_the_other_term_is_left() -> None:
    background, objects = torch.tensor([[[0, 255, 255, 255]]]), torch.tensor([[[255, 1, 1, 255]]])
    assert saliency_loss(row(H).log(), background, tags(1, 0)).item() == pytest.approx(-log(0.8))
    assert saliency_loss(row(H).log(), objects, tags(1, 0)).item() == pytest.approx(-(log(0.5) + log(0.6)) / 2)
    nothing = torch.full((1, 1, 4), 255)
    logits = row(H).log().requires_grad_()
    loss = saliency_loss(logits, nothing, tags(1, 0))
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
    assert not logits.grad.any()


def test_a_network_that_is_sure_and_wrong_is_pulled_back() -> None:
    sure = torch.tensor([[50.0, -50.0, 0.0]])[:, :, None, None].requires_grad_()
    loss = saliency_loss(sure, torch.tensor([[[1]]]), tags(1, 0).float())
    assert loss.item() == pytest.approx(100)
    loss.backward()
    assert sure.grad is not None
    assert sure.grad.flatten().tolist() == pytest.approx([1, -1, 0])  # softmax - target, of the present labels


def test_an_image_without_tags_has_nothing_to_explain() -> None:
    logits = row(H).log().requires_grad_()
    loss = saliency_loss(logits, LABELS, tags(0, 0))
    assert loss.item() == pytest.approx(-log(0.8))
    loss.backward()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


def test_unlabelled_pixels_have_no_gradient() -> None:
    logits = row(H).log().requires_grad_()
    saliency_loss(logits, LABELS, tags(1, 0)).backward()
    assert logits.grad is not None
    assert not logits.grad[..., 3].any()
    assert logits.grad[..., :3].any()


@pytest.mark.parametrize(
    ("present", "erased", "expected"),
    [((1, 1), (1, 0), 0.4), ((1, 1), (1, 1), 0.1), ((1, 1), (0, 0), 1.0), ((0, 1), (1, 1), 0.7)],
)
def test_attention_map_by_hand(present: tuple[int, ...], erased: tuple[int, ...], expected: float) -> None:
    attention = attention_map(row([(0.1, 0.6, 0.3)]), tags(*present), tags(*erased))
    assert attention.shape == (1, 1, 1, 1)
    assert attention.item() == pytest.approx(expected)


def test_foreground_is_of_the_present_classes_alone() -> None:
    assert foreground_map(row([(0.1, 0.6, 0.3)]), tags(0, 1)).item() == pytest.approx(0.3)


def test_attention_loss_by_hand() -> None:
    scores = torch.tensor([[0.5, 2.0, 9.0]], dtype=torch.float64)
    present, erased = tags(1, 1, 0), tags(1, 0, 1)
    assert attention_loss(scores, present, erased).item() == pytest.approx(0.550502, abs=1e-6)
    assert attention_loss(scores, tags(0, 0, 0), erased).item() == 0


def test_mean_over_members() -> None:
    values = torch.tensor([1.0, 5.0, 3.0])
    assert mean_of(values, torch.tensor([True, False, True])).item() == 2
    assert mean_of(values, torch.zeros(3, dtype=torch.bool)).item() == 0


def test_gradients() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, 2, 3, dtype=torch.float64, generator=generator, requires_grad=True)
    labels = torch.tensor([[[0, 1, 2], [255, 0, 1]], [[255, 255, 1], [0, 0, 0]]])
    present = torch.tensor([[1.0, 0.0], [1.0, 1.0]], dtype=torch.float64)
    erased = torch.tensor([[1.0, 1.0], [0.0, 1.0]], dtype=torch.float64)
    assert gradcheck(lambda x: saliency_loss(x, labels, present), (logits,))
    assert gradcheck(lambda x: attention_map(torch.softmax(x, 1), present, erased), (logits,))
    scores = torch.randn(2, 2, dtype=torch.float64, generator=generator, requires_grad=True)
    assert gradcheck(lambda x: attention_loss(x, present, erased), (scores,))
