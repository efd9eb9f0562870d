"""Pixel-adaptive refinement with positions of the maps of every class (Ru et al. 2022)."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from wsss_steps.methods.refiner._shared import Make, by_colours
from wsss_steps.ops.par import par


def maker(*, device: str, dilations: Sequence[int], iterations: int) -> Make:
    """`par` on the grid of the maps, at most 1."""
    refine = functools.partial(par, dilations=dilations, iterations=iterations)
    return by_colours(lambda image, maps: refine(image, maps).clamp(max=1), device)
