"""Puzzle-CAM: its parts, what each teaches, what padding and odd sizes do, and its rising weight."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from wsss_steps import methods
from wsss_steps.methods.classifier import plain, puzzle
from wsss_steps.nets.backbones import Backbone as Features
from wsss_steps.nets.puzzle import PuzzleClassifier
from wsss_steps.ops.puzzle import tile
from wsss_steps.settings.base import Backbone
from wsss_steps.settings.classifier import Puzzle

SMALL = {"backbone": Backbone(net="small"), "output_stride": 8, "schedule": 0.0}
IMAGES = torch.randn(3, 3, 40, 64, generator=torch.Generator().manual_seed(0))
BATCH = {
    "images": IMAGES,
    "inside": torch.ones(3, 40, 64, dtype=torch.bool),
    "tags": torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]),
}


def settings_of(**overrides: Any) -> dict[str, Any]:
    return Puzzle(**{**SMALL, **overrides}).model_dump(mode="json")


def build(**overrides: Any) -> Any:
    torch.manual_seed(0)
    return puzzle.build(2, **methods.arguments(puzzle.build, settings_of(**overrides)))


def losses(network: Any, batch: dict[str, Tensor] = BATCH, **overrides: Any) -> dict[str, Tensor]:
    return methods.bound(puzzle.losses, settings_of(**overrides))(network, batch)


def one_cell(stride: int) -> PuzzleClassifier:
    """A classifier whose maps at a cell depend on the pixels of the cell alone."""
    pool = nn.AvgPool2d(stride, ceil_mode=True, count_include_pad=False)
    net = nn.Sequential(pool, nn.Conv2d(3, 4, 1, bias=False), nn.ReLU())
    return PuzzleClassifier(Features(net, channels=4, output_stride=stride, stages=[[net]]), 2)


@pytest.mark.parametrize("size", [(32, 48), (40, 56), (24, 8)])
def test_what_sees_one_cell_has_nothing_to_reconstruct(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    batch = BATCH | {"images": torch.randn(3, 3, *size), "inside": torch.ones(3, *size, dtype=torch.bool)}
    parts = losses(one_cell(8), batch)
    assert parts["rec"].item() == pytest.approx(0, abs=1e-6)
    assert parts["tiles"].item() == pytest.approx(parts["tags"].item())


@pytest.mark.parametrize("size", [(64, 64), (40, 64), (37, 50), (9, 8), (7, 3)])
@pytest.mark.parametrize("stride", [4, 8, 16])
def test_maps_of_tiles_have_the_size_of_those_of_the_image(size: tuple[int, int], stride: int) -> None:
    network = build(output_stride=stride).eval()
    with torch.no_grad():
        images = torch.randn(2, 3, *size)
        assert network.tiled_maps(images).shape == network.maps(images).shape


def test_a_tile_is_seen_alone() -> None:
    network = build().eval()
    with torch.no_grad():
        merged = network.tiled_maps(IMAGES)
        quarters = [network.maps(IMAGES[:, :, :24, :32]), network.maps(IMAGES[:, :, :24, 32:])]
        torch.testing.assert_close(merged[..., :3, :], torch.cat(quarters, dim=3))
        assert not torch.allclose(merged, network.maps(IMAGES))


def test_the_parts_are_those_of_the_formula() -> None:
    network = build().eval()
    maps, merged = network.maps(IMAGES), network.tiled_maps(IMAGES)
    soft = nn.MultiLabelSoftMarginLoss()
    expected = {
        "tags": soft(maps.mean((2, 3)), BATCH["tags"]),
        "tiles": soft(merged.mean((2, 3)), BATCH["tags"]),
        "rec": 4 * ((maps - merged).abs() * BATCH["tags"][:, :, None, None]).mean(),
    }
    found = losses(network)
    assert list(found) == list(expected)
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value)


def test_the_weights_of_the_parts() -> None:
    whole = losses(build().eval())
    half = losses(build().eval(), lambda_tags=0.5, lambda_tiles=0.25, alpha=1.0)
    assert [(half[name] / whole[name]).item() for name in half] == pytest.approx([0.5, 0.25, 0.25])


def test_with_the_tags_alone_it_is_the_plain_classifier() -> None:
    """The first row of the ablation: the tiles are not even looked at, so batch norm does not see them."""
    network = build()
    torch.manual_seed(0)
    other = plain.build(2, **methods.arguments(plain.build, settings_of()))
    parts = losses(network, lambda_tiles=0.0, alpha=0.0)
    assert parts.keys() == {"tags"}
    assert parts["tags"] == plain.losses(other, BATCH)["tags"]
    state = network.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in other.state_dict().items())


def test_cells_of_padding_are_not_reconstructed() -> None:
    """Their numbers, which the padded image 1 alone changes, do not matter; those of the images do."""
    inside = BATCH["inside"].clone()
    inside[1, :, 32:] = False
    network = build().eval()
    maps, merged = network.maps(IMAGES), network.tiled_maps(IMAGES)
    difference = (maps - merged).abs() * BATCH["tags"][:, :, None, None]
    difference[1, :, :, 4:] = 0
    found = losses(network, BATCH | {"inside": inside})
    torch.testing.assert_close(found["rec"], 4 * difference.mean())
    assert losses(network, BATCH | {"inside": torch.zeros_like(inside)})["rec"] == 0


def test_the_weight_of_the_distance_rises_with_the_steps_of_a_training() -> None:
    network, found = build().eval(), []
    at_once = losses(network)["rec"].item()
    for step in range(8):
        found.append(losses(network, schedule=0.5)["rec"].item() / at_once)
        puzzle.after_step(network, (step + 1) / 8)
    assert found == pytest.approx([0, 0.25, 0.5, 0.75, 1, 1, 1, 1], abs=1e-6)


def test_a_resumed_training_goes_on_with_its_weight() -> None:
    network, other = build().eval(), build().eval()
    puzzle.after_step(network, 0.25)
    other.load_state_dict(network.state_dict())
    assert losses(other, schedule=0.5)["rec"] == losses(network, schedule=0.5)["rec"] > 0


def test_both_maps_are_taught() -> None:
    """No gradient is cut: the distance pulls the maps of the image and those of the tiles."""
    network = build().eval()
    seen: list[Tensor] = []
    network.head.register_forward_hook(lambda *given: seen.append(given[2]))
    rec = losses(network)["rec"]
    whole, tiles = torch.autograd.grad(rec, seen)
    assert (whole.shape[0], tiles.shape[0]) == (3, 12)
    assert whole.any()
    assert tiles.any()
    assert seen[1].shape == network.maps(tile(IMAGES, 8)).shape


def test_settings_by_which_nothing_is_learnt_are_refused() -> None:
    with pytest.raises(ValidationError, match="expected lambda_tags or lambda_tiles above 0, found 0 for both"):
        Puzzle(lambda_tags=0, lambda_tiles=0)
    with pytest.raises(ValidationError, match="less than or equal to 1"):
        Puzzle(schedule=1.5)


def test_the_defaults_are_the_papers() -> None:
    found = Puzzle()
    assert (found.batch_size, found.epochs, found.learning_rate, found.weight_decay) == (32, 15, 0.1, 1e-4)
    assert (found.alpha, found.schedule, found.head_multiplier, found.power) == (4, 0.5, 10, 0.9)
    assert (found.resize_long, found.crop, found.output_stride, found.dilated) == ((320, 640), 512, 16, False)
    assert (found.frozen_stages, found.frozen_batch_norm, found.backbone) == (0, "none", "resnet50")
