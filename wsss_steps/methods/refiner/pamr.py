"""Pixel-adaptive mask refinement of the maps of every class (Araslanov and Roth, 2020)."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from wsss_steps.methods.refiner._shared import Make, by_colours
from wsss_steps.ops.pamr import pamr


def maker(*, device: str, dilations: Sequence[int], iterations: int) -> Make:
    """`pamr` on the grid of the maps."""
    return by_colours(functools.partial(pamr, dilations=dilations, iterations=iterations), device)
