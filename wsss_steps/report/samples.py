"""Which images the gallery holds: all of a small data set, of a large one the worst, the best, and some at random."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from wsss_steps.data.manifest import Entry

MEASURE = "mean IoU of the image, averaged over the recipes"


def allotted(limit: int, counts: Mapping[str, int]) -> dict[str, int]:
    """How many images each split may have, in proportion to how many it has, at least one; all if they are few."""
    total = sum(counts.values())
    if total <= limit:
        return dict(counts)
    return {name: max(1, limit * count // total) for name, count in counts.items()}


def sample(entries: Sequence[Entry], ranks: Mapping[str, float], limit: int, seed: int) -> tuple[list[Entry], str]:
    """Up to `limit` images, in the order of `entries`, and how they were chosen.

    A third has the lowest values of `ranks` (by image id), a third the highest, the others are drawn at random. Images
    without a value, all of them if there is no ground truth, are among those drawn.
    """
    if len(entries) <= limit:
        return list(entries), f"all {len(entries)} images"
    ranked = sorted((entry.id for entry in entries if entry.id in ranks), key=lambda name: (ranks[name], name))
    third = min(limit // 3, len(ranked) // 2)
    chosen = {*ranked[:third], *ranked[len(ranked) - third :]}
    left = [entry.id for entry in entries if entry.id not in chosen]
    drawn = limit - len(chosen)
    chosen.update(random.Random(seed).sample(left, drawn))
    extremes = f"the {third} with the lowest and the {third} with the highest {MEASURE}, and " if third else ""
    how = f"{limit} of {len(entries)} images: {extremes}{drawn} drawn at random"
    return [entry for entry in entries if entry.id in chosen], how
