from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest

from wsss_steps.ops.bootstrap import bootstrap_miou, interval, interval_over_seeds, resampled_miou, seed_shares
from wsss_steps.ops.evaluation import measures, triples

# Two random seeds, two images, background and one class: pixels by ground truth (row) and prediction (column)
CONFUSIONS = np.array(
    [
        [[[6, 0, 0], [0, 4, 0]], [[4, 4, 0], [1, 1, 0]]],
        [[[6, 0, 0], [2, 2, 0]], [[8, 0, 0], [1, 1, 0]]],
    ]
)
# mIoU of each seed where the first image is drawn twice, both once, the second twice
BY_HAND = {
    (0, 0): (Fraction(1), (Fraction(6, 8) + Fraction(2, 4)) / 2),
    (0, 1): ((Fraction(10, 15) + Fraction(5, 10)) / 2, (Fraction(14, 17) + Fraction(3, 6)) / 2),
    (1, 1): ((Fraction(4, 9) + Fraction(1, 6)) / 2, (Fraction(8, 9) + Fraction(1, 2)) / 2),
}


def counts_of(confusions: np.ndarray) -> np.ndarray:
    return triples(confusions, "count_as_wrong").astype(np.float64)


def random_confusions(seed: int, runs: int = 3, images: int = 11, classes: int = 3) -> np.ndarray:
    """Not every class is in every image, and one is in none."""
    rng = np.random.default_rng(seed)
    shape = (runs, images, classes + 1, classes + 2)
    found = rng.integers(0, 50, shape) * rng.integers(0, 2, (1, images, classes + 1, 1))
    found[:, :, -1, :], found[:, :, :, -2] = 0, 0
    return found


def drawn(confusions: np.ndarray, draws: int = 200, seed: int = 0) -> np.ndarray:
    return resampled_miou(counts_of(confusions), draws=draws, seed=seed, absent="nan_skip")


def test_two_images_and_two_seeds_by_hand() -> None:
    found = drawn(CONFUSIONS, draws=4000)
    of_draws = Counter(tuple(column) for column in np.round(found.T, 12))
    expected = {tuple(round(float(value), 12) for value in values): key for key, values in BY_HAND.items()}
    assert of_draws.keys() == expected.keys()
    often = {expected[values]: count / 4000 for values, count in of_draws.items()}
    assert often == pytest.approx({(0, 0): 1 / 4, (0, 1): 1 / 2, (1, 1): 1 / 4}, abs=0.03)


def test_images_and_seeds_are_drawn_apart() -> None:
    """Of three sets of images and three of seeds, the mean over seeds takes nine values, as often as it should."""
    values = drawn(CONFUSIONS, draws=8000)
    means = np.round((values * seed_shares(2, draws=8000, seed=0)).sum(axis=0), 9)
    expected: Counter[float] = Counter()
    for images, chance in (((0, 0), 1), ((0, 1), 2), ((1, 1), 1)):
        first, second = map(float, BY_HAND[images])
        for mean, other in ((first, 1), ((first + second) / 2, 2), (second, 1)):
            expected[round(mean, 9)] += chance * other / 16
    assert {value: count / 8000 for value, count in Counter(means).items()} == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("absent", ["nan_skip", "zero"])
def test_against_a_loop_over_the_same_draws(absent: str) -> None:
    confusions = random_confusions(1)
    draws, images = 100, confusions.shape[1]
    found = resampled_miou(counts_of(confusions), draws=draws, seed=5, absent=absent)
    rng, of_seeds = np.random.default_rng(5), seed_shares(3, draws=draws, seed=5) * 3
    means = []
    for draw in range(draws):
        chosen = rng.integers(images, size=images)
        scores = [measures(run[chosen].sum(axis=0), absent=absent).miou for run in confusions]
        np.testing.assert_allclose(found[:, draw], scores)
        means.append(
            np.mean(
                [score for score, often in zip(scores, of_seeds[:, draw], strict=True) for _ in range(round(often))]
            )
        )
    assert interval_over_seeds(found, seed=5) == pytest.approx(tuple(np.percentile(means, [2.5, 97.5])))


def test_one_seed_has_the_interval_over_images() -> None:
    run = random_confusions(2)[0]
    expected = bootstrap_miou(run, draws=200, seed=3)
    assert interval_over_seeds(drawn(run[None], seed=3), seed=3) == pytest.approx(expected)


def test_the_same_images_are_drawn_for_all_runs() -> None:
    confusions = random_confusions(3)
    together = drawn(confusions)
    for number, run in enumerate(confusions):
        np.testing.assert_array_equal(drawn(run[None])[0], together[number])
    assert (drawn(confusions, seed=1) != together).any()


def test_runs_that_are_the_same_do_not_differ() -> None:
    values = drawn(random_confusions(4))
    assert interval_over_seeds(values - values.copy(), seed=0) == (0, 0)


def test_swapping_a_pair_negates_the_interval() -> None:
    first, second = drawn(random_confusions(5)), drawn(random_confusions(6))
    low, high = interval_over_seeds(first - second, seed=0)
    assert interval_over_seeds(second - first, seed=0) == pytest.approx((-high, -low))


@pytest.mark.parametrize("seed", range(5))
def test_the_interval_holds_the_mean_and_widens_with_the_spread_of_seeds(seed: int) -> None:
    confusions = random_confusions(seed, runs=3, images=30)
    mean = np.mean([measures(run.sum(axis=0)).miou for run in confusions])
    low, high = interval_over_seeds(drawn(confusions, draws=500), seed=0)
    assert low < mean < high
    spread = drawn(confusions, draws=500) + np.array([[-0.3], [0.0], [0.3]])
    wide = interval_over_seeds(spread, seed=0)
    assert wide[1] - wide[0] > 2 * (high - low)


@pytest.mark.parametrize("random_seeds", [1, 2, 5])
def test_shares_of_seeds(random_seeds: int) -> None:
    shares = seed_shares(random_seeds, draws=3000, seed=0)
    np.testing.assert_allclose(shares.sum(axis=0), 1)
    np.testing.assert_allclose(shares * random_seeds, np.round(shares * random_seeds))
    np.testing.assert_allclose(shares.mean(axis=1), 1 / random_seeds, atol=0.03)
    np.testing.assert_array_equal(shares, seed_shares(random_seeds, draws=3000, seed=0))
    assert random_seeds == 1 or (shares != seed_shares(random_seeds, draws=3000, seed=1)).any()


def test_nothing_to_draw_from_is_nan() -> None:
    assert drawn(random_confusions(0, images=0)).shape == (3, 0)
    assert drawn(random_confusions(0), draws=0).shape == (3, 0)
    for values in (np.empty((2, 0)), np.full((2, 5), np.nan)):
        assert all(map(math.isnan, interval_over_seeds(values, seed=0)))


def test_draws_without_a_score_are_left_out() -> None:
    assert interval(np.array([np.nan, 1.0, np.nan])) == (1, 1)
