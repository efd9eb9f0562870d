"""What lies behind the things of an example scene: sky, hills, ground, and two contexts, water and fence; all label 0.

Lengths are in scene units (the nominal side of a scene is 128 units); coordinates are (y, x) fields of a canvas of
(H, W) pixels.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np

from wsss_steps.example.shapes import Colour, Paint
from wsss_steps.example.textures import Field, Texture, cobbles, firs, furrows, ripples, soft_step, stretched_noise

WATER, FENCE = "water", "fence"

_NOISES: dict[str, tuple[float, float]] = {"sky": (1.3, 4.0), "grass": (3.0, 1.1), "sand": (1.3, 1.3)}
"""Materials that are noise: height and width of a stroke, blade or grain, in units; finer than a patch of 8."""

_PATTERNS: dict[str, Texture] = {"firs": firs, "furrows": furrows, "cobbles": cobbles, WATER: ripples}

_FAR, _NEAR = ("sky", "firs", "furrows"), ("grass", "sand", "cobbles")


_HUE_JITTER = 0.02  # turns: two materials of one ink are not quite the same
_FENCE_HEIGHT, _PICKET_PERIOD, _PICKET_HALF_WIDTH = 34.0, 5.0, 2.1
_RAILS, _RAIL_HALF_WIDTH = (0.3, 0.72), 2.2  # of the height of the fence
_EDGE = 0.6  # units over which an edge is soft: about a pixel of the canvas


@dataclass(frozen=True)
class Inks:
    """The few hues, in turns of the colour circle, that all materials of one scene share."""

    hues: tuple[float, ...]

    def two_tone(self, rng: np.random.Generator, texture: Texture | None = None) -> Paint:
        """A paint of a light and a dark tone, from the same ranges for objects and ground: no colour is of one only."""
        light = self._tone(rng, rng.uniform(0.15, 0.5), rng.uniform(0.78, 0.97))
        dark = self._tone(rng, rng.uniform(0.3, 0.65), rng.uniform(0.40, 0.58))
        return Paint(light, dark, texture)

    def _tone(self, rng: np.random.Generator, saturation: float, value: float) -> Colour:
        hue = rng.choice(self.hues) + rng.normal(0, _HUE_JITTER)
        return colorsys.hsv_to_rgb(hue % 1, saturation, value)


def draw_inks(rng: np.random.Generator) -> Inks:
    """A hue, a neighbour of it and one from across the colour circle: few enough to be shared, and they go together."""
    first = rng.random()
    return Inks((first, first + rng.uniform(0.06, 0.14), first + rng.uniform(0.4, 0.6)))


@dataclass(frozen=True)
class Backdrop:
    """Two or three bands of material from the top down, split at `edges` (units from the top), and perhaps a fence."""

    materials: tuple[tuple[str, Paint], ...]
    edges: tuple[float, ...]
    fence: Paint | None

    @property
    def contexts(self) -> frozenset[str]:
        """The contexts in the scene."""
        water = {WATER} if any(name == WATER for name, _ in self.materials) else set()
        return frozenset(water | ({FENCE} if self.fence else set()))


def plan_backdrop(rng: np.random.Generator, inks: Inks, height: float, contexts: frozenset[str]) -> Backdrop:
    """Choose bands for a scene of `height` units; `contexts` says whether there are water and a fence."""
    horizon = rng.uniform(0.28, 0.48) * height
    far = [str(name) for name in rng.permutation(_FAR)[: 1 + (rng.random() < 0.15)]]
    edges = (horizon,) if len(far) == 1 else (horizon - rng.uniform(0.12, 0.2) * height, horizon)
    near = WATER if WATER in contexts else str(rng.choice(_NEAR))
    materials = tuple((name, inks.two_tone(rng)) for name in (*far, near))
    return Backdrop(materials, edges, inks.two_tone(rng) if FENCE in contexts else None)


def _field(rng: np.random.Generator, name: str, y: Field, x: Field, scale: float) -> Field:
    if name in _NOISES:
        height, width = _NOISES[name]
        return stretched_noise(rng, (y.size, x.size), (height * scale, width * scale))
    return _PATTERNS[name](y + np.float32(rng.uniform(0, 16)), x + np.float32(rng.uniform(0, 16)))


def _picket_fence(y: Field, x: Field, foot: float) -> tuple[Field, Field]:
    """Coverage of a fence that stands on the line y = foot, and its light share, both in [0, 1]."""
    off = np.abs((x + _PICKET_PERIOD / 2) % _PICKET_PERIOD - _PICKET_PERIOD / 2)
    up = foot - y
    tip = _FENCE_HEIGHT - 1.2 * off  # pickets are pointed
    slats = soft_step(_PICKET_HALF_WIDTH - off, _EDGE) * soft_step(tip - up, _EDGE)
    lower, upper = (soft_step(_RAIL_HALF_WIDTH - np.abs(up - rail * _FENCE_HEIGHT), _EDGE) for rail in _RAILS)
    light = soft_step(0.55 * _PICKET_HALF_WIDTH - off, _EDGE) * slats
    return np.maximum(slats, np.maximum(lower, upper)) * soft_step(up, _EDGE), light


def paint_backdrop(rng: np.random.Generator, backdrop: Backdrop, shape: tuple[int, int], scale: float) -> Field:
    """Paint the bands on a new canvas of `shape` (H, W), `scale` pixels per unit; colours (H, W, 3) in [0, 1]."""
    y = ((np.arange(shape[0], dtype=np.float32) + 0.5) / np.float32(scale))[:, None]
    x = ((np.arange(shape[1], dtype=np.float32) + 0.5) / np.float32(scale))[None, :]
    canvas = np.zeros((*shape, 3), np.float32)
    wave = np.float32(rng.uniform(1, 4)) * np.sin(x / np.float32(rng.uniform(10, 25)) + np.float32(rng.uniform(0, 6)))
    for (name, paint), edge in zip(backdrop.materials, (-np.inf, *backdrop.edges), strict=True):
        hilly = wave if edge < backdrop.edges[-1] else 0.25 * wave  # hills roll, the ground is nearly level
        below = soft_step(y - edge - hilly, _EDGE)[..., None]
        canvas += below * (mix(paint, _field(rng, name, y, x, scale)) - canvas)
    if backdrop.fence is not None:
        cover, light = _picket_fence(y, x, backdrop.edges[-1] + rng.uniform(4, 10))
        canvas += cover[..., None] * (mix(backdrop.fence, light) - canvas)
    return canvas


def mix(paint: Paint, light: Field) -> Field:
    """Colours (H, W, 3) of a paint for its light share (H, W)."""
    bright, dark = (np.array(tone, np.float32) for tone in (paint.light, paint.dark))
    return dark + light[..., None] * (bright - dark)
