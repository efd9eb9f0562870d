"""Contracts of every method that makes seeds or trains a segmenter."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from wsss_steps import methods
from wsss_steps.errors import UserError
from wsss_steps.nets.frozen import FrozenClassifier
from wsss_steps.settings.base import Settings
from wsss_steps.settings.registry import METHODS
from wsss_steps.settings.segmenter import SpsrgSegmenter

SEEDS = METHODS["seeds"]
SEGMENTERS = METHODS["segmenter"]
CLASSES, SIDE = 3, 32


def options_of(cls: type[Settings]) -> dict:
    few = {"aspp_rates": (1, 2), "frozen_batch_norm": "none"} if "aspp_rates" in cls.model_fields else {}
    return cls(**few).model_dump(mode="json")


def judge() -> FrozenClassifier:
    """A small classifier with random weights, frozen."""
    torch.manual_seed(7)
    options = {"output_stride": 8, "dilated": True, "frozen_stages": 0, "frozen_batch_norm": "none"}
    network = methods.load("classifier", "plain").build(CLASSES, backbone={"net": "small", "options": {}}, **options)
    same = {"mean": (0.5,) * 3, "std": (0.5,) * 3, "own_mean": (0.5,) * 3, "own_std": (0.5,) * 3}
    return FrozenClassifier(network, **same)


def segmenter(cls: type[Settings], seed: int = 0) -> tuple[nn.Module, object]:
    """The network of a method on the small backbone, and its loss as a function of network and batch."""
    options = options_of(cls) | {"backbone": {"net": "small", "options": {}}}
    method = methods.load("segmenter", options["method"])
    options |= {"classifier": judge() if "classifier" in cls.needs else None}
    torch.manual_seed(seed)
    network = method.build(CLASSES, **methods.arguments(method.build, options))
    return network, lambda network, batch: method.losses(network, batch, **methods.arguments(method.losses, options))


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


def minimised(parts: dict[str, Tensor]) -> Tensor:
    return torch.stack([part for name, part in parts.items() if not name.startswith("share_")]).sum()


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("cls", SEGMENTERS)
def test_losses_are_finite_and_move_the_whole_network(cls, count: int) -> None:
    network, losses = segmenter(cls)
    loss = minimised(losses(network, batch_of(count)))
    loss.backward()
    assert torch.isfinite(loss)
    assert loss > 0
    missing = [name for name, parameter in network.named_parameters() if parameter.grad is None]
    assert not missing
    assert any(parameter.grad.any() for parameter in network.backbone.parameters())


@pytest.mark.parametrize("cls", SEGMENTERS)
def test_one_part_per_input_scale(cls) -> None:
    network, losses = segmenter(cls)
    parts = losses(network, batch_of(1))
    assert {"seed_1", "seed_0.75", "seed_0.5"} <= set(parts)


@pytest.mark.parametrize("cls", SEGMENTERS)
def test_an_image_without_labels_gives_zero(cls) -> None:
    network, losses = segmenter(cls)
    batch = batch_of(2)
    batch["seeds"] = torch.full_like(batch["seeds"], 255)
    loss = minimised(losses(network, batch))
    loss.backward()
    assert loss.item() == 0
    assert not any(parameter.grad.any() for parameter in network.parameters())


@pytest.mark.parametrize("cls", SEGMENTERS)
def test_the_same_seed_gives_the_same_loss(cls) -> None:
    values = []
    for _ in range(2):
        network, losses = segmenter(cls)
        values.append(minimised(losses(network, batch_of(2))).item())
    assert values[0] == values[1]


@pytest.mark.parametrize("cls", SEGMENTERS)
def test_training_lowers_the_loss(cls) -> None:
    network, losses = segmenter(cls)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
    values = []
    for _ in range(8):
        loss = minimised(losses(network, batch_of(2)))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        values.append(loss.item())
    assert values[-1] < values[0]


class Sure(nn.Module):
    """Predicts class `label` everywhere, at stride 8."""

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
        "output_stride": 8,
        "beta_bg": 0.7,
        "beta_fg": 0.7,
        "restrict_to_present": restrict,
    }
    parts = method.losses(Sure(label), batch_of(1), **options)
    assert parts["share_seeded"].item() == 0.75
    assert parts["share_labelled"].item() == grown


def test_padding_is_no_part_of_the_shares() -> None:
    """Two of four columns of cells are padding: 2 of 4 rows have seeds at first; a row without superpixel stays so."""
    options = {"train_scales": [1.0], "output_stride": 8, "beta_bg": 0.7, "beta_fg": 0.7, "restrict_to_present": True}
    batch = batch_of(1)
    batch["inside"][..., 16:] = False
    batch["seeds"][..., 16:], batch["seeds"][:, :8], batch["superpixels"][:, :8] = 255, 255, 0
    parts = methods.load("segmenter", "spsrg").losses(Sure(2), batch, **options)
    assert (parts["share_seeded"].item(), parts["share_labelled"].item()) == (0.5, 0.75)


def test_spsrg_needs_superpixels() -> None:
    network, losses = segmenter(SpsrgSegmenter)
    batch = batch_of(1)
    batch["superpixels"] = torch.zeros_like(batch["superpixels"])
    with pytest.raises(UserError, match="'spsrg' needs superpixels, but the recipe has none"):
        losses(network, batch)


def test_balanced_and_plain_loss_differ() -> None:
    method, network = methods.load("segmenter", "plain"), Sure(0)
    plain, balanced = (
        method.losses(network, batch_of(1), train_scales=[1.0], output_stride=8, balanced=flag)["seed_1"]
        for flag in (False, True)
    )
    surprise = 10 + torch.log(1 + 3 * torch.exp(torch.tensor(-10.0)))  # of class 2; that of background is about 0
    assert plain.item() == pytest.approx(surprise.item() / 3, abs=1e-3)  # 4 of 12 labelled cells
    assert balanced.item() == pytest.approx(surprise.item(), abs=1e-3)


REFINED = np.random.default_rng(9).choice(np.array([0, 1, 1, 255], np.uint8), (9, 7))


NEEDED = ("superpixels", "refined_saliency", "image")


def case_of_seeds(num: int) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(num)
    maps = rng.random((num, 9, 7), np.float32)
    if num:
        maps /= maps.max(axis=(1, 2), keepdims=True)
    image = rng.integers(0, 256, (9, 7, 3), np.uint8)
    return maps, np.arange(2, 2 + num, dtype=np.uint8), rng.integers(1, 5, (9, 7)).astype(np.uint16), REFINED, image


@pytest.mark.parametrize("num", [0, 1, 3])
@pytest.mark.parametrize("cls", SEEDS)
def test_seeds_are_labels_of_the_image(cls, num: int) -> None:
    options = options_of(cls) | {"crf": None}
    method = methods.load("seeds", options["method"])
    maps, classes, *others = case_of_seeds(num)
    chosen = methods.arguments(method.seeds, options | dict(zip(NEEDED, others, strict=True)))
    labels = method.seeds(maps, classes, **chosen)
    assert labels.shape == maps.shape[1:]
    assert labels.dtype == np.uint8
    assert set(np.unique(labels)) <= {0, 255, *classes.tolist()}
    assert set(classes.tolist()) <= set(np.unique(labels)) or num == 3  # each map has its maximum 1 somewhere
    assert (labels == method.seeds(maps, classes, **chosen)).all()


@pytest.mark.parametrize("cls", SEEDS)
def test_mirrored_maps_give_mirrored_seeds(cls) -> None:
    options = options_of(cls) | {"crf": None}
    method = methods.load("seeds", options["method"])
    maps, classes, *others = case_of_seeds(2)
    there, mirror = (dict(zip(NEEDED, grids, strict=True)) for grids in (others, [one[:, ::-1] for one in others]))
    labels = method.seeds(maps, classes, **methods.arguments(method.seeds, options | there))
    mirrored = method.seeds(maps[:, :, ::-1], classes, **methods.arguments(method.seeds, options | mirror))
    assert (mirrored == labels[:, ::-1]).all()


@pytest.mark.parametrize(
    ("label", "beta_bg", "beta_fg", "grown"),
    [(2, 1.0, 0.7, 1.0), (2, 0.7, 1.0, 0.75), (0, 0.7, 1.0, 1.0), (0, 1.0, 0.7, 0.75)],
)
def test_spsrg_asks_background_and_classes_for_their_own_sureness(
    label: int, beta_bg: float, beta_fg: float, grown: float
) -> None:
    options = {"train_scales": [1.0], "output_stride": 8, "restrict_to_present": True}
    parts = methods.load("segmenter", "spsrg").losses(
        Sure(label), batch_of(1), **options, beta_bg=beta_bg, beta_fg=beta_fg
    )
    assert parts["share_labelled"].item() == grown


class Cells(Sure):
    """The same on whole cells, the last of which extend beyond the edge."""

    def forward(self, images: Tensor) -> Tensor:
        return self.logits[None, :, None, None].expand(
            len(images), -1, -(-images.shape[2] // 8), -(-images.shape[3] // 8)
        )


@pytest.mark.parametrize("cls", SEGMENTERS)
def test_cells_whose_centre_is_beyond_the_edge_are_not_labelled(cls) -> None:
    """Class 2 is right inside the image: nothing may be learnt from the padding, least of all background."""
    options = options_of(cls) | {"train_scales": [1.0], "output_stride": 8, "lambda_seg": 0, "classifier": None}
    batch = {
        "images": torch.zeros(1, 3, 12, 12),
        "tags": torch.tensor([[0.0, 1.0, 0.0]]),
        "seeds": torch.full((1, 12, 12), 2),
        "superpixels": torch.ones(1, 12, 12, dtype=torch.int64),
        "inside": torch.ones(1, 12, 12, dtype=torch.bool),
    }
    method = methods.load("segmenter", options["method"])
    parts = method.losses(Cells(2), batch, **methods.arguments(method.losses, options))
    assert parts["seed_1"].item() == pytest.approx(0, abs=1e-3)
    assert parts.get("share_seeded", torch.ones(())).item() == 1  # of the one cell inside


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
        options = {"train_scales": [1.0], "output_stride": 8, "lambda_seg": lambda_seg, "paths": paths}
        parts = methods.load("segmenter", "masking").losses(Sure(2), batch_of(1), classifier=judge, **options)
        return parts["attention"].item(), judge.asked

    full, half = attention(1.0, 3), attention(0.5, 3)
    assert (full[1], attention(1.0, 1)[1]) == (3, 1)
    assert full[0] > 0
    assert half[0] == pytest.approx(full[0] / 2)


def test_spsrg_learns_what_has_grown() -> None:
    """Class 1 grows over a row of cells; it is right there, and wrong on the row of seeds of class 2."""
    options = {"train_scales": [1.0], "output_stride": 8, "beta_bg": 0.7, "beta_fg": 0.7, "restrict_to_present": False}
    parts = methods.load("segmenter", "spsrg").losses(Sure(1), batch_of(1), **options)
    assert parts["seed_1"].item() == pytest.approx(10 + (10 + 0) / 2, abs=1e-2)  # background, then the mean of classes


def test_attention_is_made_of_probabilities(monkeypatch: pytest.MonkeyPatch) -> None:
    method, given = methods.load("segmenter", "masking"), []
    attention_map = method.attention_map

    def spy(probabilities: Tensor, *rest: Tensor) -> Tensor:
        given.append(probabilities)
        return attention_map(probabilities, *rest)

    monkeypatch.setattr(method, "attention_map", spy)
    options = {"train_scales": [1.0], "output_stride": 8, "lambda_seg": 1.0, "paths": 1}
    method.losses(Sure(2), batch_of(1), classifier=Counting(), **options)
    torch.testing.assert_close(given[0].sum(1), torch.ones(1, 4, 4))
    assert given[0][:, 2].min() > 0.99
