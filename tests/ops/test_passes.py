"""Aggregation of random passes: values by hand, and the paper's rule in plain loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from wsss_steps.ops.labels import IGNORE
from wsss_steps.ops.passes import Passes, contested
from wsss_steps.ops.seeds import threshold_seeds


def added(passes: Tensor) -> Passes:
    """Passes (N, n, H, W), one after the other."""
    found = Passes()
    for maps in passes:
        found.add(maps)
    return found


def labels_by_the_rule(passes: np.ndarray, theta: float) -> np.ndarray:
    """Any of the N maps of a class exceeds theta: a candidate; of several, the largest mean; none: unlabelled."""
    _, classes, height, width = passes.shape
    labels = np.full((height, width), IGNORE, np.uint8)
    for y in range(height):
        for x in range(width):
            candidates = [c for c in range(classes) if any(one[c, y, x] > theta for one in passes)]
            if candidates:
                labels[y, x] = 1 + max(candidates, key=lambda c: (passes[:, c, y, x].mean(), -c))
    return labels


def test_two_passes_by_hand() -> None:
    """At the first pixel both classes exceed 0.35, with means 0.25 and 0.36; then one of them, then none."""
    first = [[[0.4, 0.2, 0.3]], [[0.36, 0.5, 0.1]]]
    second = [[[0.1, 0.2, 0.3]], [[0.36, 0.1, 0.1]]]
    found = added(torch.tensor([first, second]))
    torch.testing.assert_close(found.largest, torch.tensor([[[0.4, 0.2, 0.3]], [[0.36, 0.5, 0.1]]]))
    torch.testing.assert_close(found.mean, torch.tensor([[[0.25, 0.2, 0.3]], [[0.36, 0.3, 0.1]]]))
    expected = torch.tensor([[[0.35, 0.2, 0.3]], [[0.36, 0.5, 0.1]]])
    torch.testing.assert_close(contested(found.largest, found.mean, 0.35), expected)


@pytest.mark.parametrize("theta", [0.35, 0.6, 0.9])
def test_a_threshold_of_theta_gives_the_labels_of_the_rule(theta: float) -> None:
    passes = torch.rand(4, 3, 8, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64) ** 2
    found = added(passes)
    maps = contested(found.largest, found.mean, theta).numpy()
    expected = labels_by_the_rule(passes.numpy(), theta)
    assert {1, 2, 3} <= set(np.unique(expected))
    assert np.array_equal(threshold_seeds(maps, np.array([1, 2, 3]), theta, 0.0), expected)
    below = found.largest.numpy() <= theta
    assert np.array_equal(maps[below], found.largest.numpy()[below])


def test_a_tie_goes_to_the_first_class() -> None:
    maps = torch.full((2, 1, 1), 0.5)
    assert contested(maps, maps, 0.35).flatten().tolist() == pytest.approx([0.5, 0.35])


def test_theta_of_one_leaves_the_largest_maps() -> None:
    maps = torch.rand(3, 4, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(contested(maps, maps.flip(0), 1.0), maps)


def test_what_is_added_is_left_as_it_is() -> None:
    maps = torch.rand(2, 1, 2, 2, generator=torch.Generator().manual_seed(0))
    before = maps.clone()
    added(maps)
    assert torch.equal(maps, before)
