"""One picture with a mask of what is salient in it, in the style of the example scenes but of other things.

A detector trained on these knows the colours and grounds of the example, but none of its classes: it will also find
salient things without a class, and miss those that stand out less than these.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from wsss_steps.example.backdrop import FENCE, WATER, Backdrop, Inks, draw_inks, plan_backdrop
from wsss_steps.example.canvas import OVERSAMPLE, Raster, Thing, majority, paint_picture, rasterise
from wsss_steps.example.saliency_things import MATERIALS, THINGS, lattice, varied
from wsss_steps.example.shapes import Paint
from wsss_steps.example.textures import Texture

_NOMINAL = 128.0  # units on the nominal side
_SIDES = (0.85, 1.1)  # range of the sides over the nominal side
_THINGS_PER_IMAGE = (0.6, 0.3, 0.1)  # of images, with 1, 2, 3 things
_CONTEXT = 0.25  # of images, with water; and of images, with a fence
_LENGTH = (28.0, 115.0)
_CROWD_SHRINK = 0.15  # of the largest length, for every further thing
_CUT = 0.15  # of things, pushed over the side of the frame
_TILT = 0.15  # radians, standard deviation
_IN_TONES_OF_THE_GROUND = 0.2  # of bodies
_COARSENESS = (0.6, 1.6)  # range of the factor on the period of a texture
_LATTICES, _PERIOD, _LEVEL = 0.5, (3.5, 8.0), (-0.6, 0.6)  # of bodies; units; at which the waves are cut
_ACCENT = (0.6, 0.95)  # range of saturation and value of the bright colour of a thing; its hue is any
_SEEN = 0.5  # share of a thing in the frame that must be visible
_LEAST = 0.012  # share of the pixels that must be salient
_ATTEMPTS = 500


@dataclass(frozen=True)
class Picture:
    """A drawn picture: image (H, W, 3) uint8; mask (H, W) uint8, 255 salient and 0 not; names of the things in it."""

    image: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    things: tuple[str, ...]


def draw_picture(rng: np.random.Generator, size: int) -> Picture:
    """Draw a picture of nominal side `size` px; each of its sides is 0.85 to 1.1 of that, and something is salient.

    RuntimeError if the things could not be placed; one attempt is nearly always enough.
    """
    height, width = (round(size * rng.uniform(*_SIDES)) for _ in range(2))
    shape, scale = (height * OVERSAMPLE, width * OVERSAMPLE), size * OVERSAMPLE / _NOMINAL
    extent = (shape[0] / scale, shape[1] / scale)
    count = int(rng.choice((1, 2, 3), p=_THINGS_PER_IMAGE))
    names = [str(name) for name in rng.choice(tuple(THINGS), count)]
    inks = draw_inks(rng)
    contexts = frozenset(context for context in (WATER, FENCE) if rng.random() < _CONTEXT)
    backdrop = plan_backdrop(rng, inks, extent[0], contexts)
    for _ in range(_ATTEMPTS):
        things = sorted(
            (_draw_thing(rng, name, count, inks, backdrop, extent) for name in names), key=lambda one: one.y
        )
        raster = rasterise(things, shape, scale)
        mask = ((majority(raster.owner) > 0) * 255).astype(np.uint8)
        if _in_sight(raster) and (mask > 0).mean() >= _LEAST:
            return Picture(
                paint_picture(rng, backdrop, things, shape, scale), mask, tuple(thing.name for thing in things)
            )
    raise RuntimeError(f"could not place {names} in {_ATTEMPTS} attempts: please report the seed")


def _in_sight(raster: Raster) -> bool:
    return all(seen >= max(1, _SEEN * framed) for seen, framed in zip(raster.seen, raster.framed, strict=True))


def _draw_thing(
    rng: np.random.Generator, name: str, count: int, inks: Inks, backdrop: Backdrop, extent: tuple[float, float]
) -> Thing:
    """One thing at a random place of a picture of `extent` (height, width) units with `count` things."""
    height, width = extent
    length = rng.uniform(_LENGTH[0], _LENGTH[1] * (1 - _CROWD_SHRINK * (count - 1)))
    material = _draw_material(rng)
    if rng.random() < _IN_TONES_OF_THE_GROUND:
        body = replace(backdrop.materials[-1][1], texture=material)
    else:
        body = inks.two_tone(rng, material)
    accent = Paint(colorsys.hsv_to_rgb(rng.random(), *(rng.uniform(*_ACCENT) for _ in range(2))))
    highest = min(max(backdrop.edges[-1], 0.8 * length), height - 4)
    margin = min(0.5 * length, width / 2)
    from_side = rng.uniform(-0.1, 0.3) * length if rng.random() < _CUT else rng.uniform(margin, width / 2)
    return Thing(
        name=name,
        label=1,
        parts=THINGS[name](length, 0.0, body, accent),
        length=length,
        x=from_side if rng.random() < 0.5 else width - from_side,
        y=rng.uniform(highest, height - 2),
        mirrored=bool(rng.random() < 0.5),
        tilt=rng.normal(0, _TILT),
    )


def _draw_material(rng: np.random.Generator) -> Texture | None:
    """A random texture or none: many, so that a detector does not recognise things by a few textures."""
    if rng.random() < _LATTICES:
        waves, turn = int(rng.integers(2, 4)), rng.uniform(0, np.pi)
        return lattice(waves, rng.uniform(*_PERIOD), turn, rng.uniform(*_LEVEL))
    texture = MATERIALS[int(rng.integers(len(MATERIALS)))]
    scale, turn = rng.uniform(*_COARSENESS), rng.uniform(0, np.pi)
    return None if texture is None else varied(texture, scale, turn)
