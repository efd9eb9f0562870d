"""The loss on label images by hand; what else `dsrg_semi` computes is that of `dsrg`."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from methods.segmenter.test_dsrg import CELL, CLASSES, SIDE, Sure, batch_of

from wsss_steps.methods.segmenter import dsrg, dsrg_semi
from wsss_steps.ops.labels import IGNORE
from wsss_steps.settings import crf
from wsss_steps.settings.segmenter import DsrgSemiSegmenter

NAMES = ("train_scales", "grow", "theta_bg", "theta_fg", "lambda_boundary", "boundary_clip", "floor", "crf_unary")


def options(**changes: Any) -> dict[str, Any]:
    given = {name: value for name, value in DsrgSemiSegmenter().model_dump().items() if name in NAMES}
    return given | {"crf": crf.numbers("dsrg")} | changes


def test_label_images_are_learnt_with_their_weight_by_those_that_have_one() -> None:
    """Two images, of which the first has a label image: a row of class 2, where the network is right, and one of 1."""
    batch, network = batch_of(2), Sure(2)
    masks = torch.full((2, SIDE, SIDE), IGNORE)
    masks[0, :CELL], masks[0, CELL : 2 * CELL] = 2, 1
    found = dsrg_semi.losses(network, {**batch, "strong_masks": masks}, lambda_full=3.0, **options())
    total = math.exp(10) + CLASSES
    expected = (math.log(total) - 10 + math.log(total)) / 2
    assert found.pop("full_1").item() == pytest.approx(3 * expected, rel=1e-5)
    same = dsrg.losses(network, batch, **options())
    assert found.keys() == same.keys()
    assert all(torch.equal(found[name], same[name]) for name in same)


def test_without_label_images_it_is_dsrg() -> None:
    batch = {**batch_of(), "strong_masks": torch.full((1, SIDE, SIDE), IGNORE)}
    found = dsrg_semi.losses(Sure(2), batch, lambda_full=2.0, **options(train_scales=[1.0, 0.5]))
    assert (found["full_1"].item(), found["full_0.5"].item()) == (0, 0)


def test_the_weight_is_two_by_default() -> None:
    assert DsrgSemiSegmenter().lambda_full == 2
