"""Salient things of the example scenes that belong to no class: a ball, a gift and a sign, as painted outlines.

Coordinates are as in `shapes`; a thing without a class has no key part, and ignores its radius.
"""

from __future__ import annotations

import numpy as np

from wsss_steps.example.shapes import (
    CREAM,
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
from wsss_steps.example.textures import zigzag
from wsss_steps.example.things import Builder


def ball(length: float, radius: float, body: Paint, accent: Paint) -> Parts:
    """A beach ball of bright segments."""
    half = 0.5 * length
    wedges = [
        Part(np.concatenate([polygon((0, -half)), ellipse(0, -half, half, half, turn, turn + 60)]), paint)
        for turn, paint in zip(range(20, 380, 60), (accent, CREAM) * 3, strict=True)
    ]
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
    middle = -1.25 * length
    return [
        Part(line(0, middle, 0, 0, limb_width(length)), LIMB),
        Part(_diamond(middle, 0.5 * length), CREAM),
        Part(_diamond(middle, 0.4 * length), accent),
        Part(_diamond(middle, 0.225 * length), body),
    ]


def _diamond(y: float, half: float) -> Points:
    return polygon((0, y - half), (half, y), (0, y + half), (-half, y))


DISTRACTORS: dict[str, Builder] = {"ball": ball, "gift": gift, "sign": sign}
