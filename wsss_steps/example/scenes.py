"""One scene of the embedded example data set, drawn from a random generator.

The scenes look like a picture book printed in a few inks, and show what weakly supervised segmentation struggles with:

- a small key part decides the class, while a large body shares its texture with another class (`things`);
- two unlabelled contexts co-occur with a class: water with boats, a fence with birds;
- there are bright things without a class;
- things have thin limbs, come large and small, hide each other and are cut by the frame;
- all materials of a scene draw their two tones from the same few hues, so texture, not colour, distinguishes an object
  from the ground.

Lengths are in scene units (the nominal side is 128 units) unless stated to be in pixels.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from wsss_steps.example.backdrop import FENCE, WATER, Backdrop, Inks, draw_inks, plan_backdrop
from wsss_steps.example.canvas import OVERSAMPLE, Raster, Thing, majority, paint_picture, rasterise
from wsss_steps.example.distractors import DISTRACTORS
from wsss_steps.example.shapes import Paint
from wsss_steps.example.textures import Texture
from wsss_steps.example.things import BUILDERS
from wsss_steps.ops.labels import IGNORE

CLASSES: tuple[str, ...] = tuple(BUILDERS)
"""Names of the classes; class c (1...C) is CLASSES[c - 1]."""

"""Label of the border band around every object, as in PASCAL VOC."""

CONTEXT_OF = {"boat": WATER, "bird": FENCE}
"""Which context keeps company with which class."""

_NOMINAL = 128.0  # units on the nominal side
_SIDES = (0.85, 1.1)  # range of the sides over the nominal side: sizes vary, as those of photographs do
_CLASSES_PER_IMAGE = (0.5, 0.33, 0.17)  # of images, with 1, 2, 3 classes
_WITH_CLASS, _WITHOUT_CLASS = 0.8, 0.12  # how often a context is there
_SECOND_INSTANCE = 0.2  # of images, a second thing of one class
_DISTRACTED = 0.5  # of images, one or two things without a class
_CUT = 0.15  # of things, pushed over the side of the frame
_BODY_LENGTH = (26.0, 104.0)  # areas of about 2 % to 40 % of the image
_CROWD_SHRINK = 0.13  # of the largest length, for every further thing with a class
_SKEW = 0.7  # below 1: large things are more frequent than small ones, as in photographs with a subject
_DISTRACTOR_LENGTH = (14.0, 26.0)
_CAMOUFLAGED = 0.2  # of bodies, in the very tones of the ground
_BELOW_HORIZON = 6.0  # things stand at least so far below it
_ACCENT = (0.75, 0.92)  # saturation and value of the bright colour of a thing; its hue is any
_TILT = 0.12  # radians, standard deviation
_KEY_RADIUS = (6.2, 0.055)  # units, and share of the body: legible on small things and a small share of large ones
_KEY_SEEN = 0.7  # share of the key part that must be visible, so that the class can be recognised
_THING_SEEN = 0.45  # share of a thing in the frame that must be visible
_OCCLUDED = 0.05  # share of a thing in the frame that is hidden, from which it counts as occluded
_CLEAR = 50.0  # square units of every thing outside the border band
_ATTEMPTS = 2000  # of placing the things of a scene: it takes three on average, and 65 was the most in 1,200 scenes


@dataclass(frozen=True)
class Found:
    """One annotated object with VOC's flags; `box` (y_min, x_min, y_max, x_max) of what is seen, inclusive, from 0."""

    name: str
    box: tuple[int, int, int, int]
    pose: str
    truncated: bool
    occluded: bool


@dataclass(frozen=True)
class Scene:
    """A drawn scene: image (H, W, 3) uint8; labels (H, W) uint8 of 0 background, 1...C, 255 border; what is in it."""

    image: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    objects: tuple[Found, ...]
    contexts: frozenset[str]
    distractors: tuple[str, ...]


def draw_scene(rng: np.random.Generator, size: int) -> Scene:
    """Draw a scene of nominal side `size` pixels; each of its sides is 0.85 to 1.1 of that.

    Every listed object has pixels outside the border band, and every class with pixels is listed.
    RuntimeError if the things of a scene could not be placed; it takes three attempts on average, of 2,000.
    """
    height, width = (round(size * rng.uniform(*_SIDES)) for _ in range(2))
    shape, scale = (height * OVERSAMPLE, width * OVERSAMPLE), size * OVERSAMPLE / _NOMINAL
    extent = (shape[0] / scale, shape[1] / scale)
    names, inks = _draw_names(rng), draw_inks(rng)
    crowd = sum(name in BUILDERS for name in names)
    backdrop = plan_backdrop(rng, inks, extent[0], _draw_contexts(rng, names))
    for _ in range(_ATTEMPTS):
        things = sorted(
            (_draw_thing(rng, name, crowd, inks, backdrop, extent) for name in names), key=lambda thing: thing.y
        )
        raster = rasterise(things, shape, scale)
        owner = majority(raster.owner)
        labels = _labels(owner, things)
        if _legible(raster, np.where(labels == IGNORE, 0, owner), things, extent, _CLEAR * (size / _NOMINAL) ** 2):
            image = paint_picture(rng, backdrop, things, shape, scale)
            distractors = tuple(
                thing.name for thing, seen in zip(things, raster.seen, strict=True) if not thing.label and seen
            )
            return Scene(image, labels, _objects(raster, owner, things, extent), backdrop.contexts, distractors)
    raise RuntimeError(
        f"could not place {names} in {_ATTEMPTS} attempts (expected one in three to succeed): please report the seed"
    )


def _draw_names(rng: np.random.Generator) -> list[str]:
    """Names of the things of a scene, with repetitions: classes and distractors."""
    classes = rng.permutation(CLASSES)[: rng.choice((1, 2, 3), p=_CLASSES_PER_IMAGE)]
    second = classes[: int(rng.random() < _SECOND_INSTANCE)]
    count = rng.integers(1, 3) if rng.random() < _DISTRACTED else 0
    return [str(name) for name in (*classes, *second, *rng.choice(tuple(DISTRACTORS), count, replace=False))]


def _draw_contexts(rng: np.random.Generator, names: list[str]) -> frozenset[str]:
    odds = ((context, _WITH_CLASS if name in names else _WITHOUT_CLASS) for name, context in CONTEXT_OF.items())
    return frozenset(context for context, chance in odds if rng.random() < chance)


def _draw_thing(
    rng: np.random.Generator, name: str, crowd: int, inks: Inks, backdrop: Backdrop, extent: tuple[float, float]
) -> Thing:
    """One thing at a random place of a scene of `extent` (height, width) units with `crowd` objects of a class."""
    height, width = extent
    texture: Texture | None = None
    if name in BUILDERS:
        builder, texture = BUILDERS[name]
        shortest, longest = _BODY_LENGTH[0], _BODY_LENGTH[1] * (1 - _CROWD_SHRINK * (crowd - 1))
        length = shortest + (longest - shortest) * rng.random() ** _SKEW
    else:
        builder, length = DISTRACTORS[name], rng.uniform(*_DISTRACTOR_LENGTH)
    parts = builder(
        length,
        _KEY_RADIUS[0] + _KEY_RADIUS[1] * length,
        _body_paint(rng, inks, backdrop, texture),
        Paint(colorsys.hsv_to_rgb(rng.random(), *_ACCENT)),
    )
    highest = max(backdrop.edges[-1] + _BELOW_HORIZON, 0.8 * length)  # of its foot, so that its head is not cut off
    from_side = (
        rng.uniform(-0.1, 0.3) * length
        if rng.random() < _CUT
        else rng.uniform(min(0.65 * length, width / 2), width / 2)
    )
    return Thing(
        name=name,
        label=CLASSES.index(name) + 1 if texture else 0,
        parts=parts,
        length=length,
        x=from_side if rng.random() < 0.5 else width - from_side,
        y=rng.uniform(min(highest, height - 4), height - 2),
        mirrored=bool(rng.random() < 0.5),
        tilt=rng.normal(0, _TILT),
    )


def _body_paint(rng: np.random.Generator, inks: Inks, backdrop: Backdrop, texture: Texture | None) -> Paint:
    if texture and rng.random() < _CAMOUFLAGED:
        return replace(backdrop.materials[-1][1], texture=texture)
    return inks.two_tone(rng, texture)


def _labels(owner: NDArray[np.uint8], things: list[Thing]) -> NDArray[np.uint8]:
    """Label map (H, W) of an owner map: classes, and void for the pixels on both sides of every border of an object."""
    labels = np.array([0, *(thing.label for thing in things)], np.uint8)[owner]
    classed = labels > 0
    for first, second in (
        ((slice(1, None),), (slice(None, -1),)),
        ((slice(None), slice(1, None)), (slice(None), slice(None, -1))),
    ):
        border = (owner[first] != owner[second]) & (classed[first] | classed[second])
        labels[first][border] = IGNORE
        labels[second][border] = IGNORE
    return labels


def _legible(
    raster: Raster, clear: NDArray[np.uint8], things: list[Thing], extent: tuple[float, float], least: float
) -> bool:
    """Whether enough of every object and of its key part is visible.

    `clear` is the owner map (H, W) without the border band, where every object must have at least `least` pixels.
    """
    pixels = np.bincount(clear.ravel(), minlength=len(things) + 1)[1:]
    return all(
        pixels[i] >= least
        and raster.seen[i] >= _THING_SEEN * raster.framed[i]
        and raster.key_seen[i] >= _KEY_SEEN * raster.key_framed[i]
        and _share_inside(thing, extent, key_only=True) >= _KEY_SEEN
        for i, thing in enumerate(things)
        if thing.label
    )


def _share_inside(thing: Thing, extent: tuple[float, float], *, key_only: bool) -> float:
    """Share of the corners of a thing's outlines that lie inside the frame of (height, width) units."""
    corners = thing.on_canvas(np.concatenate([part.outline for part in thing.parts if part.key or not key_only]))
    return float(np.mean(np.all((corners >= 0) & (corners <= extent[::-1]), axis=1)))


def _objects(
    raster: Raster, owner: NDArray[np.uint8], things: list[Thing], extent: tuple[float, float]
) -> tuple[Found, ...]:
    found = []
    for i, thing in enumerate(things):
        if not thing.label:
            continue
        rows, columns = np.nonzero(owner == i + 1)
        found.append(
            Found(
                name=thing.name,
                box=(int(rows.min()), int(columns.min()), int(rows.max()), int(columns.max())),
                pose="Left" if thing.mirrored else "Right",
                truncated=_share_inside(thing, extent, key_only=False) < 1,
                occluded=raster.seen[i] < (1 - _OCCLUDED) * raster.framed[i],
            )
        )
    return tuple(found)
