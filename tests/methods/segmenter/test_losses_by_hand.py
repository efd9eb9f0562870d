"""Losses of the segmenters by hand, on networks that predict one class everywhere; contracts/ has their laws."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from wsss_steps import methods
from wsss_steps.errors import UserError

CLASSES, SIDE = 3, 32


def batch_of(count: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    seeds = torch.full((count, SIDE, SIDE), 255)
    seeds[:, :16], seeds[:, 24:] = 0, 2
    return {
        "images": torch.randn(count, 3, SIDE, SIDE, generator=generator),
        "tags": torch.tensor([[0.0, 1.0, 0.0]]).repeat(count, 1),
        "seeds": seeds,
        "superpixels": torch.arange(1, SIDE + 1)[None, :, None].expand(count, SIDE, SIDE) // 8 + 1,
        "inside": torch.ones(count, SIDE, SIDE, dtype=torch.bool),
    }


class Sure(nn.Module):
    """Predicts class `label` everywhere."""

    stride = 8

    def __init__(self, label: int) -> None:
        super().__init__()
        self.logits = nn.Parameter(10.0 * nn.functional.one_hot(torch.tensor(label), CLASSES + 1))

    def forward(self, images: Tensor) -> Tensor:
        return self.logits[None, :, None, None].expand(len(images), -1, images.shape[2] // 8, images.shape[3] // 8)


@pytest.mark.parametrize(
    ("label", "restrict", "grown"), [(2, True, 1.0), (1, True, 0.75), (1, False, 1.0), (0, True, 1.0)]
)
def test_spsrg_grows_where_the_network_is_sure(label: int, restrict: bool, grown: float) -> None:
    method = methods.load("segmenter", "spsrg")
    options = {
        "train_scales": [1.0],
        "beta_bg": 0.7,
        "beta_fg": 0.7,
        "restrict_to_present": restrict,
    }
    parts = method.losses(Sure(label), batch_of(1), **options)
    assert parts["share_seeded"].item() == 0.75
    assert parts["share_labelled"].item() == grown


def test_padding_is_no_part_of_the_shares() -> None:
    """Two of four columns of cells are padding: 2 of 4 rows have seeds at first; a row without superpixel stays so."""
    options = {"train_scales": [1.0], "beta_bg": 0.7, "beta_fg": 0.7, "restrict_to_present": True}
    batch = batch_of(1)
    batch["inside"][..., 16:] = False
    batch["seeds"][..., 16:], batch["seeds"][:, :8], batch["superpixels"][:, :8] = 255, 255, 0
    parts = methods.load("segmenter", "spsrg").losses(Sure(2), batch, **options)
    assert (parts["share_seeded"].item(), parts["share_labelled"].item()) == (0.5, 0.75)


def test_spsrg_needs_superpixels() -> None:
    options = {"train_scales": [1.0], "beta_bg": 0.7, "beta_fg": 0.7, "restrict_to_present": True}
    batch = batch_of(1)
    batch["superpixels"] = torch.zeros_like(batch["superpixels"])
    with pytest.raises(UserError, match="'spsrg' needs superpixels, but the recipe has none"):
        methods.load("segmenter", "spsrg").losses(Sure(2), batch, **options)


def test_balanced_and_plain_loss_differ() -> None:
    method, network = methods.load("segmenter", "plain"), Sure(0)
    plain, balanced = (
        method.losses(network, batch_of(1), train_scales=[1.0], balanced=flag)["seed_1"] for flag in (False, True)
    )
    surprise = 10 + torch.log(1 + 3 * torch.exp(torch.tensor(-10.0)))  # of class 2; that of background is about 0
    assert plain.item() == pytest.approx(surprise.item() / 3, abs=1e-3)  # 4 of 12 labelled cells
    assert balanced.item() == pytest.approx(surprise.item(), abs=1e-3)


@pytest.mark.parametrize(
    ("label", "beta_bg", "beta_fg", "grown"),
    [(2, 1.0, 0.7, 1.0), (2, 0.7, 1.0, 0.75), (0, 0.7, 1.0, 1.0), (0, 1.0, 0.7, 0.75)],
)
def test_spsrg_asks_background_and_classes_for_their_own_sureness(
    label: int, beta_bg: float, beta_fg: float, grown: float
) -> None:
    options = {"train_scales": [1.0], "restrict_to_present": True}
    parts = methods.load("segmenter", "spsrg").losses(
        Sure(label), batch_of(1), **options, beta_bg=beta_bg, beta_fg=beta_fg
    )
    assert parts["share_labelled"].item() == grown


class Counting(nn.Module):
    """A classifier that counts its calls, and finds nothing."""

    asked = 0

    def forward(self, images: Tensor, attention: Tensor) -> Tensor:
        self.asked += 1
        return images.new_zeros(len(images), CLASSES) + 0 * attention.mean()


def test_masking_asks_the_judge_once_a_path_and_weighs_what_it_says() -> None:
    def attention(lambda_seg: float, paths: int) -> tuple[float, int]:
        judge = Counting()
        torch.manual_seed(0)
        options = {"train_scales": [1.0], "lambda_seg": lambda_seg, "paths": paths}
        parts = methods.load("segmenter", "masking").losses(Sure(2), batch_of(1), classifier=judge, **options)
        return parts["attention"].item(), judge.asked

    full, half = attention(1.0, 3), attention(0.5, 3)
    assert (full[1], attention(1.0, 1)[1]) == (3, 1)
    assert full[0] > 0
    assert half[0] == pytest.approx(full[0] / 2)


def test_spsrg_learns_what_has_grown() -> None:
    """Class 1 grows over a row of cells; it is right there, and wrong on the row of seeds of class 2."""
    options = {"train_scales": [1.0], "beta_bg": 0.7, "beta_fg": 0.7, "restrict_to_present": False}
    parts = methods.load("segmenter", "spsrg").losses(Sure(1), batch_of(1), **options)
    assert parts["seed_1"].item() == pytest.approx(10 + (10 + 0) / 2, abs=1e-2)  # background, then the mean of classes


def test_attention_is_made_of_probabilities(monkeypatch: pytest.MonkeyPatch) -> None:
    method, given = methods.load("segmenter", "masking"), []
    attention_map = method.attention_map

    def spy(probabilities: Tensor, *rest: Tensor) -> Tensor:
        given.append(probabilities)
        return attention_map(probabilities, *rest)

    monkeypatch.setattr(method, "attention_map", spy)
    options = {"train_scales": [1.0], "lambda_seg": 1.0, "paths": 1}
    method.losses(Sure(2), batch_of(1), classifier=Counting(), **options)
    torch.testing.assert_close(given[0].sum(1), torch.ones(1, 4, 4))
    assert given[0][:, 2].min() > 0.99
