"""Pictures that a browser lays over a photograph, as maps of indices into a palette of colours with opacity.

Index 0 is transparent everywhere. A palette is (256, 4): red, green, blue and opacity, 0 to 255.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Integer, UInt8
from numpy.typing import NDArray

from wsss_steps.ops.labels import IGNORE

LEVELS = 32  # of a heat map: its picture is a third as large as with 256, and looks the same
HATCH_PERIOD, HATCH_STROKE = 8, 2  # px: of the stripes on pixels without a label
STROKE = 2  # px: width of an outline inside an object
LIGHT, DARK = 1, 2  # indices of a border between regions
WHITE, BLACK, GREY = (255, 255, 255), (0, 0, 0), (225, 225, 225)
MEAN_COLOUR = (124, 116, 104)  # of ImageNet: what an erased pixel is to a classifier, 0 after normalisation
# stops from the lowest to the highest value, both ascending in lightness
HEAT = ((10, 10, 90), (110, 20, 130), (210, 60, 80), (250, 150, 20), (255, 250, 160))
ORDER = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))

# ---- maps of indices


def _touching(mask: Bool[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """The pixels that are in `mask` or have a 4-neighbour in it."""
    found = mask.copy()
    found[1:] |= mask[:-1]
    found[:-1] |= mask[1:]
    found[:, 1:] |= mask[:, :-1]
    found[:, :-1] |= mask[:, 1:]
    return found


def _meeting(regions: Integer[np.ndarray, "H W"]) -> tuple[Bool[np.ndarray, "H W"], Bool[np.ndarray, "H W"]]:
    """The pixels whose right or lower neighbour is of another region, and those of which the left or upper one is."""
    before, after = np.zeros(regions.shape, bool), np.zeros(regions.shape, bool)
    below, beside = regions[1:] != regions[:-1], regions[:, 1:] != regions[:, :-1]
    before[:-1] |= below
    before[:, :-1] |= beside
    after[1:] |= below
    after[:, 1:] |= beside
    return before, after


def is_object(labels: UInt8[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """The pixels of classes 1..C: neither background nor unlabelled."""
    found: NDArray[np.bool_] = (labels != 0) & (labels != IGNORE)
    return found


def fill(labels: UInt8[np.ndarray, "H W"]) -> UInt8[np.ndarray, "H W"]:
    """The classes as they are, and diagonal stripes of 255 where there is no label; the background is transparent."""
    diagonal = np.add.outer(np.arange(labels.shape[0]), np.arange(labels.shape[1])) % HATCH_PERIOD
    return np.where((labels == IGNORE) & (diagonal >= HATCH_STROKE), 0, labels).astype(np.uint8)


def outline(labels: UInt8[np.ndarray, "H W"]) -> UInt8[np.ndarray, "H W"]:
    """Outlines of objects: their class on pixels within `STROKE` 4-neighbours of another label, and 255 around them.

    The border of the image is no other label.
    """
    objects = is_object(labels)
    before, after = _meeting(labels)
    rim = before | after
    for _ in range(STROKE - 1):
        rim = _touching(rim)
    around = _touching(objects) & ~objects
    found: NDArray[np.uint8] = np.where(rim & objects, labels, np.where(around, IGNORE, 0)).astype(np.uint8)
    return found


def borders(regions: Integer[np.ndarray, "H W"]) -> UInt8[np.ndarray, "H W"]:
    """Borders between regions, `LIGHT` on the left or upper pixel and `DARK` on the other, to be seen on any colour."""
    before, after = _meeting(regions)
    return np.where(before, LIGHT, np.where(after, DARK, 0)).astype(np.uint8)


def order(regions: Integer[np.ndarray, "H W"], count: int) -> UInt8[np.ndarray, "H W"]:
    """Regions 1..count as indices 1..255, evenly spread, in their order."""
    steps = max(count - 1, 1)
    found: NDArray[np.uint8] = (1 + (regions.astype(np.int64) - 1) * 254 // steps).astype(np.uint8)
    return found


def heat(values: Float[np.ndarray, "H W"]) -> UInt8[np.ndarray, "H W"]:
    """Values in [0, 1] as levels 0..`LEVELS` - 1."""
    found: NDArray[np.uint8] = np.rint(np.clip(values, 0, 1) * (LEVELS - 1)).astype(np.uint8)
    return found


# ---- palettes


def palette(colours: Mapping[int, Sequence[int]], length: int) -> UInt8[np.ndarray, "n 4"]:
    """`length` colours: those given, opaque, and the others transparent."""
    found = np.zeros((length, 4), np.uint8)
    for index, colour in colours.items():
        found[index] = (*colour, 255)
    return found


def bright(colours: UInt8[np.ndarray, "256 3"]) -> UInt8[np.ndarray, "256 3"]:
    """The palette of VOC, half of which is too dark for outlines, with the darkest parts raised; all stay different."""
    found: NDArray[np.uint8] = np.rint(255 * (colours / 255) ** 0.45).astype(np.uint8)
    return found


def _ramp(stops: tuple[tuple[int, int, int], ...], count: int) -> NDArray[np.uint8]:
    """`count` colours evenly spread over the stops, (count, 3)."""
    places = np.linspace(0, len(stops) - 1, count)
    channels = [np.interp(places, np.arange(len(stops)), [stop[channel] for stop in stops]) for channel in range(3)]
    return np.rint(np.stack(channels, axis=1)).astype(np.uint8)


def heat_palette() -> UInt8[np.ndarray, "n 4"]:
    """Colours of the levels; the lower, the more transparent, opaque from a value of 2/3."""
    opacity = np.rint(255 * np.clip(1.5 * np.linspace(0, 1, LEVELS), 0, 1)).astype(np.uint8)
    return np.concatenate([_ramp(HEAT, LEVELS), opacity[:, None]], axis=1)


def order_palette() -> UInt8[np.ndarray, "256 4"]:
    """Colours of 1..255, from dark violet to yellow."""
    found = np.zeros((256, 4), np.uint8)
    found[1:, :3] = _ramp(ORDER, 255)
    found[1:, 3] = 255
    return found


# ---- shares of pixels


def differing(first: NDArray[Any], second: NDArray[Any]) -> float:
    """Share of the pixels on which two label maps of one size differ; no label is a label like any other here."""
    if first.shape != second.shape:
        raise ValueError(f"expected label maps of one size, found {first.shape} and {second.shape}")
    return float((first != second).mean())
