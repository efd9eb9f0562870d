"""The materials of the example scenes: two-tone textures, as pure functions from coordinates to a mixing weight.

All lengths are in scene units: the nominal side of a scene is 128 units, whatever its size in pixels. A texture
returns float32 weights in [0, 1] of the shape of its coordinates: 1 is the light tone of the material and 0 the dark
one. A material is recognised by its texture alone, since its two tones are drawn at random and nearly every texture
holds both in similar shares.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Field = NDArray[np.floating]
Texture = Callable[[Field, Field], Field]
"""(y, x), broadcastable coordinates in units, to weights in [0, 1]."""

_TURN = 2 * math.pi


def soft_step(value: Field, width: float) -> Field:
    """A step from 0 to 1 where `value` is 0, linear over `width`, in the unit of `value`. A hard step would alias."""
    share: Field = np.clip(value / np.float32(width) + np.float32(0.5), 0, 1)
    return share.astype(np.float32)


def _centred(value: Field, period: float) -> Field:
    """Signed distance to the nearest multiple of `period`, in [-period/2, period/2]."""
    return value - period * np.round(value / period)


# ---- materials of objects: one per pair of classes, and never on the ground ------------------------------------------


def scallops(y: Field, x: Field, period: float = 5.0) -> Field:
    """Rows of overlapping round scales, as of feathers or of a fruit."""
    radius = period / 2
    row = np.floor(y / radius)
    below = y - row * radius
    shift = radius * (row % 2)
    own = np.hypot(_centred(x - shift, period), below)
    next_row = np.hypot(_centred(x - shift - radius, period), below - radius)
    distance = np.where(own < radius, own, next_row)
    return soft_step(0.7 * radius - distance, 1.0)


def weave(y: Field, x: Field, period: float = 5.0) -> Field:
    """Basket work: cells in which a light strand runs across alternate with cells in which it runs down."""
    half = period / 2
    across = (np.floor(y / half) + np.floor(x / half)) % 2 < 1
    offset = np.where(across, np.abs(y / half % 1 - 0.5), np.abs(x / half % 1 - 0.5)) * half
    return soft_step(0.28 * half - offset, 0.8)


def dots(y: Field, x: Field, period: float = 5.0) -> Field:
    """Round light spots on a staggered grid."""
    height = period * 0.8
    row = np.round(y / height)
    distance = np.hypot(y - row * height, _centred(x - row * period / 2, period))
    return soft_step(0.33 * period - distance, 1.0)


# ---- materials of small parts and of things without a class ----------------------------------------------------------


def bands(y: Field, x: Field, period: float = 6.0) -> Field:
    """Straight stripes, across."""
    return soft_step(np.abs(_centred(y + 0 * x, period)) - period / 4, 1.0)


def pleats(y: Field, x: Field, period: float = 4.2) -> Field:
    """Narrow upright folds."""
    return soft_step(np.abs(_centred(x + 0 * y, period)) - period / 5, 1.0)


def zigzag(y: Field, x: Field, period: float = 7.0) -> Field:
    """Stripes that turn at right angles."""
    return soft_step(np.abs(_centred(y + np.abs(_centred(x, 2 * period)), period)) - period / 4, 1.0)


# ---- materials of the ground and of what is behind it ----------------------------------------------------------------


def stretched_noise(rng: np.random.Generator, shape: tuple[int, int], cell: tuple[float, float]) -> Field:
    """Smooth noise (H, W) of `shape` in [0, 1], mean 0.5, whose blots measure about `cell` (height, width) pixels."""
    grid = tuple(math.ceil(side / step) + 1 for side, step in zip(shape, cell, strict=True))
    coarse = Image.fromarray(rng.random(grid, dtype=np.float32))
    smooth = np.asarray(coarse.resize((shape[1], shape[0]), Image.Resampling.BICUBIC))
    return soft_step(smooth - 0.5, 1.0)


def ripples(y: Field, x: Field, period: float = 5.0) -> Field:
    """Waves of water: level stripes that swing up and down, in step from row to row."""
    swing = 0.3 * period * np.sin(_TURN / (1.7 * period) * x)
    return soft_step(np.sin(_TURN / period * (y + swing)), 0.8)


def firs(y: Field, x: Field, period: float = 6.0) -> Field:
    """Staggered rows of small pointed trees."""
    row = np.floor(y / period)
    height = y / period - row
    return soft_step(np.abs(_centred(x + row * period / 2, period)) / period - 0.5 * height + 0.02, 0.12)


def furrows(y: Field, x: Field, period: float = 4.5) -> Field:
    """Slanting stripes of a ploughed field, slightly bent."""
    return soft_step(np.sin(_TURN / period * (0.75 * x + 0.66 * y + 1.5 * np.sin(x / 11))), 0.8)


def cobbles(y: Field, x: Field, period: float = 6.0) -> Field:
    """Staggered rounded stones with wide joints."""
    height = period * 0.62
    row = np.round(y / height)
    stone_y = np.abs(y - row * height) / height
    stone_x = np.abs(_centred(x + row * period / 2, period)) / period
    return soft_step(0.42 - (stone_y**4 + stone_x**4) ** 0.25, 0.12)
