"""The losses of `dsrg` by hand, on networks that predict one class everywhere; contracts/ has their laws."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from wsss_steps.methods.segmenter import dsrg
from wsss_steps.ops.labels import IGNORE
from wsss_steps.settings import crf
from wsss_steps.settings.segmenter import DsrgSegmenter

CLASSES, SIDE, CELL = 3, 32, 8
FLOOR = 1e-4


class Sure(nn.Module):
    """Predicts class `label` everywhere, with odds of e^`margin` over each other."""

    stride = CELL

    def __init__(self, label: int, margin: float = 10.0) -> None:
        super().__init__()
        self.logits = nn.Parameter(margin * nn.functional.one_hot(torch.tensor(label), CLASSES + 1))

    def forward(self, images: Tensor) -> Tensor:
        height, width = images.shape[2] // CELL, images.shape[3] // CELL
        return self.logits[None, :, None, None].expand(len(images), -1, height, width)


def batch_of(count: int = 1) -> dict[str, Tensor]:
    """Rows of cells: background, unlabelled, unlabelled, class 2."""
    seeds = torch.full((count, SIDE, SIDE), IGNORE)
    seeds[:, :CELL], seeds[:, 3 * CELL :] = 0, 2
    return {
        "images": torch.zeros(count, 3, SIDE, SIDE),
        "pixels": torch.full((count, 3, SIDE, SIDE), 90, dtype=torch.uint8),
        "inside": torch.ones(count, SIDE, SIDE, dtype=torch.bool),
        "tags": torch.tensor([[0.0, 1.0, 0.0]]).repeat(count, 1),
        "seeds": seeds,
    }


def losses(network: nn.Module, batch: dict[str, Tensor], **changes: Any) -> dict[str, Tensor]:
    names = ("train_scales", "grow", "theta_bg", "theta_fg", "lambda_boundary", "boundary_clip", "floor", "crf_unary")
    chosen = {name: value for name, value in DsrgSegmenter().model_dump().items() if name in names}
    return dsrg.losses(network, batch, **(chosen | {"crf": crf.numbers("dsrg")} | changes))


def test_the_defaults_are_those_of_the_paper() -> None:
    chosen = DsrgSegmenter()
    assert (chosen.theta_bg, chosen.theta_fg, chosen.floor, chosen.boundary_clip) == (0.99, 0.85, 1e-4, 20)
    assert (chosen.learning_rate, chosen.crop, chosen.crf_unary, chosen.train_scales) == (
        5e-4,
        321,
        "probability",
        (1,),
    )


@pytest.mark.parametrize(
    ("label", "changes", "labelled"),
    [
        (2, {}, 1.0),  # the class grows up to the seeds of background
        (0, {}, 1.0),
        (1, {}, 0.5),  # of class 1, which is no tag, nothing is sure, and nothing has a seed
        (2, {"grow": False}, 0.5),
        (2, {"theta_fg": 1.0}, 0.5),
        (0, {"theta_bg": 1.0}, 0.5),
        (2, {"theta_bg": 1.0}, 1.0),
    ],
)
def test_seeds_grow_where_the_smoothed_output_is_sure(label: int, changes: dict[str, Any], labelled: float) -> None:
    parts = losses(Sure(label), batch_of(), **changes)
    assert (parts["share_seeded"].item(), parts["share_labelled"].item()) == (0.5, labelled)


@pytest.mark.parametrize(("label", "grow"), [(2, True), (0, True), (1, True), (2, False)])
def test_what_is_shown_of_growth_is_what_the_losses_learn(label: int, grow: bool) -> None:
    """Two rows without a seed are grown over by the class that the network predicts, if it has seeds."""
    chosen = DsrgSegmenter()
    options = {"theta_bg": chosen.theta_bg, "theta_fg": chosen.theta_fg, "floor": FLOOR, "crf_unary": chosen.crf_unary}
    network, batch = Sure(label), batch_of()
    size = (SIDE, SIDE)
    labels = dsrg.grown(network(batch["images"]), batch, size, CELL, grow=grow, crf=crf.numbers("dsrg"), **options)
    free = label if grow and label in (0, 2) else IGNORE
    assert labels[0].tolist() == [[row] * 4 for row in (0, free, free, 2)]
    assert losses(network, batch, grow=grow)["share_labelled"].item() == (labels != IGNORE).double().mean()


def test_what_grows_is_the_output_of_the_crf_not_of_the_network() -> None:
    """The network is not sure enough of class 2; a CRF on one colour is."""
    hesitant = Sure(2, margin=1.0)
    assert torch.softmax(hesitant.logits, 0)[2] < 0.5
    assert losses(hesitant, batch_of(), crf=None)["share_labelled"].item() == 0.5
    assert losses(hesitant, batch_of())["share_labelled"].item() == 1.0


def floored(margin: float, own: bool) -> float:
    """Probability of the class that `Sure` predicts, or of another."""
    odds = math.exp(margin)
    share = (odds if own else 1.0) / (odds + CLASSES)
    return (share + FLOOR) / (1 + (CLASSES + 1) * FLOOR)


def test_the_seed_loss_weighs_background_and_classes_the_same() -> None:
    """Class 2 has grown over 3 of 4 rows, where it is right; background keeps one, where it is wrong."""
    for grow in (True, False):
        parts = losses(Sure(2), batch_of(), grow=grow, lambda_boundary=0.0)
        expected = -math.log(floored(10, own=False)) - math.log(floored(10, own=True))
        assert parts["seed_1"].item() == pytest.approx(expected, rel=1e-4)
    assert "boundary_1" not in parts


class Rows(Sure):
    """As `Sure` of class 2, with a margin for each row of cells."""

    def __init__(self, *margins: float) -> None:
        super().__init__(2, 1.0)
        self.margins = torch.tensor(margins)

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images) * self.margins[:, None]


def test_the_loss_is_of_what_has_grown() -> None:
    """Class 2 grows from the last row over the two before it, of which the network is less sure."""
    network = Rows(4, 5, 6, 7)
    loss = {margin: -math.log(floored(margin, own=True)) for margin in (5, 6, 7)}
    background = -math.log(floored(4, own=False))
    grown, given = (losses(network, batch_of(), grow=grow)["seed_1"].item() for grow in (True, False))
    assert grown == pytest.approx(background + sum(loss.values()) / 3, rel=1e-4)
    assert given == pytest.approx(background + loss[7], rel=1e-4)


def test_the_boundary_loss_pulls_to_the_crf_with_its_weight() -> None:
    """On one colour the CRF is sure of class 2; the network says it with the odds e : 1 : 1 : 1."""
    hesitant = Sure(2, margin=1.0)
    full, half = (losses(hesitant, batch_of(), lambda_boundary=weight)["boundary_1"] for weight in (1.0, 0.5))
    p, q = floored(1, own=True), 1 / (1 + CLASSES * FLOOR)
    rest = math.log(max(q * FLOOR / floored(1, own=False), 1 / 20))
    assert full.item() == pytest.approx(q * math.log(q / p) + CLASSES * q * FLOOR * rest, rel=1e-3)
    assert half.item() == pytest.approx(full.item() / 2)
    full.backward()
    assert hesitant.logits.grad is not None
    assert hesitant.logits.grad[2] < 0  # a step makes class 2 more probable
    assert losses(hesitant, batch_of(), boundary_clip=1.5)["boundary_1"].item() == pytest.approx(
        q * math.log(1.5) + CLASSES * q * FLOOR * math.log(1 / 1.5), rel=1e-3
    )


def test_without_a_crf_nothing_is_pulled() -> None:
    assert losses(Sure(2, margin=1.0), batch_of(), crf=None)["boundary_1"].item() == pytest.approx(0, abs=1e-6)


def test_padding_is_no_image() -> None:
    """Two of four columns are padding: what is grown, lost and shared are those of the others alone."""
    batch = batch_of()
    batch["inside"][..., 16:], batch["seeds"][..., 16:] = False, IGNORE
    batch["pixels"][..., 16:] = 0
    narrow = {name: value[..., :16] if value.ndim > 2 else value for name, value in batch.items()}
    network = Sure(2, margin=1.0)
    one, other = losses(network, batch), losses(network, narrow)
    assert one["share_seeded"].item() == 0.5
    for name in one:
        torch.testing.assert_close(one[name], other[name])


def test_a_crop_without_seeds_or_without_an_image_teaches_nothing() -> None:
    """Beside another image, it counts as one with the loss 0."""
    pair = batch_of(2)
    pair["seeds"][1] = IGNORE
    pair["inside"][1] = False
    network = Sure(2, margin=1.0)
    alone, together = losses(network, batch_of()), losses(network, pair)
    for name in ("seed_1", "boundary_1"):
        assert together[name].item() == pytest.approx(alone[name].item() / 2)
    pair["inside"][1] = True
    assert losses(network, pair)["boundary_1"].item() == pytest.approx(alone["boundary_1"].item() / 2)


def test_an_image_without_tags_is_background() -> None:
    batch = batch_of()
    batch["tags"] = torch.zeros(1, CLASSES)
    batch["seeds"][batch["seeds"] == 2] = IGNORE
    assert losses(Sure(0), batch)["share_labelled"].item() == 1.0
    assert losses(Sure(2), batch)["share_labelled"].item() == 0.25


def test_every_scale_has_its_own_losses() -> None:
    parts = losses(Sure(2), batch_of(), train_scales=[1.0, 0.5])
    assert set(parts) == {"seed_1", "boundary_1", "seed_0.5", "boundary_0.5", "share_seeded", "share_labelled"}
