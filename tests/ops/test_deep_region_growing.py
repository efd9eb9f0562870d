"""Deep seeded region growing by hand, against a flood fill in loops, and its laws."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor

from wsss_steps.ops.deep_region_growing import confident, grow, grow_each
from wsss_steps.ops.labels import IGNORE

U = IGNORE
THETAS = {"theta_bg": 0.99, "theta_fg": 0.85}


def row(background: list[float], third: list[float]) -> Tensor:
    """Probabilities (1, 4, 1, n) of background and of class 3."""
    nothing = [0.0] * len(background)
    return torch.tensor([background, nothing, nothing, third])[None, :, None]


def grown(probabilities: Tensor, seeds: Tensor, tags: Tensor, theta_bg: float, theta_fg: float) -> Tensor:
    everywhere = torch.ones_like(seeds, dtype=torch.bool)
    return grow_each(seeds, confident(probabilities, tags, everywhere, theta_bg=theta_bg, theta_fg=theta_fg))


@pytest.mark.parametrize(("third", "expected"), [(0.8, [3, 3, U, U, U, 0]), (0.86, [3, 3, 3, 3, U, 0])])
def test_seeds_grow_over_what_is_connected_and_sure(third: float, expected: list[int]) -> None:
    """With 0.8 the fourth cell is sure but not connected; the fifth is not sure enough to be background."""
    probabilities = row([0.1, 0.1, 0.2, 0.1, 0.8, 0.995], [0.9, 0.9, third, 0.9, 0.2, 0.1])
    seeds = torch.tensor([[[3, U, U, U, U, 0]]])
    found = grown(probabilities, seeds, torch.tensor([[0.0, 0.0, 1.0]]), **THETAS)
    assert found[0, 0].tolist() == expected


def test_diagonal_neighbours_are_connected() -> None:
    seeds = np.array([[1, U, U], [U, U, U], [U, U, U]])
    predicted = np.array([[U, U, U], [U, 1, U], [U, U, 1]])
    assert grow(seeds, predicted).tolist() == [[1, U, U], [U, 1, U], [U, U, 1]]


def test_nothing_grows_over_or_through_the_seed_of_another_class() -> None:
    seeds, predicted = np.array([[1, U, 2, U]]), np.array([[1, 1, 1, 1]])
    assert grow(seeds, predicted).tolist() == [[1, 1, 2, U]]


def test_a_seed_is_a_bridge_whatever_is_predicted_there() -> None:
    assert grow(np.array([[U, 1, U]]), np.array([[1, 2, 1]])).tolist() == [[1, 1, 1]]


def test_without_a_seed_nothing_grows() -> None:
    assert (grow(np.full((2, 3), U), np.ones((2, 3), int)) == U).all()


def test_background_and_classes_have_their_own_threshold() -> None:
    probabilities = row([0.9, 0.9, 0.1, 0.1], [0.1, 0.1, 0.9, 0.9])
    seeds, tags = torch.tensor([[[0, U, U, 3]]]), torch.tensor([[0.0, 0.0, 1.0]])
    assert grown(probabilities, seeds, tags, theta_bg=0.95, theta_fg=0.85)[0, 0].tolist() == [0, U, 3, 3]
    assert grown(probabilities, seeds, tags, theta_bg=0.85, theta_fg=0.95)[0, 0].tolist() == [0, 0, U, 3]


def test_the_thresholds_are_strict_and_ties_go_to_the_lowest_label() -> None:
    tags, everywhere = torch.ones(1, 3), torch.ones(1, 1, 1, dtype=torch.bool)
    half = row([0.5], [0.5])
    assert confident(half, tags, everywhere, theta_bg=0.5, theta_fg=0.25).item() == U
    assert confident(half, tags, everywhere, theta_bg=0.25, theta_fg=0.25).item() == 0


def test_only_background_and_tagged_classes_compete() -> None:
    probabilities = torch.tensor([0.2, 0.3, 0.5])[None, :, None, None]
    everywhere = torch.ones(1, 1, 1, dtype=torch.bool)
    found = [
        confident(probabilities, torch.tensor([tags]), everywhere, theta_bg=0.1, theta_fg=0.1).item()
        for tags in ([1.0, 1.0], [1.0, 0.0], [0.0, 0.0])
    ]
    assert found == [2, 1, 0]


def test_padding_is_sure_of_nothing() -> None:
    inside = torch.tensor([[[True, False]]])
    found = confident(row([1.0, 1.0], [0.0, 0.0]), torch.ones(1, 3), inside, theta_bg=0.5, theta_fg=0.5)
    assert found[0, 0].tolist() == [0, U]


def random_case(number: int, batch: int = 3) -> tuple[Tensor, Tensor, Tensor]:
    """Probabilities (B, 4, 9, 11), seeds and tags, with many components of several cells."""
    generator = torch.Generator().manual_seed(number)
    probabilities = torch.softmax(2.5 * torch.randn(batch, 4, 9, 11, generator=generator), dim=1)
    drawn = torch.randint(0, 4, (batch, 9, 11), generator=generator)
    seeds = torch.where(torch.rand(batch, 9, 11, generator=generator) < 0.1, drawn, U)
    return probabilities, seeds, torch.randint(0, 2, (batch, 3), generator=generator).float()


def by_loops(probabilities: Tensor, seeds: Tensor, tags: Tensor, theta_bg: float, theta_fg: float) -> Tensor:
    """A flood fill from every seed over cells that are surely of its class, image by image and cell by cell."""
    result = seeds.clone()
    for image, tagged in enumerate(tags.tolist()):
        allowed = [0] + [number + 1 for number, tag in enumerate(tagged) if tag]
        height, width = seeds[image].shape

        def sure(y: int, x: int, image: int = image, allowed: list[int] = allowed) -> int:
            values = {c: probabilities[image, c, y, x].item() for c in allowed}
            best = max(allowed, key=lambda c: values[c])
            return best if values[best] > (theta_fg if best else theta_bg) else U

        waiting = [(y, x) for y in range(height) for x in range(width) if seeds[image, y, x] != U]
        while waiting:
            y, x = waiting.pop()
            for b in range(max(0, y - 1), min(height, y + 2)):
                for a in range(max(0, x - 1), min(width, x + 2)):
                    if result[image, b, a] == U and sure(b, a) == result[image, y, x]:
                        result[image, b, a] = result[image, y, x]
                        waiting.append((b, a))
    return result


@pytest.mark.parametrize("number", range(6))
def test_a_flood_fill_agrees(number: int) -> None:
    case = random_case(number)
    found = grown(*case, theta_bg=0.6, theta_fg=0.5)
    assert (found != case[1]).any()
    assert torch.equal(found, by_loops(*case, theta_bg=0.6, theta_fg=0.5))


@pytest.mark.parametrize("number", range(3))
def test_seeds_stay(number: int) -> None:
    probabilities, seeds, tags = random_case(number)
    found = grown(probabilities, seeds, tags, theta_bg=0.0, theta_fg=0.0)
    assert torch.equal(found[seeds != U], seeds[seeds != U])


def test_with_thresholds_of_one_nothing_grows() -> None:
    probabilities, seeds, tags = random_case(0)
    sure = torch.nn.functional.one_hot(probabilities.argmax(1), 4).permute(0, 3, 1, 2).float()
    for one in (probabilities, sure):
        assert torch.equal(grown(one, seeds, tags, theta_bg=1.0, theta_fg=1.0), seeds)


@pytest.mark.parametrize("number", range(3))
def test_lower_thresholds_keep_what_is_labelled_and_add_to_it(number: int) -> None:
    case = random_case(number)
    thetas = (0.9, 0.7, 0.5, 0.3)
    steps = [grown(*case, theta_bg=theta, theta_fg=theta - 0.1) for theta in thetas]
    for before, after in itertools.pairwise(steps):
        assert torch.equal(after[before != U], before[before != U])
    assert [int((one != U).sum()) for one in steps] == sorted({int((one != U).sum()) for one in steps})


def test_classes_may_be_numbered_in_any_order() -> None:
    probabilities, seeds, tags = random_case(4)
    order = torch.tensor([0, 2, 3, 1])
    names = torch.full((256,), U)
    names[order] = torch.arange(4)
    other = grown(probabilities[:, order], names[seeds], tags[:, order[1:] - 1], theta_bg=0.6, theta_fg=0.5)
    assert torch.equal(other, names[grown(probabilities, seeds, tags, theta_bg=0.6, theta_fg=0.5)])


def test_mirrored_images_grow_mirrored() -> None:
    probabilities, seeds, tags = random_case(5)
    found = grown(probabilities.flip(-1), seeds.flip(-1), tags, theta_bg=0.6, theta_fg=0.5)
    assert torch.equal(found.flip(-1), grown(probabilities, seeds, tags, theta_bg=0.6, theta_fg=0.5))


def test_growing_starts_from_the_seeds_it_is_given() -> None:
    """What grew in one step is no seed of the next, where the network may be of another opinion."""
    _, seeds, _ = random_case(0)
    before = seeds.clone()
    grow_each(seeds, torch.ones_like(seeds))
    assert torch.equal(seeds, before)
