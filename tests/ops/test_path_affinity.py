"""Affinities along paths, by hand (methods.md 12) and by another way; the walk's laws."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from wsss_steps.ops.path_affinity import over_largest, path, path_affinity, propagate, transition
from wsss_steps.ops.random_walk import Offset, offsets

ROW = torch.tensor([[[0.0, 0.2, 0.9, 0.1]]])


@pytest.mark.parametrize(("step", "count"), [((0, 2), 3), ((1, 1), 4), ((2, 1), 6), ((3, 1), 8), ((4, 2), 11)])
def test_sizes_of_paths_by_hand(step: Offset, count: int) -> None:
    found = path(step)
    assert len(set(found)) == len(found) == count
    assert {(0, 0), step} <= set(found)
    down, right = step
    assert sorted((y, -x) for y, x in path((down, -right))) == sorted(found)


def test_a_diagonal_is_as_wide_as_it_takes_not_to_slip_through() -> None:
    assert sorted(path((2, 2))) == [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2), (2, 1), (2, 2)]


def test_affinities_of_a_row_by_hand() -> None:
    assert path_affinity(ROW, (0, 1))[0, 0].tolist() == pytest.approx([0.8, 0.1, 0.1])
    assert path_affinity(ROW, (0, 2))[0, 0].tolist() == pytest.approx([0.1, 0.1])
    assert path_affinity(ROW, (0, 3))[0, 0].tolist() == pytest.approx([0.1])
    assert path_affinity(ROW, (1, 0)).numel() == 0


@pytest.mark.parametrize("step", [(1, -2), (2, 1), (3, -1), (0, 3)])
def test_affinities_are_those_of_the_pixels_near_the_line(step: Offset) -> None:
    """The distance of each pixel of the rectangle from its projection onto the line."""
    boundary = torch.rand(5, 6, generator=torch.Generator().manual_seed(0)).numpy()
    along = np.array(step) / np.linalg.norm(step)
    expected = []
    for y, x in np.ndindex(5, 6):
        v, u = y + step[0], x + step[1]
        if v < 5 and 0 <= u < 6:
            pixels = [(r, c) for r in range(y, v + 1) for c in range(min(x, u), max(x, u) + 1)]
            ways = [np.array(pixel) - (y, x) for pixel in pixels]
            away = [np.linalg.norm(way - (way @ along) * along) for way in ways]
            near = [boundary[pixel] for pixel, one in zip(pixels, away, strict=True) if one < 1 - 1e-9]
            expected.append(1 - max(near))
    assert path_affinity(torch.from_numpy(boundary)[None], step).flatten().tolist() == pytest.approx(expected)


def test_a_surrounding_of_boundary_that_is_left_out_again_changes_nothing() -> None:
    """What IRN does: a border as wide as the radius, of 1, to the left, to the right and below."""
    boundary, radius = torch.rand(4, 5, generator=torch.Generator().manual_seed(1)), 3
    wide = F.pad(boundary, (radius, radius, 0, radius), value=1.0)
    inside = torch.zeros_like(wide, dtype=torch.bool)
    inside[:4, radius:-radius] = True
    kept = inside.flatten().numpy()
    surrounded = transition(wide, radius=radius, beta=2.0).toarray()[kept][:, kept]
    assert surrounded / surrounded.sum(0) == pytest.approx(transition(boundary, radius=radius, beta=2.0).toarray())


def test_the_transition_by_hand() -> None:
    """A row of 0, 0.5, 0: affinities 1/2, squared 1/4, and 1 with oneself."""
    found = transition(torch.tensor([[0.0, 0.5, 0.0]]), radius=2, beta=2.0).toarray()
    assert found == pytest.approx(np.array([[0.8, 1 / 6, 0], [0.2, 4 / 6, 0.2], [0, 1 / 6, 0.8]]))
    far = transition(torch.tensor([[0.0, 0.5, 0.0]]), radius=3, beta=2.0).toarray()
    assert far == pytest.approx(np.array([[4, 1, 1], [1, 4, 1], [1, 1, 4]]) / 6)


def test_without_a_boundary_the_walk_levels_and_with_nothing_else_nothing_is_left() -> None:
    maps = torch.zeros(2, 4, 6)
    maps[0, 0, 0], maps[1, 3, 3] = 1.0, 0.5
    level = propagate(maps, torch.zeros(4, 6), radius=3, beta=10.0, log_t=8)
    assert len(offsets(3)) == 12
    weights = np.array(transition(torch.zeros(4, 6), radius=3, beta=10.0).astype(bool).sum(axis=0)).reshape(4, 6)
    assert level[0] == pytest.approx(np.broadcast_to(weights[0, 0] / weights.sum(), (4, 6)), rel=1e-4)
    nothing = propagate(maps, torch.ones(4, 6), radius=3, beta=10.0, log_t=8)
    assert not nothing.any()
    assert not over_largest(torch.from_numpy(nothing)).any()


def test_the_walk_stops_at_a_wall_and_maps_start_beside_it() -> None:
    boundary = torch.zeros(5, 8)
    boundary[:, 4] = 1
    maps = torch.zeros(1, 5, 8)
    maps[0, 2, 1:5] = 1
    found = propagate(maps, boundary, radius=3, beta=10.0, log_t=8)[0]
    assert found[:, :4].min() > 0.1
    assert not found[:, 4:].any()


def test_maps_keep_their_share_of_the_largest_of_all() -> None:
    assert over_largest(torch.tensor([[[0.2, 0.1]], [[0.05, 0.0]]])).flatten().tolist() == [1, 0.5, 0.25, 0]
