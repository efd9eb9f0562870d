"""Overlapping tiles of a large image: what is read of it at once, and which pixels of that are kept."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

MOST_STEPS = 64  # multiples of the stride that are tried for a common grid of all scales


@dataclass(frozen=True)
class Span:
    """Along one axis, in px: `start` to `stop` are read, of these `first` to `last` are kept; all half-open."""

    start: int
    stop: int
    first: int
    last: int

    @property
    def read(self) -> slice:
        """What is read, in the image."""
        return slice(self.start, self.stop)

    @property
    def target(self) -> slice:
        """What is kept, in the image."""
        return slice(self.first, self.last)

    @property
    def kept(self) -> slice:
        """What is kept, in the tile."""
        return slice(self.first - self.start, self.last - self.start)


Tile = tuple[Span, Span]
"""Rows and columns."""


def spans(length: int, side: int, overlap: int, step: int) -> list[Span]:
    """Spans of at most `side` px (a little more for the last, see below) that cover an axis of `length` px.

    Two neighbours share at least `overlap` px, and each is kept as far as the middle of what they share: so every pixel
    is kept once, with at least `overlap` // 2 px of its surroundings read on each side. They start at multiples of
    `step`, for which the last may be up to `step` px longer. An axis of at most `side` px is one span.
    """
    if length <= side:
        return [Span(0, length, 0, length)]
    advance = max(step, (side - overlap) // step * step)
    final = (length - side) // step * step
    starts = [*range(0, final, advance), final]
    stops = [*(start + side for start in starts[:-1]), length]
    borders = [0, *((after + stop) // 2 for after, stop in zip(starts[1:], stops, strict=False)), length]
    return [Span(*one) for one in zip(starts, stops, borders[:-1], borders[1:], strict=True)]


def tiles(size: tuple[int, int], side: int | None, overlap: int, step: int) -> Iterator[Tile]:
    """The tiles of an image of `size` (height, width), from left to right and top to bottom; one, without a `side`."""
    rows, columns = (spans(length, side or length, overlap, step) for length in size)
    yield from ((row, column) for row in rows for column in columns)


def common_step(stride: int, scales: Sequence[float]) -> int:
    """The least multiple of `stride` px that is a multiple of it at each of `scales` too, if one is near.

    Tiles that start there have the network's cells where the whole image has them. Without one it is the stride.
    """
    ratios = [Fraction(scale).limit_denominator(MOST_STEPS) for scale in scales]
    exact = all(math.isclose(float(ratio), scale, rel_tol=1e-9) for ratio, scale in zip(ratios, scales, strict=True))
    steps = math.lcm(*(ratio.denominator for ratio in ratios))
    return stride * steps if exact and steps <= MOST_STEPS else stride
