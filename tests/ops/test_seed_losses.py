"""Seed losses by hand, their gradients, and empty sets."""

from math import log

import pytest
import torch
from torch.autograd import gradcheck

from wsss_steps.ops.losses.balanced_seeds import balanced_seed_loss
from wsss_steps.ops.losses.seeds import seed_cross_entropy

H = [(0.7, 0.2, 0.1), (0.5, 0.4, 0.1), (0.2, 0.7, 0.1), (0.1, 0.1, 0.8)]
LOSSES = (balanced_seed_loss, seed_cross_entropy)


def row(pixels: list[tuple[float, ...]]) -> torch.Tensor:
    """Logits (1, L, 1, pixels) whose softmax is the given probabilities."""
    return torch.tensor(pixels, dtype=torch.float64).log().T[None, :, None]


def random_case(batch: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(batch, 3, 2, 3, dtype=torch.float64, generator=generator)
    labels = torch.randint(0, 4, (batch, 2, 3), generator=generator)
    return logits, torch.where(labels == 3, 255, labels)


def test_balanced_by_hand() -> None:
    loss = balanced_seed_loss(row(H), torch.tensor([[[0, 0, 1, 255]]]))
    assert loss.item() == pytest.approx(-(log(0.7) + log(0.5)) / 2 - log(0.7))
    assert loss.item() == pytest.approx(0.881586, abs=1e-6)


def test_cross_entropy_by_hand() -> None:
    loss = seed_cross_entropy(row(H), torch.tensor([[[0, 0, 1, 255]]]))
    assert loss.item() == pytest.approx(-(log(0.7) + log(0.5) + log(0.7)) / 3)


def test_cross_entropy_is_that_of_torch() -> None:
    logits, labels = random_case()
    expected = torch.nn.functional.cross_entropy(logits, labels, ignore_index=255)
    assert torch.isclose(seed_cross_entropy(logits, labels), expected)


def test_each_class_of_an_image_reads_its_own_probability() -> None:
    loss = balanced_seed_loss(row(H), torch.tensor([[[255, 1, 1, 2]]]))
    assert loss.item() == pytest.approx(-(log(0.4) + log(0.7) + log(0.8)) / 3)


@pytest.mark.parametrize("loss", LOSSES)
def test_no_labelled_pixel_gives_zero_with_zero_gradient(loss) -> None:
    logits = random_case()[0].requires_grad_()
    value = loss(logits, torch.full((2, 2, 3), 255))
    value.backward()
    assert value.item() == 0
    assert logits.grad is not None
    assert not logits.grad.any()


@pytest.mark.parametrize("loss", LOSSES)
def test_unlabelled_pixels_have_no_gradient(loss) -> None:
    logits, labels = random_case()
    logits.requires_grad_()
    loss(logits, labels).backward()
    moved = (logits.grad != 0).any(dim=1)
    assert (moved == (labels != 255)).all()


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients(loss) -> None:
    logits, labels = random_case()
    assert gradcheck(lambda values: loss(values, labels), logits.requires_grad_())


@pytest.mark.parametrize("loss", LOSSES)
def test_extreme_logits_stay_finite(loss) -> None:
    logits = torch.tensor([1e4, -1e4]).view(1, 2, 1, 1).requires_grad_()
    value = loss(logits, torch.tensor([[[1]]]))
    value.backward()
    assert value.item() == pytest.approx(2e4)
    assert torch.isfinite(logits.grad).all()


def test_balanced_loss_of_a_batch_is_the_mean_of_its_images() -> None:
    logits, labels = random_case(batch=4)
    singles = [balanced_seed_loss(logits[[i]], labels[[i]]) for i in range(4)]
    assert torch.isclose(balanced_seed_loss(logits, labels), torch.stack(singles).mean())


def test_a_label_that_does_not_exist_is_refused() -> None:
    with pytest.raises(IndexError, match="out of bounds"):
        seed_cross_entropy(row(H), torch.tensor([[[0, 0, 3, 255]]]))
