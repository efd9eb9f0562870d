"""The things of the example scenes, as painted outlines: six classes in three pairs, and three bright things that belong to no class.

The two classes of a pair share the shape and the texture of their large body; only a small key part tells them apart:

==========  ===========  ==================================  ==========  ===================================
body        class        key part                            class       key part
==========  ===========  ==================================  ==========  ===================================
scallops    bird         head with beak and eye              pineapple   crown of pointed leaves
weave       boat         striped sail                        cart        spoked wheels
dots        beetle       dark head with eyes and feelers     mushroom    pleated stalk with a ring
==========  ===========  ==================================  ==========  ===================================

Coordinates are (x, y) in scene units (the nominal side of a scene is 128), y down; the origin of a thing is the point where it meets the ground.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wsss_steps.data.example_textures import Texture, bands, dots, pleats, scallops, weave, zigzag

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
Builder = Callable[[float, float, Paint, Paint], Parts]
"""(length of the body, radius of the key part, paint of the body, paint of the accent) to parts, farthest first."""

INK = Paint((0.13, 0.11, 0.15))
CREAM = Paint((0.98, 0.95, 0.86))
_LIMB = Paint((0.27, 0.19, 0.16))


# ---- outlines -----------------------------------------------------------------------------------------------------------


def polygon(*corners: tuple[float, float]) -> Points:
    """An outline through the given corners."""
    return np.array(corners, dtype=np.float64)


def ellipse(x: float, y: float, half_width: float, half_height: float, start: float = 0.0, stop: float = 360.0) -> Points:
    """An ellipse about (x, y), or its sector from `start` to `stop` degrees, clockwise on the screen from the direction of x."""
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
    return flat @ rotation + (x, y)


def limb_width(length: float) -> float:
    """Width of legs, masts and stems: two to three units, thin but not below what a mask can hold."""
    return 1.6 + 0.018 * length


# ---- the six classes ----------------------------------------------------------------------------------------------------


def bird(length: float, radius: float, body: Paint, accent: Paint) -> Parts:
    """An egg-shaped body on two thin legs, a tail, and a cream head with an orange beak."""
    width, leg = limb_width(length), 4 + 0.13 * length
    y = -leg - 0.30 * length
    head_x, head_y = 0.42 * length, y - 0.26 * length
    legs = [Part(line(foot, y + 0.2 * length, foot, 0, width), _LIMB) for foot in (-0.10 * length, 0.12 * length)]
    feet = [Part(line(foot - 1, -0.5 * width, foot + 4, -0.5 * width, width), _LIMB) for foot in (-0.10 * length, 0.12 * length)]
    tail = polygon((-0.3 * length, y - 0.1 * length), (-0.74 * length, y - 0.20 * length), (-0.66 * length, y + 0.06 * length), (-0.3 * length, y + 0.15 * length))
    beak = polygon((head_x + 0.6 * radius, head_y - 0.4 * radius), (head_x + 2.0 * radius, head_y + 0.25 * radius), (head_x + 0.5 * radius, head_y + 0.6 * radius))
    return [
        *legs,
        *feet,
        Part(tail, body),
        Part(ellipse(0, y, 0.5 * length, 0.34 * length), body),
        Part(beak, Paint((0.96, 0.55, 0.12)), key=True),
        Part(ellipse(head_x, head_y, radius, radius), CREAM, key=True),
        Part(ellipse(head_x, head_y, radius, radius, 190, 320), accent, key=True),
        Part(ellipse(head_x + 0.25 * radius, head_y - 0.1 * radius, 0.3 * radius, 0.3 * radius), INK, key=True),
    ]


def pineapple(length: float, radius: float, body: Paint, accent: Paint) -> Parts:
    """The same egg shape, lying, with a fan of pointed leaves where a bird has its head, and a thin curled stem behind."""
    width, y = limb_width(length), -0.34 * length
    light, dark = Paint((0.62, 0.80, 0.30)), Paint((0.16, 0.42, 0.22))
    crown = [
        Part(leaf(0.36 * length, y - 0.16 * length, 2.9 * radius, 0.95 * radius, -35 + turn), dark if i % 2 else light, key=True)
        for i, turn in enumerate((-75, 75, -38, 38, 0))
    ]
    stem = [Part(line(-0.45 * length, y, -0.64 * length, y - 0.06 * length, width), _LIMB), Part(line(-0.64 * length, y - 0.05 * length, -0.72 * length, y - 0.22 * length, width), _LIMB)]
    bract = Part(ellipse(0.40 * length, y - 0.19 * length, 0.35 * radius, 0.35 * radius), accent, key=True)
    return [*stem, *crown, Part(ellipse(0, y, 0.5 * length, 0.34 * length), body), bract]


def _hull(length: float, top: float) -> Points:
    return polygon(
        (-0.5 * length, top),
        (0.5 * length, top),
        (0.42 * length, top + 0.27 * length),
        (0.33 * length, top + 0.4 * length),
        (-0.33 * length, top + 0.4 * length),
        (-0.42 * length, top + 0.27 * length),
    )


def boat(length: float, radius: float, body: Paint, accent: Paint) -> Parts:
    """A wicker hull with a thin mast and a small striped sail."""
    width, top = limb_width(length), -0.4 * length
    tip = top - 0.12 * length - 3.2 * radius
    sail = Paint(CREAM.light, (0.82, 0.16, 0.18), bands)
    canvas = polygon((0.6 * width, tip + 0.2 * radius), (0.6 * width, tip + 3.0 * radius), (2.7 * radius, tip + 3.0 * radius))
    pennant = polygon((0, tip - 0.9 * radius), (-1.2 * radius, tip - 0.5 * radius), (0, tip - 0.1 * radius))
    return [
        Part(pennant, accent, key=True),
        Part(line(0, top + 1, 0, tip - radius, width), _LIMB),
        Part(canvas, sail, key=True),
        Part(_hull(length, top), body),
    ]


def cart(length: float, radius: float, body: Paint, accent: Paint) -> Parts:
    """A wicker box with a thin handle, on two small spoked wheels."""
    width = limb_width(length)
    top = -0.4 * length - 0.8 * radius
    handle = [
        Part(line(0.46 * length, top + 0.12 * length, 0.78 * length, top - 0.06 * length, width), _LIMB),
        Part(line(0.76 * length, top - 0.06 * length, 0.80 * length, top - 0.16 * length, width), _LIMB),
    ]
    wheels = [part for x in (-0.27 * length, 0.27 * length) for part in _wheel(x, -radius, radius, accent)]
    return [*handle, Part(_hull(length, top), body), *wheels]


def _wheel(x: float, y: float, radius: float, accent: Paint) -> Parts:
    inner = 0.68 * radius
    spokes = [
        Part(line(x - inner * math.cos(turn), y - inner * math.sin(turn), x + inner * math.cos(turn), y + inner * math.sin(turn), 0.26 * radius), INK, key=True)
        for turn in (0.3, 0.3 + math.pi / 3, 0.3 + 2 * math.pi / 3)
    ]
    return [
        Part(ellipse(x, y, radius, radius), INK, key=True),
        Part(ellipse(x, y, inner, inner), CREAM, key=True),
        *spokes,
        Part(ellipse(x, y, 0.27 * radius, 0.27 * radius), accent, key=True),
    ]


def _dome(length: float, base: float) -> Points:
    return np.concatenate([ellipse(0, base, 0.5 * length, 0.52 * length, 180, 360), ellipse(0, base, 0.5 * length, 0.09 * length, 0, 180)])


def beetle(length: float, radius: float, body: Paint, accent: Paint) -> Parts:
    """A spotted dome on six thin legs, with a dark head, two large eyes and feelers."""
    width, base = limb_width(length), -3.5 - 0.07 * length
    x, y = 0.5 * length, base - 0.55 * radius
    legs = [Part(line(foot * length, base - 1, (foot * 1.22 + 0.03) * length, 0, width), _LIMB) for foot in (-0.38, -0.27, -0.05, 0.06, 0.25, 0.34)]
    feelers = [Part(line(x + 0.3 * radius, y - 0.6 * radius, x + out * radius, y - up * radius, width), INK, key=True) for out, up in ((0.7, 1.9), (1.6, 1.5))]
    knobs = [Part(ellipse(x + out * radius, y - up * radius, 0.25 * radius, 0.25 * radius), accent, key=True) for out, up in ((0.7, 1.9), (1.6, 1.5))]
    eyes = [Part(ellipse(x + out * radius, y - 0.15 * radius, 0.28 * radius, 0.36 * radius), CREAM, key=True) for out in (0.1, 0.65)]
    pupils = [Part(ellipse(x + out * radius, y - 0.08 * radius, 0.12 * radius, 0.16 * radius), INK, key=True) for out in (0.17, 0.72)]
    return [*legs, *feelers, *knobs, Part(ellipse(x, y, 1.05 * radius, 0.95 * radius), INK, key=True), Part(_dome(length, base), body), *eyes, *pupils]


def mushroom(length: float, radius: float, body: Paint, accent: Paint) -> Parts:
    """The same spotted dome, on a short pleated stalk with a ring."""
    base = -2.3 * radius
    stalk = polygon((-0.75 * radius, base - 0.1 * length), (0.75 * radius, base - 0.1 * length), (1.1 * radius, 0), (-1.1 * radius, 0))
    folds = Paint(CREAM.light, (0.45, 0.28, 0.30), pleats)
    ring = polygon((-0.9 * radius, base + 0.7 * radius), (0.9 * radius, base + 0.7 * radius), (1.5 * radius, base + 1.3 * radius), (-1.5 * radius, base + 1.3 * radius))
    return [Part(stalk, folds, key=True), Part(ring, accent, key=True), Part(_dome(length, base), body)]


# ---- salient things without a class -------------------------------------------------------------------------------------


def ball(length: float, radius: float, body: Paint, accent: Paint) -> Parts:
    """A beach ball of bright segments."""
    half = 0.5 * length
    wedges = [Part(np.concatenate([polygon((0, -half)), ellipse(0, -half, half, half, turn, turn + 60)]), paint) for turn, paint in zip(range(20, 380, 60), (accent, CREAM) * 3, strict=True)]
    return [*wedges, Part(ellipse(0, -half, 0.22 * half, 0.22 * half), body)]


def gift(length: float, radius: float, body: Paint, accent: Paint) -> Parts:
    """A box with a zigzag wrapping, a ribbon and a bow."""
    half, height, ribbon = 0.5 * length, 0.8 * length, 0.16 * length
    wrapping = Paint(accent.light, body.light, zigzag)
    bow = [Part(leaf(0, -height, 0.45 * length, 0.3 * length, turn), CREAM) for turn in (-150, -30)]
    box = polygon((-half, 0), (-half, -height), (half, -height), (half, 0))
    band = polygon((-ribbon / 2, 0), (-ribbon / 2, -height), (ribbon / 2, -height), (ribbon / 2, 0))
    return [Part(box, wrapping), Part(band, CREAM), *bow]


def sign(length: float, radius: float, body: Paint, accent: Paint) -> Parts:
    """A diamond on a pole, with a bright rim."""
    half, y = 0.5 * length, -1.25 * length
    diamond = polygon((0, -half), (half, 0), (0, half), (-half, 0))
    return [
        Part(line(0, y, 0, 0, limb_width(length)), _LIMB),
        Part(diamond + (0, y), CREAM),
        Part(0.8 * diamond + (0, y), accent),
        Part(0.45 * diamond + (0, y), body),
    ]


BUILDERS: dict[str, tuple[Builder, Texture]] = {
    "bird": (bird, scallops),
    "pineapple": (pineapple, scallops),
    "boat": (boat, weave),
    "cart": (cart, weave),
    "beetle": (beetle, dots),
    "mushroom": (mushroom, dots),
}
"""Class name to (its builder, the texture of its body); the order is that of the class numbers, from 1."""

DISTRACTORS: dict[str, Builder] = {"ball": ball, "gift": gift, "sign": sign}
