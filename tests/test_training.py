"""The loop: it learns, the same seed gives the same weights, learning rates are as set, bad losses stop it."""

import csv
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from wsss_steps.errors import UserError
from wsss_steps.methods import arguments
from wsss_steps.training import loop
from wsss_steps.training.optimisers import make_optimiser, poly_schedule

SETTINGS: dict[str, Any] = {
    "epochs": 3,
    "batch_size": 4,
    "power": 0.9,
    "warmup_epochs": 0.0,
    "warmup_from": 1e-6,
    "seed": 0,
    "device": "cpu",
}
OPTIMISATION = {"learning_rate": 0.1, "head_multiplier": 10.0, "momentum": 0.9, "weight_decay": 1e-4}


class Points:
    """Points in the plane, tagged by their side of a line; records which ones were read."""

    def __init__(self, count: int = 10) -> None:
        self.points = torch.randn(count, 2, generator=torch.Generator().manual_seed(0))
        self.asked: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, place: tuple[int, int]) -> dict[str, Tensor]:
        self.asked.append(place)
        point = self.points[place[1]]
        return {"images": point, "tags": (point.sum() > 0).float()}


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Dropout(0.2))
        self.head = nn.Linear(8, 1)

    def forward(self, points: Tensor) -> Tensor:
        result: Tensor = self.head(self.backbone(points))[:, 0]
        return result


def losses(network: nn.Module, batch: loop.Batch) -> dict[str, Tensor]:
    scores = network(batch["images"])
    return {
        "tags": nn.functional.binary_cross_entropy_with_logits(scores, batch["tags"]),
        "size": 0.01 * scores.square().mean(),
    }


def fit(
    network: nn.Module, data: Points, losses: loop.Losses, optimiser: torch.optim.Optimizer, **settings: Any
) -> list[dict[str, float]]:
    """`loop.fit` by the schedule of these settings."""
    schedule = poly_schedule(**arguments(poly_schedule, settings))
    return loop.fit(network, data, losses, optimiser, schedule, **arguments(loop.fit, settings))


def trained(
    data: Points | None = None, noise: int = 0, **overrides: Any
) -> tuple[Net, list[dict[str, float]], torch.optim.SGD]:
    torch.manual_seed(0)
    network = Net()
    torch.rand(noise)
    optimiser = make_optimiser(network, network.backbone, **OPTIMISATION)
    return network, fit(network, data or Points(), losses, optimiser, **SETTINGS | overrides), optimiser


def test_groups_have_their_rates_and_the_momentum_is_the_momentum() -> None:
    network = Net()
    network.backbone[0].bias.requires_grad_(False)
    groups = make_optimiser(network, network.backbone, **OPTIMISATION).param_groups
    assert [group["momentum"] for group in groups] == [0.9, 0.9]
    assert [group["weight_decay"] for group in groups] == [1e-4, 1e-4]
    assert not any(group["nesterov"] for group in groups)
    assert [group["base"] for group in groups] == pytest.approx([0.1, 1.0])
    assert [[id(p) for p in group["params"]] for group in groups] == [
        [id(network.backbone[0].weight)],
        [id(network.head.weight), id(network.head.bias)],
    ]


def test_pretrained_layers_of_the_head_have_the_rate_of_the_backbone() -> None:
    network = Net()
    groups = make_optimiser(network, network.backbone, [network.head.bias], **OPTIMISATION).param_groups
    assert [group["base"] for group in groups] == pytest.approx([0.1, 1.0])
    assert [[id(p) for p in group["params"]] for group in groups] == [
        [*map(id, network.backbone.parameters()), id(network.head.bias)],
        [id(network.head.weight)],
    ]


def test_a_part_of_the_head_may_have_a_rate_of_its_own() -> None:
    network = Net()
    network.extra = nn.Linear(2, 1)
    network.extra.bias.requires_grad_(False)
    network.multipliers = {"extra": 3.0}
    groups = make_optimiser(network, network.backbone, **OPTIMISATION).param_groups
    assert [group["base"] for group in groups] == pytest.approx([0.1, 1.0, 3.0])
    assert [[id(p) for p in group["params"]] for group in groups] == [
        [*map(id, network.backbone.parameters())],
        [*map(id, network.head.parameters())],
        [id(network.extra.weight)],
    ]


def test_the_same_seed_gives_the_same_weights_bit_for_bit() -> None:
    first, again, other = (trained(noise=noise, seed=seed)[0].state_dict() for noise, seed in ((0, 0), (3, 0), (0, 1)))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_it_learns_and_writes_down_what_it_did(tmp_path: Path) -> None:
    network, rows, optimiser = trained(epochs=30)
    assert rows[-1]["loss"] < rows[0]["loss"] / 3
    assert [row["epoch"] for row in rows] == list(range(1, 31))
    assert rows[0].keys() == {"epoch", "learning_rate", "loss", "tags", "size"}
    assert all(row["loss"] == pytest.approx(row["tags"] + row["size"]) for row in rows)
    steps = 3  # 10 points in batches of 4
    assert [row["learning_rate"] for row in rows[:2]] == pytest.approx(
        [0.1 * (1 - step / (30 * steps)) ** 0.9 for step in (steps - 1, 2 * steps - 1)]
    )
    assert optimiser.param_groups[1]["lr"] == pytest.approx(10 * rows[-1]["learning_rate"])
    assert network.training
    loop.write_history(tmp_path / "h.csv", rows)
    with (tmp_path / "h.csv").open() as file:
        read = list(csv.DictReader(file))
    assert [float(row["loss"]) for row in read] == [row["loss"] for row in rows]


def test_the_power_of_the_schedule_is_that_of_the_settings() -> None:
    rows = trained(power=2.0)[1]
    assert [row["learning_rate"] for row in rows] == pytest.approx([0.1 * (1 - step / 9) ** 2 for step in (2, 5, 8)])


def test_warm_up_starts_at_its_rate() -> None:
    network, rates = Net(), []
    optimiser = make_optimiser(network, network.backbone, **OPTIMISATION)

    def watching(network: nn.Module, batch: loop.Batch) -> dict[str, Tensor]:
        rates.append(optimiser.param_groups[0]["lr"])
        return losses(network, batch)

    fit(network, Points(), watching, optimiser, **SETTINGS | {"warmup_epochs": 2.0})
    assert rates[0] == pytest.approx(1e-6)
    assert rates[6] == pytest.approx(0.1 * (1 - 6 / 9) ** 0.9)
    assert rates.index(max(rates)) in (4, 5)


def test_a_hook_follows_every_step() -> None:
    """It sees the weights that the step left, and the share of the steps that are done."""
    found: list[tuple[float, bool]] = []
    torch.manual_seed(0)
    before = [weight.clone() for weight in Net().parameters()]

    def hook(network: nn.Module, progress: float) -> None:
        moved = not all(torch.equal(one, two) for one, two in zip(network.parameters(), before, strict=True))
        found.append((progress, moved))
        before[:] = [weight.clone() for weight in network.parameters()]

    trained(after_step=hook)
    assert found == [(pytest.approx(step / 9), True) for step in range(1, 10)]


def test_each_epoch_asks_for_every_item_once_in_another_order() -> None:
    data = Points()
    trained(data, epochs=2)
    first, second = data.asked[:10], data.asked[10:]
    assert sorted(first) == [(0, index) for index in range(10)]
    assert sorted(second) == [(1, index) for index in range(10)]
    assert [index for _, index in first] != [index for _, index in second]


@pytest.mark.parametrize(
    ("count", "batch_size", "sizes"),
    [(10, 4, [4, 4, 2]), (9, 4, [4, 5]), (1, 4, [1]), (3, 1, [1, 1, 1]), (4, 4, [4]), (5, 4, [5])],
)
def test_no_image_is_dropped_and_none_is_left_alone(count: int, batch_size: int, sizes: list[int]) -> None:
    batches = loop.batches_of(count, batch_size, seed=0, epoch=7)
    assert [len(batch) for batch in batches] == sizes
    assert sorted(place for batch in batches for place in batch) == [(7, index) for index in range(count)]


@pytest.mark.parametrize(
    ("count", "batch_size", "sizes"), [(7, 3, [3, 3]), (8, 3, [3, 3]), (6, 3, [3, 3]), (2, 3, [2]), (3, 1, [1, 1, 1])]
)
def test_an_incomplete_batch_can_be_dropped(count: int, batch_size: int, sizes: list[int]) -> None:
    batches = loop.batches_of(count, batch_size, seed=0, epoch=7, drop_last=True)
    assert [len(batch) for batch in batches] == sizes
    assert len({place for batch in batches for place in batch}) == sum(sizes)
    data = Points(count)
    trained(data, batch_size=batch_size, drop_last=True, epochs=2)
    assert len(data.asked) == 2 * sum(sizes)


def test_the_seed_decides_the_order() -> None:
    first, again, other = (loop.batches_of(10, 4, seed=seed, epoch=0) for seed in (0, 0, 1))
    assert first == again != other


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_stops_with_its_parts(bad: float) -> None:
    data = Points()

    def spoilt(network: nn.Module, batch: loop.Batch) -> dict[str, Tensor]:
        return {"good": network(batch["images"]).mean(), "bad": torch.tensor(bad if len(data.asked) > 13 else 1.0)}

    torch.manual_seed(0)
    network = Net()
    optimiser = make_optimiser(network, network.backbone, **OPTIMISATION)
    with pytest.raises(
        UserError, match=rf"epoch 2, step 1, at learning rate 0\.0694: good .*, bad {bad}; a lower learning_rate"
    ):
        fit(network, data, spoilt, optimiser, **SETTINGS)
    assert all(bool(torch.isfinite(weight).all()) for weight in network.parameters())


@pytest.mark.parametrize("part", ["share_of", "entropy_of"])
def test_recorded_parts_move_no_weight(part: str) -> None:
    network = Net()
    before = {name: weight.clone() for name, weight in network.state_dict().items()}

    def recording(network: nn.Module, batch: loop.Batch) -> dict[str, Tensor]:
        scores = network(batch["images"])
        return {"nothing": 0 * scores.sum(), part: scores.mean()}

    optimiser = make_optimiser(network, network.backbone, **OPTIMISATION | {"weight_decay": 0.0})
    rows = fit(network, Points(), recording, optimiser, **SETTINGS)
    assert all(row["loss"] == 0 and row[part] != 0 for row in rows)
    assert all(torch.equal(weight, before[name]) for name, weight in network.state_dict().items())


def test_every_epoch_draws_from_a_seed_of_its_own() -> None:
    """Random numbers drawn by the network, as in dropout, depend on seed and epoch, not on earlier draws."""

    def seeds_of(seed: int) -> list[int]:
        found = []

        def watching(network: nn.Module, batch: loop.Batch) -> dict[str, Tensor]:
            found.append(torch.initial_seed())
            return losses(network, batch)

        network = Net()
        optimiser = make_optimiser(network, network.backbone, **OPTIMISATION)
        fit(network, Points(), watching, optimiser, **SETTINGS | {"seed": seed})
        return found

    first, other = seeds_of(0), seeds_of(1)
    assert len(first) == 9
    assert len(set(first)) == len(set(other)) == 3
    assert not set(first) & set(other)
