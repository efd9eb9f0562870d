"""From placed things to pixels of the example scenes: label maps and colours.

Both come from the same outlines on the same canvas, so that images and label maps agree. A canvas has (H, W) pixels and
`scale` pixels per scene unit (the nominal side of a scene is 128 units).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from wsss_steps.example.backdrop import Backdrop, mix, paint_backdrop
from wsss_steps.example.shapes import Paint, Parts, Points
from wsss_steps.example.textures import Field

OVERSAMPLE = 2  # drawn at twice the size and averaged, for smooth edges; `majority` relies on 2
_SLOPE, _GRAIN = 0.08, 0.012  # of the illumination, from the middle to the edge; standard deviation of the noise
_SHADOW = 0.2  # how much light the middle of a shadow takes
_SHADOW_SIZE = (0.62, 0.14)  # half width and half height over the length of the thing
_MODELLING = 0.1  # how much lighter the top of a thing is, and how much darker its foot
Window = tuple[slice, slice]


@dataclass(frozen=True)
class Thing:
    """Something in a scene, of class `label` 1...C or 0 for none, at (x, y), turned by `tilt` radians."""

    name: str
    label: int
    parts: Parts
    length: float
    x: float
    y: float
    mirrored: bool
    tilt: float

    def on_canvas(self, points: Points) -> Points:
        """Points (N, 2) of the thing's own frame, as (x, y) in units on the canvas."""
        x, y = points[:, 0] * (-1 if self.mirrored else 1), points[:, 1]
        cos, sin = math.cos(self.tilt), math.sin(self.tilt)
        return np.stack([self.x + cos * x - sin * y, self.y + sin * x + cos * y], axis=1)

    def own_frame(self, y: Field, x: Field) -> tuple[Field, Field]:
        """Coordinates (y, x) on the canvas, in the thing's own frame, so that its texture moves and turns with it."""
        cos, sin = np.float32(math.cos(self.tilt)), np.float32(math.sin(self.tilt))
        right, down = x - np.float32(self.x), y - np.float32(self.y)
        own_x = cos * right + sin * down
        return cos * down - sin * right, -own_x if self.mirrored else own_x


@dataclass(frozen=True)
class Raster:
    """Which thing is where: `owner` (H, W) is 0 or 1 + index of the thing; pixels of each thing and of its key part.

    `framed` counts those in the frame, hidden or not, and `seen` the visible ones.
    """

    owner: NDArray[np.uint8]
    framed: tuple[int, ...]
    seen: tuple[int, ...]
    key_framed: tuple[int, ...]
    key_seen: tuple[int, ...]


def fill(points: Points, shape: tuple[int, int]) -> tuple[Window, NDArray[np.bool_]] | None:
    """Pixels inside an outline of (x, y) in pixels: a window of the canvas and a mask of its size; None if outside."""
    left, top = np.maximum(np.floor(points.min(axis=0)), 0).astype(int)
    right, bottom = np.minimum(np.ceil(points.max(axis=0)) + 1, (shape[1], shape[0])).astype(int)
    if left >= right or top >= bottom:
        return None
    stencil = Image.new("L", (int(right - left), int(bottom - top)))
    ImageDraw.Draw(stencil).polygon((points - (left, top)).ravel().tolist(), fill=1)
    return (slice(top, bottom), slice(left, right)), np.asarray(stencil).astype(bool)


def rasterise(things: list[Thing], shape: tuple[int, int], scale: float) -> Raster:
    """Draw all outlines, farthest thing first, on a canvas of `shape` (H, W) pixels."""
    code = np.zeros(shape, np.uint8)  # 2 * (1 + index of the thing) + whether the part is its key
    framed, key_framed = [], []
    for index, thing in enumerate(things, start=1):
        for part in thing.parts:
            filled = fill(thing.on_canvas(part.outline) * scale, shape)
            if filled is not None:
                code[filled[0]][filled[1]] = 2 * index + part.key
        key_framed.append(int(np.count_nonzero(code == 2 * index + 1)))
        framed.append(int(np.count_nonzero(code == 2 * index)) + key_framed[-1])
    counts = np.bincount(code.ravel(), minlength=2 * len(things) + 2)
    seen, key_seen = counts[2::2] + counts[3::2], counts[3::2]
    return Raster(code // 2, tuple(framed), tuple(map(int, seen)), tuple(key_framed), tuple(map(int, key_seen)))


def majority(owner: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Halve an owner map (2H, 2W): every pixel takes the most frequent of its four, the first of ties."""
    a, b, c, d = owner[::2, ::2], owner[::2, 1::2], owner[1::2, ::2], owner[1::2, 1::2]
    return np.where((a == b) | (a == c) | (a == d), a, np.where((b == c) | (b == d), b, np.where(c == d, c, a)))


def paint_thing(canvas: Field, thing: Thing, scale: float) -> None:
    """Paint a thing and its soft shadow onto a canvas of colours (H, W, 3) in [0, 1], in place."""
    shape = canvas.shape[:2]
    _cast_shadow(canvas, thing, scale)
    for part in thing.parts:
        filled = fill(thing.on_canvas(part.outline) * scale, shape)
        if filled is None:
            continue
        (rows, columns), mask = filled
        y, x = thing.own_frame(*_units(rows, columns, scale))
        canvas[rows, columns][mask] = _lit(part.paint, y, x, thing.length)[mask]


def _units(rows: slice, columns: slice, scale: float) -> tuple[Field, Field]:
    y, x = (((np.arange(span.start, span.stop) + 0.5) / scale).astype(np.float32) for span in (rows, columns))
    return y[:, None], x[None, :]


def _lit(paint: Paint, y: Field, x: Field, length: float) -> Field:
    """Colours of a paint under soft light from above, at the thing's own coordinates."""
    light = np.ones(np.broadcast_shapes(y.shape, x.shape), np.float32) if paint.texture is None else paint.texture(y, x)
    height = np.clip(-y / np.float32(0.45 * length) - 1, -1, 1)
    colours: Field = mix(paint, light) * (1 + np.float32(_MODELLING) * height)[..., None]
    return colours


def _cast_shadow(canvas: Field, thing: Thing, scale: float) -> None:
    half = np.array(_SHADOW_SIZE) * thing.length
    reach = 2 * half * scale  # exp(-4) is left there
    top, left = np.maximum([thing.y * scale - reach[1], thing.x * scale - reach[0]], 0).astype(int)
    bottom, right = np.minimum([thing.y * scale + reach[1], thing.x * scale + reach[0]], canvas.shape[:2]).astype(int)
    rows, columns = slice(int(top), int(max(bottom, top))), slice(int(left), int(max(right, left)))
    y, x = _units(rows, columns, scale)
    distance = ((x - np.float32(thing.x)) / half[0]) ** 2 + ((y - np.float32(thing.y)) / half[1]) ** 2
    canvas[rows, columns] *= (1 - _SHADOW * np.exp(-distance))[..., None].astype(np.float32)


def paint_picture(
    rng: np.random.Generator, backdrop: Backdrop, things: list[Thing], shape: tuple[int, int], scale: float
) -> NDArray[np.uint8]:
    """The picture (H, W, 3) of a canvas of `shape` (2H, 2W) pixels, `scale` pixels per unit."""
    canvas = paint_backdrop(rng, backdrop, shape, scale)
    for thing in things:
        paint_thing(canvas, thing, scale)
    rows, columns = shape[0] // OVERSAMPLE, shape[1] // OVERSAMPLE
    picture = canvas.reshape(rows, OVERSAMPLE, columns, OVERSAMPLE, 3).mean(axis=(1, 3))
    picture *= _illumination(rng, (rows, columns))[..., None]
    picture += rng.normal(0, _GRAIN, (rows, columns))[..., None]
    levels: NDArray[np.uint8] = (np.clip(picture, 0, 1) * 255).round().astype(np.uint8)
    return levels


def _illumination(rng: np.random.Generator, shape: tuple[int, int]) -> Field:
    """A gradient of light (H, W) about 1, brighter towards a random side."""
    angle = rng.uniform(0, 2 * np.pi)
    y, x = (np.linspace(-1, 1, side, dtype=np.float32) for side in shape)
    gradient: Field = 1 + _SLOPE * (np.sin(angle) * y[:, None] + np.cos(angle) * x[None, :])
    return gradient
