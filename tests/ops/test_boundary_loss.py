"""The loss of boundaries and the seed loss of DSRG by hand, in loops, and their gradients."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from wsss_steps.ops.labels import IGNORE
from wsss_steps.ops.losses.balanced_seeds import balanced_seed_loss
from wsss_steps.ops.losses.boundary import boundary_loss
from wsss_steps.ops.smoothing import floored_softmax


def column(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)[None, :, None, None]


def everywhere(probabilities: Tensor) -> Tensor:
    return torch.ones_like(probabilities[:, 0], dtype=torch.bool)


def loss(p: Tensor, q: Tensor, members: Tensor | None = None, most: float = 20.0) -> Tensor:
    return boundary_loss(p, q, everywhere(p) if members is None else members, most=most)


def test_one_cell_by_hand() -> None:
    value = loss(column(0.6, 0.4), column(0.9, 0.1)).item()
    assert value == pytest.approx(0.9 * math.log(1.5) + 0.1 * math.log(0.25))
    assert value == pytest.approx(0.226289, abs=1e-6)


def test_ratios_are_clipped_on_both_sides() -> None:
    """0.99 / 0.01 counts as 20, 0.01 / 0.99 as 1 / 20."""
    expected = 0.99 * math.log(20) + 0.01 * math.log(0.05)
    assert loss(column(0.01, 0.99), column(0.99, 0.01)).item() == pytest.approx(expected)
    assert loss(column(0.4, 0.6), column(0.9, 0.1), most=2.0).item() == pytest.approx(0.8 * math.log(2))


def random_case() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    p, q = (torch.softmax(2 * torch.randn(3, 4, 3, 5, generator=generator, dtype=torch.float64), 1) for _ in "pq")
    members = torch.rand(3, 3, 5, generator=generator) < 0.6
    members[1] = False
    return p, q, members


def test_loops_agree() -> None:
    p, q, members = random_case()
    images = []
    for image in range(3):
        values = []
        for y, x in members[image].nonzero().tolist():
            pairs = zip(q[image, :, y, x].tolist(), p[image, :, y, x].tolist(), strict=True)
            values.append(sum(b * math.log(min(max(b / a, 0.05), 20)) for b, a in pairs))
        images.append(sum(values) / len(values) if values else 0.0)
    assert loss(p, q, members).item() == pytest.approx(sum(images) / 3, abs=1e-12)


def test_it_is_a_divergence() -> None:
    p, q, members = random_case()
    assert loss(q, q, members).item() == pytest.approx(0)
    kl = torch.nn.functional.kl_div(p.log(), q, reduction="none").sum(1)[
        members & (members.flatten(1).any(1))[:, None, None]
    ]
    assert (kl >= 0).all()
    one = slice(0, 1)
    expected = torch.nn.functional.kl_div(p[one].log(), q[one], reduction="none").sum(1)[members[one]].mean()
    assert loss(p[one], q[one], members[one], most=1e6).item() == pytest.approx(expected.item())


def test_it_falls_as_the_output_nears_its_target() -> None:
    p, q, members = random_case()
    values = [loss(p + share * (q - p), q, members).item() for share in (0.0, 0.3, 0.6, 1.0)]
    assert values == sorted(values, reverse=True)


def test_nothing_is_learnt_from_no_cells_nor_by_the_target() -> None:
    p, q, members = random_case()
    p, q = p.requires_grad_(), q.requires_grad_()
    value = loss(p, q, torch.zeros_like(members))
    value.backward()
    assert value.item() == 0
    assert p.grad is not None
    assert not p.grad.any()
    loss(p, q, members).backward()
    assert q.grad is None
    assert not p.grad[1].any()
    assert p.grad[0].any()


def test_gradients() -> None:
    _, q, members = random_case()
    logits = torch.randn(q.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda one: loss(floored_softmax(one, 1e-4), q, members), logits)
    labels = torch.where(members, q.argmax(1), IGNORE)
    assert torch.autograd.gradcheck(lambda one: balanced_seed_loss(floored_softmax(one, 1e-4).log(), labels), logits)


def test_the_balanced_seed_loss_is_that_of_dsrg() -> None:
    """-sum log P / n over the background and over the classes of each image, P with its floor; an empty sum is 0."""
    _, _, members = random_case()
    generator = torch.Generator().manual_seed(2)
    logits = 9 * torch.randn(3, 4, 3, 5, generator=generator, dtype=torch.float64)
    labels = torch.where(members, torch.randint(0, 4, members.shape, generator=generator), IGNORE)
    labels[2] = torch.where(labels[2] == 0, IGNORE, labels[2])
    total = 0.0
    for image in range(3):
        scores = torch.softmax(logits[image], 0) + 1e-4
        for wanted in ([0], [1, 2, 3]):
            cells = [(c, y, x) for c in wanted for y, x in (labels[image] == c).nonzero().tolist()]
            values = [-math.log(scores[c, y, x].item() / (1 + 4e-4)) for c, y, x in cells]
            total += sum(values) / max(len(values), 1e-4)
    found = balanced_seed_loss(floored_softmax(logits, 1e-4).log(), labels)
    assert found.item() == pytest.approx(total / 3, abs=1e-9)
