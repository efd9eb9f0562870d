"""Time the bootstrap over images and random seeds: `python benchmarks/compare_recipes.py [images] [recipes]`.

By default 10,000 images, 3 recipes with 3 random seeds each, 21 classes, 1,000 draws: VOC's training images.
"""

from __future__ import annotations

import itertools
import resource
import sys
import time

import numpy as np

from wsss_steps.ops.bootstrap import interval_over_seeds, resampled_miou
from wsss_steps.ops.object_size import iou_by_size, size_of_objects

CLASSES, SEEDS, DRAWS = 21, 3, 1000


def main() -> None:
    images, recipes = (int(word) for word in [*sys.argv[1:], "10000", "3"][:2])
    random = np.random.default_rng(0)
    truth = random.integers(1, 10_000, (images, CLASSES)) * (random.random((images, CLASSES)) < 0.15)
    shares = random.uniform(0.3, 0.9, (recipes * SEEDS, images, CLASSES))
    right = np.floor(truth * shares)
    counts = np.stack(
        [right, right + random.integers(0, 500, right.shape), np.broadcast_to(truth, right.shape)], axis=2
    )
    begun = time.perf_counter()
    drawn = resampled_miou(counts, draws=DRAWS, seed=0, absent="nan_skip").reshape(recipes, SEEDS, DRAWS)
    for recipe, other in itertools.combinations(drawn, 2):
        interval_over_seeds(recipe - other, seed=0)
    between = time.perf_counter()
    iou_by_size(counts, size_of_objects(truth, (0.05, 0.2)), 3)
    print(
        f"{images} images, {recipes} recipes x {SEEDS} random seeds, {DRAWS} draws: bootstrap "
        f"{between - begun:.1f} s, by size {time.perf_counter() - between:.1f} s, "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.1f} GB"
    )


if __name__ == "__main__":
    main()
