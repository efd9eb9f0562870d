"""Outlines and paints that make up the things of the example scenes.

Coordinates are (x, y) in scene units (the nominal side of a scene is 128 units), y down; the origin of a thing is where
it meets the ground.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wsss_steps.example.textures import Texture

Points = NDArray[np.float64]
Colour = tuple[float, float, float]
"""Red, green, blue in [0, 1]."""


@dataclass(frozen=True)
class Paint:
    """A two-tone material; without a texture only the light tone is used."""

    light: Colour
    dark: Colour = (0.0, 0.0, 0.0)
    texture: Texture | None = None


@dataclass(frozen=True)
class Part:
    """A closed outline of shape (N, 2), filled with paint; `key` marks the part that tells the class."""

    outline: Points
    paint: Paint
    key: bool = False


Parts = list[Part]

INK = Paint((0.13, 0.11, 0.15))
CREAM = Paint((0.98, 0.95, 0.86))
LIMB = Paint((0.27, 0.19, 0.16))


def polygon(*corners: tuple[float, float]) -> Points:
    """An outline through the given corners."""
    return np.array(corners, dtype=np.float64)


def ellipse(
    x: float, y: float, half_width: float, half_height: float, start: float = 0.0, stop: float = 360.0
) -> Points:
    """An ellipse about (x, y), or its arc from `start` to `stop` degrees, clockwise on the screen from x."""
    angle = np.radians(np.linspace(start, stop, 37))
    return np.stack([x + half_width * np.cos(angle), y + half_height * np.sin(angle)], axis=1)


def line(x0: float, y0: float, x1: float, y1: float, width: float, end_width: float | None = None) -> Points:
    """A straight limb from (x0, y0) to (x1, y1), which may taper from `width` to `end_width`."""
    length = math.hypot(x1 - x0, y1 - y0)
    across = np.array([y0 - y1, x1 - x0]) / (2 * length)
    start, stop = np.array([x0, y0]), np.array([x1, y1])
    near, far = across * width, across * (width if end_width is None else end_width)
    return np.stack([start + near, stop + far, stop - far, start - near])


def leaf(x: float, y: float, length: float, width: float, degrees: float) -> Points:
    """A pointed leaf that grows from (x, y) in a direction given clockwise on the screen from the direction of x."""
    along = np.linspace(0, 1, 9)
    half = 0.5 * width * np.sin(math.pi * along**0.7)
    flat = np.concatenate([np.stack([along * length, half], 1), np.stack([along * length, -half], 1)[::-1]])
    turn = math.radians(degrees)
    rotation = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    turned: Points = flat @ rotation + (x, y)
    return turned


def limb_width(length: float) -> float:
    """Width of legs, masts and stems: two to three units, thin but not below what a mask can hold."""
    return 1.6 + 0.018 * length
