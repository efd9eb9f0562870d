"""Bootstrap intervals of the mIoU, over images and over random seeds.

Images and random seeds are crossed: every network segments every image. So both are drawn again, apart from each
other, and a draw scores the drawn images with each of the drawn seeds' networks (Owen 2007, The pigeonhole bootstrap,
Annals of Applied Statistics 1). What is compared is scored on the same draws, so that an image that is hard for all
recipes does not widen the interval of their difference.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int64

from wsss_steps.ops.evaluation import mean_of_known, ratios, triples

LEVEL = 0.95  # of the interval
_DRAWS_AT_ONCE = 64  # in memory at a time: 64 x images x 8 bytes


def interval(values: Float64[np.ndarray, " draws"]) -> tuple[float, float]:
    """The 95 % percentile interval of what the draws gave, without NaN; (NaN, NaN) if nothing is left."""
    known = values[~np.isnan(values)]
    tail = 50 * (1 - LEVEL)
    low, high = np.percentile(known, [tail, 100 - tail]) if known.size else (np.nan, np.nan)
    return float(low), float(high)


def resampled_miou(
    counts: Float64[np.ndarray, "runs images 3 classes"], *, draws: int, seed: int, absent: str
) -> Float64[np.ndarray, "runs draws"]:
    """The mIoU of every run over images drawn with replacement, as many as there are; the same ones for all runs.

    `counts` are the `evaluation.triples` of each image; float64 holds counts below 2 ** 53 exactly. No draws without
    images. The draws depend on `seed` and the number of images alone.
    """
    runs, images, _, classes = counts.shape
    flat, generator, found = counts.reshape(runs, images, 3 * classes), np.random.default_rng(seed), []
    for start in range(0, draws if images else 0, _DRAWS_AT_ONCE):
        count = min(_DRAWS_AT_ONCE, draws - start)
        often = np.stack([np.bincount(generator.integers(images, size=images), minlength=images) for _ in range(count)])
        summed = (often.astype(np.float64) @ flat).reshape(runs, count, 3, classes)
        found.append(mean_of_known(ratios(summed, absent)[0]))
    return np.concatenate([np.empty((runs, 0)), *found], axis=1)


def seed_shares(random_seeds: int, *, draws: int, seed: int) -> Float64[np.ndarray, "random_seeds draws"]:
    """The share that each of the random seeds has in each draw of as many with replacement; a draw's shares sum to 1.

    From a generator of its own, so that the draws of the images do not depend on the number of random seeds.
    """
    generator = np.random.default_rng([seed, 1])
    often = generator.multinomial(random_seeds, np.full(random_seeds, 1 / random_seeds), size=draws)
    return often.T / random_seeds


def interval_over_seeds(values: Float64[np.ndarray, "random_seeds draws"], *, seed: int) -> tuple[float, float]:
    """The interval of the mean over random seeds, of what each of them has in each draw of the images.

    `values` are mIoUs, or differences between those of two recipes. With one random seed it is that over images alone.
    It is too narrow for few seeds, since it draws again from those that were run: for the part of the variance that
    comes from n seeds, by the factor (n - 1) / n.
    """
    random_seeds, draws = values.shape
    return interval((values * seed_shares(random_seeds, draws=draws, seed=seed)).sum(axis=0))


def bootstrap_miou(
    confusions: Int64[np.ndarray, "images rows columns"],
    *,
    draws: int,
    seed: int,
    pred_ignore: str = "count_as_wrong",
    absent: str = "nan_skip",
) -> tuple[float, float]:
    """The 95 % bootstrap percentile interval of the mIoU of one run: images are resampled `draws` times, from `seed`.

    It shows how much the score depends on the choice of images, not on the randomness of training. (NaN, NaN) without
    images or draws.
    """
    counts = triples(confusions, pred_ignore).astype(np.float64)[None]
    return interval(resampled_miou(counts, draws=draws, seed=seed, absent=absent)[0])
