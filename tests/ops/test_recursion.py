"""The recursion of RecurSeed: values worked by hand (methods.md 16), its fixed point, padding, and its loss."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from wsss_steps.ops.losses.map_distance import map_distance
from wsss_steps.ops.pamr import pamr
from wsss_steps.ops.recursion import activations, confident_labels, frame, recurse
from wsss_steps.ops.resize import enlarge
from wsss_steps.ops.scg import localise, self_correlation

OPTIONS: dict[str, Any] = {"delta_h": 0.3, "delta_l": 0.05, "dilations": (1, 2), "iterations": 3}
CF = {"delta_fg": 0.55, "delta_bg": 0.10}


def all_inside(*size: int) -> Tensor:
    return torch.ones(size, dtype=torch.bool)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


# ---- labels of confident cells


@pytest.mark.parametrize(
    ("scores", "label"),
    [((0.6, 0.3), 1), ((0.05, 0.08), 0), ((0.3, 0.2), 255), ((0.55, 0.1), 255), ((0.10, 0.02), 255), ((0.6, 0.7), 2)],
)
def test_labels_of_confident_cells_by_hand(scores: tuple[float, float], label: int) -> None:
    maps = torch.tensor(scores).view(1, 2, 1, 1)
    assert confident_labels(maps, all_inside(1, 1, 1), **CF).tolist() == [[[label]]]


def test_padding_is_no_background() -> None:
    inside = torch.tensor([[[True, False]]])
    assert confident_labels(torch.zeros(1, 2, 1, 2), inside, **CF).tolist() == [[[0, 255]]]


def test_thresholds_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected delta_bg at most delta_fg, found 0\.6 and 0\.5"):
        confident_labels(torch.zeros(1, 1, 1, 1), all_inside(1, 1, 1), delta_fg=0.5, delta_bg=0.6)


# ---- activations


def test_activations_are_positive_have_maximum_1_and_belong_to_tags() -> None:
    raw = torch.tensor([[[[-1.0, 2.0, 4.0, 8.0]], [[3.0, 1.0, 0.0, 0.0]], [[-1.0, -2.0, -3.0, 5.0]]]])
    inside = torch.tensor([[[True, True, True, False]]])
    found = activations(raw, torch.tensor([[1.0, 0.0, 1.0]]), inside)
    assert found.tolist() == [[[[0, 0.5, 1, 0]], [[0, 0, 0, 0]], [[0, 0, 0, 0]]]]


# ---- refined maps


def test_maps_stay_without_scg_and_pamr() -> None:
    """The fixed point of the recursion: the maps are their own targets, so the loss between them is 0."""
    tags, inside = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]), (all_inside(2, 3, 4), all_inside(2, 6, 7))
    maps = activations(random(2, 3, 3, 4), tags, inside[0])
    found = recurse(maps, [], random(2, 3, 6, 7), tags, inside, enlargement=2, **OPTIONS | {"iterations": 0})
    assert torch.equal(found, enlarge(maps, (6, 7), 2))
    assert map_distance(enlarge(maps, (6, 7), 2), found, tags, inside[1]) == 0


def test_refined_maps_are_pamr_of_scg() -> None:
    tags, inside = torch.tensor([[0.0, 1.0]]), (all_inside(1, 4, 5), all_inside(1, 8, 10))
    maps, layers = activations(random(1, 2, 4, 5), tags, inside[0]), [random(1, 6, 4, 5), random(1, 3, 4, 5, seed=1)]
    colours = random(1, 3, 8, 10)
    found = recurse(maps, layers, colours, tags, inside, enlargement=2, **OPTIONS)
    correlation = self_correlation([layer[0].flatten(1) for layer in layers])
    cells = localise(correlation, maps[0, 1:].flatten(1), foreground=0.3, background=0.05, reduce="mean").view(
        1, 1, 4, 5
    )
    expected = pamr(colours[0], enlarge(cells / cells.max(), (8, 10), 2)[0], dilations=(1, 2), iterations=3)
    assert torch.equal(found[0, 0], torch.zeros(8, 10))
    torch.testing.assert_close(found[0, 1:], expected)
    assert not found.requires_grad


def test_an_image_in_padding_gives_what_it_gives_without() -> None:
    """Whatever lies in the padding; a cell of padding would otherwise be background, and dim what is next to it."""
    tags = torch.tensor([[1.0, 1.0]])
    raw, layer, colours = random(1, 2, 3, 4), random(1, 6, 3, 4), random(1, 3, 6, 8)
    inside = (all_inside(1, 3, 4), all_inside(1, 6, 8))
    alone = recurse(activations(raw, tags, inside[0]), [layer], colours, tags, inside, enlargement=2, **OPTIONS)

    def padded(tensor: Tensor, cells: int, fill: float) -> Tensor:
        return F.pad(tensor, (cells, 2 * cells, 2 * cells, cells), value=fill)

    within = tuple(padded(one.float(), cells, 0).bool() for one, cells in zip(inside, (1, 2), strict=True))
    assert frame(within[0][0]) == (slice(2, 5), slice(1, 5))
    maps = activations(padded(raw, 1, 9.0), tags, within[0])
    parts = (maps, [padded(layer, 1, 9.0)], padded(colours, 2, 9.0), tags, within)
    found = recurse(*parts, enlargement=2, **OPTIONS)
    torch.testing.assert_close(found[..., 4:10, 2:10], alone)
    assert found.sum() == pytest.approx(alone.sum().item(), rel=1e-4)


def test_without_tags_or_without_an_image_there_is_nothing() -> None:
    inside = (torch.tensor([[[True]], [[False]]]), torch.tensor([[[True]], [[False]]]))
    maps, tags = torch.ones(2, 1, 1, 1), torch.tensor([[0.0], [1.0]])
    found = recurse(maps, [torch.ones(2, 2, 1, 1)], torch.ones(2, 3, 1, 1), tags, inside, enlargement=1, **OPTIONS)
    assert found.tolist() == [[[[0.0]]], [[[0.0]]]]


# ---- the distance of maps


def test_distance_by_hand() -> None:
    """Two of three cells are inside, and the first class is tagged: (0.5 + 0.25) / 2."""
    maps = torch.tensor([[[[0.5, 0.75, 0.0]], [[1.0, 1.0, 1.0]]]])
    targets = torch.tensor([[[[1.0, 0.5, 1.0]], [[0.0, 0.0, 0.0]]]])
    inside = torch.tensor([[[True, True, False]]])
    assert map_distance(maps, targets, torch.tensor([[1.0, 0.0]]), inside).item() == pytest.approx(0.375)
    assert map_distance(maps, targets, torch.zeros(1, 2), inside).item() == 0


def test_gradient_of_the_distance_of_activations_to_targets() -> None:
    tags, inside = torch.tensor([[1.0, 0.0], [1.0, 1.0]]), all_inside(2, 3, 3)
    inside[0, 0] = False
    targets = random(2, 2, 3, 3, seed=1).double()

    def loss(raw: Tensor) -> Tensor:
        return map_distance(activations(raw, tags, inside), targets, tags, inside)

    raw = (random(2, 2, 3, 3, seed=2).double() - 0.3).requires_grad_()
    assert torch.autograd.gradcheck(loss, (raw,))
