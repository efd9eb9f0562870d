"""Label maps over their photographs, with the names of the classes below."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from wsss_steps.ops import drawing, fonts
from wsss_steps.report.artifacts.panels import fitted
from wsss_steps.report.sheet import INK, PALETTE, PAPER

LONGEST = 1280  # px: longest side of the picture of a larger photograph
LINE, GAP, SWATCH = 26, 10, 14  # px: height of a line of names, between names, side of a colour


def overlay(image: NDArray[np.uint8], labels: NDArray[np.uint8], names: Sequence[str]) -> NDArray[np.uint8]:
    """A photograph (H, W, 3) with its label map (H, W) over it, at most `LONGEST` px wide and high, names below.

    names: of the labels 0..C; those that the map shows are listed, the largest first.
    """
    photo = fitted(image, LONGEST) if max(image.shape[:2]) > LONGEST else image
    picture = drawing.overlaid(photo, drawing.nearest(labels, *photo.shape[:2]), PALETTE)
    counts = np.bincount(labels.ravel(), minlength=len(names))[: len(names)]
    shown = [int(label) for label in np.argsort(-counts, kind="stable") if label and counts[label]]
    listed = [(names[label], _percent(counts[label] / labels.size), PALETTE[label].tolist()) for label in shown]
    return np.concatenate([picture, _legend(listed, picture.shape[1])])


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.005 else "< 1 %"


def _legend(listed: Sequence[tuple[str, str, list[int]]], width: int) -> NDArray[np.uint8]:
    """Colours with names and shares, in as many lines of `width` px as they need."""
    font = fonts.sans(13)
    places, left, line = [], GAP, 0
    for name, share, colour in listed:
        text = f"{name} {share}"
        needed = SWATCH + 6 + round(font.getlength(text)) + GAP
        if left > GAP and left + needed > width:
            left, line = GAP, line + 1
        places.append((text, colour, left, line * LINE))
        left += needed
    image = Image.new("RGB", (width, (line + 1) * LINE), PAPER)
    pen = ImageDraw.Draw(image)
    if not places:
        pen.text((GAP, 4), "background alone", INK, font)
    for text, colour, x, y in places:
        pen.rectangle((x, y + 6, x + SWATCH, y + 6 + SWATCH), fill=tuple(colour))
        pen.text((x + SWATCH + 6, y + 4), text, INK, font)
    return np.asarray(image)
