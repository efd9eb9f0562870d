"""The classes of the example scenes as painted outlines: six, in three pairs.

The two classes of a pair share the shape and the texture of their large body; only a small key part, which sits on the
body, tells them apart:

- scallops: bird (head with beak and eye), pineapple (crown of pointed leaves)
- weave: boat (striped sail), cart (spoked wheels)
- dots: beetle (dark head with eyes and feelers), mushroom (pleated stalk with a ring)

Coordinates are (x, y) in scene units (the nominal side of a scene is 128), y down; the origin of a thing is the point
where it meets the ground.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from wsss_steps.example.shapes import (
    CREAM,
    INK,
    LIMB,
    Paint,
    Part,
    Parts,
    Points,
    ellipse,
    leaf,
    limb_width,
    line,
    polygon,
)
from wsss_steps.example.textures import Texture, bands, dots, pleats, scallops, weave

Builder = Callable[[float, float, Paint, Paint], Parts]
"""(length of the body, radius of the key part, paint of the body, paint of the accent) to parts, farthest first."""


def bird(length: float, radius: float, body: Paint, accent: Paint) -> Parts:
    """An egg-shaped body on two thin legs, a tail, and a cream head with an orange beak."""
    width, leg = limb_width(length), 4 + 0.13 * length
    y = -leg - 0.30 * length
    head_x, head_y = 0.22 * length, y - 0.30 * length
    legs = [Part(line(foot, y + 0.2 * length, foot, 0, width), LIMB) for foot in (-0.10 * length, 0.12 * length)]
    feet = [
        Part(line(foot - 1, -0.5 * width, foot + 4, -0.5 * width, width), LIMB)
        for foot in (-0.10 * length, 0.12 * length)
    ]
    tail = polygon(
        (-0.3 * length, y - 0.1 * length),
        (-0.74 * length, y - 0.20 * length),
        (-0.66 * length, y + 0.06 * length),
        (-0.3 * length, y + 0.15 * length),
    )
    beak = polygon(
        (head_x + 0.6 * radius, head_y - 0.4 * radius),
        (head_x + 2.0 * radius, head_y + 0.25 * radius),
        (head_x + 0.5 * radius, head_y + 0.6 * radius),
    )
    return [
        *legs,
        *feet,
        Part(tail, body),
        Part(ellipse(0, y, 0.5 * length, 0.34 * length), body),
        Part(beak, Paint((0.96, 0.55, 0.12)), key=True),
        Part(ellipse(head_x, head_y, radius, radius), CREAM, key=True),
        Part(ellipse(head_x, head_y, radius, radius, 190, 320), Paint((0.85, 0.16, 0.30)), key=True),
        Part(leaf(head_x - 0.3 * radius, head_y - 0.85 * radius, 0.9 * radius, 0.45 * radius, -110), accent, key=True),
        Part(ellipse(head_x + 0.25 * radius, head_y - 0.1 * radius, 0.3 * radius, 0.3 * radius), INK, key=True),
    ]


def pineapple(length: float, radius: float, body: Paint, accent: Paint) -> Parts:
    """The same egg shape, lying, with a fan of pointed leaves where a bird has its head, and a thin stem behind."""
    width, y = limb_width(length), -0.34 * length
    root_x, root_y = 0.14 * length, y - 0.26 * length
    rim, blade = Paint((0.10, 0.30, 0.17)), Paint((0.72, 0.87, 0.30))
    crown = []
    for turn in (-150, 0, -113, -37, -75):
        crown.append(Part(leaf(root_x, root_y, 3.0 * radius, 1.15 * radius, turn), rim, key=True))
        crown.append(Part(leaf(root_x, root_y, 2.6 * radius, 0.6 * radius, turn), blade, key=True))
    knee_x, knee_y = -0.64 * length, y - 0.05 * length
    stem = [
        Part(line(-0.45 * length, y, knee_x, knee_y, width), LIMB),
        Part(line(knee_x, knee_y, -0.72 * length, y - 0.22 * length, width), LIMB),
    ]
    bract = Part(ellipse(0.16 * length, y - 0.30 * length, 0.35 * radius, 0.35 * radius), accent, key=True)
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
    tip = top - 2.7 * radius
    sail = Paint(CREAM.light, (0.82, 0.16, 0.18), bands)
    canvas = polygon(
        (0.2 * width, tip + 0.2 * radius), (0.2 * width, tip + 3.0 * radius), (2.7 * radius, tip + 3.0 * radius)
    )
    pennant = polygon((0, tip - 0.9 * radius), (-1.2 * radius, tip - 0.5 * radius), (0, tip - 0.1 * radius))
    return [
        Part(pennant, accent, key=True),
        Part(line(0, top + 1, 0, tip - radius, width), LIMB),
        Part(canvas, sail, key=True),
        Part(_hull(length, top), body),
    ]


def cart(length: float, radius: float, body: Paint, accent: Paint) -> Parts:
    """A wicker box with a thin handle, on two small spoked wheels."""
    width = limb_width(length)
    top = -0.4 * length - 0.8 * radius
    handle = [
        Part(line(0.46 * length, top + 0.12 * length, 0.78 * length, top - 0.06 * length, width), LIMB),
        Part(line(0.76 * length, top - 0.06 * length, 0.80 * length, top - 0.16 * length, width), LIMB),
    ]
    wheels = [part for x in (-0.27 * length, 0.27 * length) for part in _wheel(x, -radius, radius, accent)]
    return [*handle, Part(_hull(length, top), body), *wheels]


def _wheel(x: float, y: float, radius: float, accent: Paint) -> Parts:
    inner = 0.68 * radius
    spokes = [
        Part(
            line(
                x - inner * math.cos(turn),
                y - inner * math.sin(turn),
                x + inner * math.cos(turn),
                y + inner * math.sin(turn),
                0.26 * radius,
            ),
            INK,
            key=True,
        )
        for turn in (0.3, 0.3 + math.pi / 3, 0.3 + 2 * math.pi / 3)
    ]
    return [
        Part(ellipse(x, y, radius, radius), INK, key=True),
        Part(ellipse(x, y, inner, inner), CREAM, key=True),
        *spokes,
        Part(ellipse(x, y, 0.27 * radius, 0.27 * radius), accent, key=True),
    ]


def _dome(length: float, base: float) -> Points:
    return np.concatenate(
        [ellipse(0, base, 0.5 * length, 0.52 * length, 180, 360), ellipse(0, base, 0.5 * length, 0.09 * length, 0, 180)]
    )


def beetle(length: float, radius: float, body: Paint, accent: Paint) -> Parts:
    """A spotted dome on six thin legs, with a dark head, two large eyes and feelers."""
    width, base = limb_width(length), -3.5 - 0.07 * length
    x, y = 0.3 * length, base - 0.12 * length
    legs = [
        Part(line(foot * length, base - 1, (foot * 1.22 + 0.03) * length, 0, width), LIMB)
        for foot in (-0.38, -0.27, -0.05, 0.06, 0.25, 0.34)
    ]
    feelers = [
        Part(line(x + 0.3 * radius, y - 0.6 * radius, x + out * radius, y - up * radius, width), INK, key=True)
        for out, up in ((0.7, 1.9), (1.6, 1.5))
    ]
    knobs = [
        Part(ellipse(x + out * radius, y - up * radius, 0.25 * radius, 0.25 * radius), accent, key=True)
        for out, up in ((0.7, 1.9), (1.6, 1.5))
    ]
    eyes = [
        Part(ellipse(x + out * radius, y - 0.15 * radius, 0.28 * radius, 0.36 * radius), CREAM, key=True)
        for out in (0.1, 0.65)
    ]
    pupils = [
        Part(ellipse(x + out * radius, y - 0.08 * radius, 0.12 * radius, 0.16 * radius), INK, key=True)
        for out in (0.17, 0.72)
    ]
    return [
        *legs,
        Part(_dome(length, base), body),
        *feelers,
        *knobs,
        Part(ellipse(x, y, 1.05 * radius, 0.95 * radius), INK, key=True),
        *eyes,
        *pupils,
    ]


def mushroom(length: float, radius: float, body: Paint, accent: Paint) -> Parts:
    """The same spotted dome, on a short pleated stalk with a ring."""
    base = -2.2 * radius
    folds = Paint(CREAM.light, (0.36, 0.18, 0.34), pleats)
    stalk = polygon((-0.75 * radius, base), (0.75 * radius, base), (1.1 * radius, 0), (-1.1 * radius, 0))
    ring = polygon(
        (-0.9 * radius, base + 1.0 * radius),
        (0.9 * radius, base + 1.0 * radius),
        (1.5 * radius, base + 1.6 * radius),
        (-1.5 * radius, base + 1.6 * radius),
    )
    gills = ellipse(0, base, min(1.9 * radius, 0.42 * length), 0.55 * radius)
    return [
        Part(stalk, folds, key=True),
        Part(ring, Paint((0.97, 0.78, 0.20)), key=True),
        Part(_dome(length, base), body),
        Part(gills, folds, key=True),
        Part(ellipse(0, base, 0.75 * radius, 0.25 * radius), accent, key=True),
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
