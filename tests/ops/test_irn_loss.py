"""The losses of IRNet: by hand, by a slow transcription, and their gradient."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from wsss_steps.ops.losses.irn import irn_loss
from wsss_steps.ops.path_affinity import path


def drawn(height: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    boundary, displacement = (
        torch.rand(2, *planes, height, width, generator=generator, dtype=torch.float64) for planes in ((), (2,))
    )
    labels = torch.tensor([0, 0, 3, 3, 1, 255])[torch.randint(0, 6, (2, height, width), generator=generator)]
    return boundary, 3 * displacement, labels


def slowly(boundary: Tensor, displacement: Tensor, labels: Tensor, radius: int) -> float:
    """1/2 (1/2 background + 1/2 foreground) + 1/2 unlike + 1/2 (displacements of either), pair by pair."""
    terms: dict[str, list[float]] = {"bg": [], "fg": [], "neg": [], "dp_bg": [], "dp_fg": []}
    images, height, width = labels.shape
    places = [(b, y, x) for b in range(images) for y in range(height) for x in range(width)]
    for b, y, x in places:
        for other, v, u in places:
            near = 0 < (v - y) ** 2 + (u - x) ** 2 < radius**2
            one, two = int(labels[b, y, x]), int(labels[other, v, u])
            if b != other or not near or (v, u) < (y, x) or 255 in (one, two):
                continue
            a = 1 - max(float(boundary[b, y + r, x + c]) for r, c in path((v - y, u - x)))
            dy, dx = (displacement[b, :, y, x] - displacement[b, :, v, u]).tolist()
            if one != two:
                terms["neg"].append(-math.log(1 + 1e-5 - a))
            else:
                terms["fg" if one else "bg"].append(-math.log(a + 1e-5))
                away = (v - y, u - x) if one else (0, 0)
                terms["dp_fg" if one else "dp_bg"].append((abs(dy - away[0]) + abs(dx - away[1])) / 2)
    mean = {name: sum(found) / max(len(found), 1) for name, found in terms.items()}
    return (mean["bg"] / 2 + mean["fg"] / 2) / 2 + mean["neg"] / 2 + (mean["dp_fg"] + mean["dp_bg"]) / 2


@pytest.mark.parametrize("radius", [2, 4])
def test_a_slow_transcription_agrees(radius: int) -> None:
    boundary, displacement, labels = drawn(4, 5)
    found = sum(irn_loss(boundary, displacement, labels, radius=radius).values())
    assert float(found) == pytest.approx(slowly(boundary, displacement, labels, radius))


def test_the_loss_by_hand() -> None:
    """A row of background, background, class, class, unlabelled with one boundary: one pair of each sort."""
    boundary = torch.tensor([[[0.0, 0.2, 0.9, 0.1, 0.0]]])
    displacement = torch.tensor([[[[0.0, 0.5, 0.0, 0.0, 7.0]], [[0.0, 0.0, 0.0, -1.0, 7.0]]]])
    parts = irn_loss(boundary, displacement, torch.tensor([[[0, 0, 3, 3, 255]]]), radius=2)
    assert {name: part.item() for name, part in parts.items()} == pytest.approx(
        {
            "background": -math.log(0.8) / 4,
            "foreground": -math.log(0.1) / 4,
            "boundary": -math.log(0.9) / 2,
            "displacement_background": 0.5 / 2 / 2,
            "displacement_foreground": 0.0,  # 0 - (-1) to the right: both point to the same place
        },
        abs=1e-4,
    )


def test_nothing_known_is_no_loss() -> None:
    boundary, displacement, labels = drawn(3, 3)
    parts = irn_loss(boundary, displacement, torch.full_like(labels, 255), radius=3)
    assert sum(parts.values()).item() == 0


def test_the_gradient_of_the_loss() -> None:
    boundary, displacement, labels = drawn(3, 4)
    given = boundary.requires_grad_(), displacement.requires_grad_()
    assert torch.autograd.gradcheck(lambda *x: sum(irn_loss(*x, labels, radius=3).values()), given)
