"""Salient things to train a detector on, none of them a class of the example scenes, as painted outlines.

Coordinates are as in `shapes`; no class and no ground of the example scenes uses these materials.
"""

from __future__ import annotations

import math

import numpy as np

from wsss_steps.example.shapes import CREAM, INK, Paint, Part, Parts, Points, ellipse, limb_width, line, polygon
from wsss_steps.example.textures import Field, Texture, bands, soft_step
from wsss_steps.example.things import Builder

# ---- materials -------------------------------------------------------------------------------------------------------


def _off(value: Field, period: float) -> Field:
    """Distance to the nearest multiple of `period`."""
    return np.abs(value - period * np.round(value / period))


def checks(y: Field, x: Field, period: float = 8.0) -> Field:
    """A chessboard of light and dark squares."""
    wave = np.sin(2 * math.pi / period * y) * np.sin(2 * math.pi / period * x)
    return soft_step(wave, 0.4)


def grid(y: Field, x: Field, period: float = 8.0) -> Field:
    """Dark tiles with light joints that cross at right angles."""
    return soft_step(0.16 * period - np.minimum(_off(y + 0 * x, period), _off(x + 0 * y, period)), 0.8)


def rings(y: Field, x: Field, period: float = 7.0) -> Field:
    """Circles about a point above the foot of the thing."""
    return soft_step(_off(np.hypot(x, y + 30), period) - period / 4, 0.8)


def diamonds(y: Field, x: Field, period: float = 9.0) -> Field:
    """Light lozenges that stand on their tips."""
    return soft_step(0.25 * period - (_off(x + 0 * y, period) + 0.6 * _off(y + 0 * x, 1.4 * period)), 0.8)


def crosses(y: Field, x: Field, period: float = 9.0) -> Field:
    """Light plus signs in rows and columns."""
    down, across = _off(y + 0 * x, period), _off(x + 0 * y, period)
    arm = np.maximum(np.minimum(down, across) - 0.13 * period, np.maximum(down, across) - 0.36 * period)
    return soft_step(-arm, 0.8)


def varied(texture: Texture, scale: float, turn: float) -> Texture:
    """The same texture `scale` times as coarse and turned by `turn` radians, so that things differ in texture."""
    cos, sin = np.float32(math.cos(turn) / scale), np.float32(math.sin(turn) / scale)

    def turned(y: Field, x: Field) -> Field:
        return texture(cos * y - sin * x, sin * y + cos * x)

    return turned


def lattice(waves: int, period: float, turn: float, level: float) -> Texture:
    """Two or three plane waves, evenly turned about, cut at `level`: spots, lozenges or a net in square or hexagons."""
    angles = [turn + math.pi * wave / waves for wave in range(waves)]
    ways = [(np.float32(math.sin(angle)), np.float32(math.cos(angle))) for angle in angles]

    def texture(y: Field, x: Field) -> Field:
        height = np.sum([np.cos(2 * math.pi / period * (down * y + right * x)) for down, right in ways], axis=0)
        return soft_step(height - level, 0.6)

    return texture


MATERIALS: tuple[Texture | None, ...] = (None, checks, grid, rings, diamonds, crosses, bands)
"""Of bodies; None is one plain tone."""

# ---- things ----------------------------------------------------------------------------------------------------------


def _mirror(*right: tuple[float, float]) -> Points:
    """A closed outline from its right side, top to bottom, and the mirror image of that."""
    return polygon(*right, *((-x, y) for x, y in reversed(right)))


def _box(left: float, right: float, top: float, bottom: float) -> Points:
    return polygon((left, top), (right, top), (right, bottom), (left, bottom))


def vase(length: float, radius: float, body: Paint, accent: Paint) -> Parts:
    """A bellied vase with a narrow neck, a rim and a band about its belly."""
    profile = ((0.22, -1.0), (0.13, -0.86), (0.15, -0.76), (0.34, -0.6), (0.42, -0.42), (0.34, -0.2), (0.2, 0.0))
    rim = _mirror((0.26 * length, -1.03 * length), (0.22 * length, -0.97 * length))
    band = _mirror((0.415 * length, -0.45 * length), (0.415 * length, -0.38 * length))
    return [Part(_mirror(*((x * length, y * length) for x, y in profile)), body), Part(band, accent), Part(rim, accent)]


def star(length: float, radius: float, body: Paint, accent: Paint) -> Parts:
    """A star of five points with a bright middle."""
    tips, half = np.radians(np.arange(10) * 36 - 90), 0.55 * length
    reach = np.where(np.arange(10) % 2 == 0, half, 0.45 * half)
    outline = np.stack([reach * np.cos(tips), reach * np.sin(tips) - 0.85 * half], axis=1)
    return [Part(outline, body), Part(ellipse(0, -0.85 * half, 0.16 * half, 0.16 * half), accent)]


def house(length: float, radius: float, body: Paint, accent: Paint) -> Parts:
    """Walls under a gable roof, with a door and a window."""
    half, wall = 0.42 * length, 0.5 * length
    roof = polygon((-half - 0.08 * length, -wall), (0, -0.95 * length), (half + 0.08 * length, -wall))
    door = _box(-0.28 * length, -0.12 * length, -0.3 * length, 0)
    window = _box(0.1 * length, 0.3 * length, -0.36 * length, -0.16 * length)
    walls = _mirror((half, -wall - 0.05 * length), (half, 0))
    return [Part(walls, body), Part(roof, accent), Part(door, INK), Part(window, CREAM)]


def blob(length: float, radius: float, body: Paint, accent: Paint) -> Parts:
    """A lumpy stone, its lumps set by the size of the thing."""
    turn = np.linspace(0, 2 * math.pi, 48, endpoint=False)
    reach = 0.42 * length * (1 + 0.14 * np.sin(2 * turn + length) + 0.1 * np.sin(3 * turn + 2 * length))
    outline = np.stack([reach * np.cos(turn), 0.8 * reach * np.sin(turn) - 0.36 * length], axis=1)
    return [Part(outline, body)]


def letter(length: float, radius: float, body: Paint, accent: Paint) -> Parts:
    """A block letter: E, H, L, T or U, set by the size of the thing."""
    bars = {  # left, low, right, high, in cells of 3 x 5; they overlap, so that no gap is seen between them
        "E": ((0, 0, 1, 5), (0.5, 0, 3, 1), (0.5, 2, 3, 3), (0.5, 4, 3, 5)),
        "H": ((0, 0, 1, 5), (2, 0, 3, 5), (0.5, 2, 2.5, 3)),
        "L": ((0, 0, 1, 5), (0.5, 0, 3, 1)),
        "T": ((1, 0, 2, 4.5), (0, 4, 3, 5)),
        "U": ((0, 0, 1, 5), (2, 0, 3, 5), (0.5, 0, 2.5, 1)),
    }
    cell = 0.2 * length
    return [
        Part(_box((left - 1.5) * cell, (right - 1.5) * cell, -high * cell, -low * cell), body)
        for left, low, right, high in list(bars.values())[int(length) % len(bars)]
    ]


def umbrella(length: float, radius: float, body: Paint, accent: Paint) -> Parts:
    """An open umbrella on a thin stick with a knob."""
    half, top = 0.5 * length, -0.95 * length
    rim = [ellipse(x * half, top + half, half / 3, 0.2 * half, 0, -180) for x in (2 / 3, 0, -2 / 3)]  # scallops
    canopy = np.concatenate([ellipse(0, top + half, half, half, 180, 360), *rim])
    stick = line(0, top + 0.5 * half, 0, 0, limb_width(length))
    return [Part(stick, INK), Part(canopy, body), Part(ellipse(0, top, 0.06 * length, 0.06 * length), accent)]


def key(length: float, radius: float, body: Paint, accent: Paint) -> Parts:
    """A large key that stands on its bit: a round bow with a dark hole, a shaft and two teeth."""
    bow, width = 0.22 * length, 0.12 * length
    shaft = _mirror((width / 2, -0.7 * length), (width / 2, 0))
    teeth = [_box(0, 0.24 * length, low * length, high * length) for low, high in ((-0.12, -0.02), (-0.3, -0.2))]
    return [
        Part(shaft, body),
        *(Part(tooth, body) for tooth in teeth),
        Part(ellipse(0, -0.78 * length, bow, bow), body),
        Part(ellipse(0, -0.78 * length, 0.45 * bow, 0.45 * bow), accent),
    ]


THINGS: dict[str, Builder] = {
    "vase": vase,
    "star": star,
    "house": house,
    "blob": blob,
    "letter": letter,
    "umbrella": umbrella,
    "key": key,
}
