"""What docs/settings.md says of a larger and a smaller value, of methods that are pure functions of their input."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from wsss_steps.methods.seeds import crf
from wsss_steps.ops import random_walk, region_growing, saliency_refinement, superpixels
from wsss_steps.ops.labels import IGNORE
from wsss_steps.ops.pamr import pamr
from wsss_steps.ops.seeds import superpixel_seeds, threshold_seeds
from wsss_steps.settings.crf import numbers

SIDE = 32
ROWS, COLUMNS = np.mgrid[:SIDE, :SIDE]
BLOB = np.exp(-((ROWS - 16) ** 2 + (COLUMNS - 14) ** 2) / 60).astype(np.float32)[None]  # a map, its maximum 1
SQUARE = ((abs(ROWS - 16) < 9) & (abs(COLUMNS - 16) < 9)).astype(np.uint8)  # an object, off the middle of its map
ONE = np.array([1])


def share(labels: NDArray[np.uint8], label: int) -> float:
    return float((labels == label).mean())


def thresholds(foreground: float = 0.3, background: float = 0.05) -> NDArray[np.uint8]:
    return threshold_seeds(BLOB, ONE, foreground, background)


def test_foreground_shrinks_the_class() -> None:
    few, many = thresholds(foreground=0.6), thresholds(foreground=0.2)
    assert 0 < share(few, 1) < share(many, 1)
    assert share(few, IGNORE) > share(many, IGNORE)


def test_background_comes_closer() -> None:
    assert share(thresholds(background=0.2), 0) > share(thresholds(background=0.01), 0) > 0


def test_alpha_of_superpixel_shrinks_the_class() -> None:
    halves = (COLUMNS > 24).astype(np.int64)
    few, many = (superpixel_seeds(BLOB, ONE, halves, alpha, "override") for alpha in (0.6, 0.2))
    assert 0 < share(few, 1) < share(many, 1)


@pytest.mark.parametrize("preset", ["none", "seam"])
def test_background_power_lets_objects_grow(preset: str) -> None:
    image = np.full((SIDE, SIDE, 3), 90, np.uint8)

    def size(power: float) -> float:
        found = crf.seeds(BLOB, ONE, image=image, background_power=power, sure=0.0, crf=numbers(preset))
        return share(found, 1)

    sizes = [size(power) for power in (4.0, 14.0, 40.0)]
    assert sizes == sorted(set(sizes))


def refined(tau_1: float = 0.8, tau_2: float = 0.3) -> NDArray[np.uint8]:
    return saliency_refinement.refine(BLOB[0], SQUARE, tau_1=tau_1, tau_2=tau_2, uncertain="unlabelled")


def test_tau_1_of_saliency_lets_in_what_was_missed() -> None:
    outside = SQUARE == 0
    assert not refined(tau_1=0.9)[outside].any()
    assert (refined(tau_1=0.2)[outside] == 1).any()


def test_tau_2_of_saliency_doubts_what_is_salient() -> None:
    assert share(refined(tau_2=0.0), IGNORE) == 0
    assert share(refined(tau_2=0.6), IGNORE) > share(refined(tau_2=0.3), IGNORE) > 0


def test_tau_of_dino_makes_more_superpixels() -> None:
    features = np.random.default_rng(0).normal(size=(200, 6)).astype(np.float32)
    counts = [int(superpixels.discover(features, tau)[0].max()) + 1 for tau in (-0.2, 0.2, 0.5, 0.9)]
    assert counts == sorted(set(counts))


def test_iterations_of_pamr_follow_the_colours() -> None:
    """The longer, the more of a uniform object is covered by a map of its middle, and the flatter that is."""
    image = torch.from_numpy(np.repeat(SQUARE[None], 3, axis=0)).float() * 255
    middle = torch.zeros(1, SIDE, SIDE)
    middle[0, 14:19, 14:19] = 1
    spread = [pamr(image, middle, dilations=(1, 2), iterations=count)[0].numpy() for count in (1, 5, 20)]
    covered = [float((one[SQUARE == 1] > 0.05).mean()) for one in spread]
    assert covered == sorted(set(covered))
    assert spread[-1][SQUARE == 0].max() < spread[-1][SQUARE == 1].mean() / 4  # and it stops at the edge


def test_log_t_of_a_random_walk_spreads_and_flattens() -> None:
    steps = random_walk.transition(torch.zeros(1, SIDE, SIDE), radius=3, beta=8.0)
    walked = [random_walk.walk(BLOB.reshape(1, -1), steps, 2**log_t) for log_t in (0, 3, 6)]
    peaks = [float(one.max()) for one in walked]
    assert peaks == sorted(peaks, reverse=True)
    reached = [float((one > 0.5 * one.max()).mean()) for one in walked]
    assert reached == sorted(set(reached))


@pytest.mark.parametrize(("beta", "label"), [("beta_fg", 1), ("beta_bg", 0)])
def test_betas_of_spsrg_hold_growth_back(beta: str, label: int) -> None:
    foreground = torch.linspace(0, 1, 16).view(1, 1, 1, 16)  # a superpixel in each column, the surer the further right
    probabilities = torch.cat([1 - foreground, foreground], dim=1)
    seeds, ids = torch.full((1, 1, 16), IGNORE), torch.arange(1, 17).view(1, 1, 16)

    def grown(value: float) -> int:
        betas = {"beta_bg": 0.7, "beta_fg": 0.7, beta: value}
        labels = region_growing.grow(probabilities, seeds, ids, **betas, present=None)
        return int((labels == label).sum())

    assert 0 < grown(0.9) < grown(0.6)
