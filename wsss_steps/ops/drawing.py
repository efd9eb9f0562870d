"""Pictures of maps: heat maps over a photograph, label maps in colour, superpixels in their mean colours."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float32, Integer, UInt8
from numpy.typing import NDArray
from skimage.color import label2rgb

from wsss_steps.ops.labels import IGNORE

# Stops of the heat colours, from 0 to 1: dark blue, cyan, yellow, red.
_HEAT = np.array([(20, 20, 110), (0, 170, 220), (250, 230, 70), (220, 30, 20)], np.float32)
_HATCH = ((238, 238, 238), (196, 196, 196))  # ground and stroke of pixels without a label
_HATCH_PERIOD = 8  # px


def nearest(values: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """A map (H, W) or (H, W, ...) resized by nearest neighbour."""
    rows = (np.arange(height) + 0.5) * values.shape[0] / height
    columns = (np.arange(width) + 0.5) * values.shape[1] / width
    sampled: NDArray[Any] = values[rows.astype(np.intp)[:, None], columns.astype(np.intp)]
    return sampled


def heat(image: UInt8[np.ndarray, "H W 3"], values: Float32[np.ndarray, "H W"]) -> UInt8[np.ndarray, "H W 3"]:
    """Overlay values in [0, 1] on an image as heat colours; the lower the value, the more transparent."""
    stops = np.linspace(0, 1, len(_HEAT))
    colours = np.stack([np.interp(values, stops, _HEAT[:, channel]) for channel in range(3)], axis=-1)
    share = (0.4 + 0.3 * np.clip(values, 0, 1))[..., None]
    blended: NDArray[np.uint8] = np.rint(share * colours + (1 - share) * image).astype(np.uint8)
    return blended


def coloured(labels: UInt8[np.ndarray, "H W"], palette: UInt8[np.ndarray, "256 3"]) -> UInt8[np.ndarray, "H W 3"]:
    """A label map in the colours of `palette`; pixels without a label are hatched in grey."""
    diagonal = np.add.outer(np.arange(labels.shape[0]), np.arange(labels.shape[1])) % _HATCH_PERIOD
    hatched = np.where((diagonal < 2)[..., None], *(np.array(colour, np.uint8) for colour in reversed(_HATCH)))
    return np.where((labels == IGNORE)[..., None], hatched, palette[labels])


def mean_colours(image: UInt8[np.ndarray, "H W 3"], regions: Integer[np.ndarray, "H W"]) -> UInt8[np.ndarray, "H W 3"]:
    """Every region in its mean colour, with white edges between regions."""
    # of floats, since it cuts off the decimals of an image of integers
    means = label2rgb(regions, image.astype(np.float64), kind="avg", bg_label=-1)  # type: ignore[no-untyped-call]
    picture: NDArray[np.uint8] = np.rint(means).astype(np.uint8)
    edge = np.zeros(regions.shape, bool)
    edge[1:] |= regions[1:] != regions[:-1]
    edge[:, 1:] |= regions[:, 1:] != regions[:, :-1]
    picture[edge] = 255
    return picture
