"""Pictures of maps: heat maps over a photograph, label maps in colour, superpixels in their mean colours."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float32, Integer, UInt8
from numpy.typing import NDArray
from skimage.color import label2rgb

from wsss_steps.ops.labels import IGNORE

# Stops of the heat colours, from 0 to 1: dark blue, cyan, yellow, red.
_HEAT = np.array([(20, 20, 110), (0, 170, 220), (250, 230, 70), (220, 30, 20)], np.float32)
_HATCH = ((238, 238, 238), (196, 196, 196))  # ground and stroke of pixels without a label
_HATCH_PERIOD = 8  # px
_ABOVE, _BELOW = (214, 20, 20), (20, 60, 214)  # of differences: red, blue


def nearest(values: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """A map (H, W) or (H, W, ...) resized by nearest neighbour."""
    rows = (np.arange(height) + 0.5) * values.shape[0] / height
    columns = (np.arange(width) + 0.5) * values.shape[1] / width
    sampled: NDArray[Any] = values[rows.astype(np.intp)[:, None], columns.astype(np.intp)]
    return sampled


def heat(image: UInt8[np.ndarray, "H W 3"], values: Float32[np.ndarray, "H W"]) -> UInt8[np.ndarray, "H W 3"]:
    """Overlay values in [0, 1] on an image as heat colours; the lower the value, the more transparent."""
    colours = _heat(values)
    share = (0.4 + 0.3 * np.clip(values, 0, 1))[..., None]
    blended: NDArray[np.uint8] = np.rint(share * colours + (1 - share) * image).astype(np.uint8)
    return blended


def ramp(values: Float32[np.ndarray, "H W"]) -> UInt8[np.ndarray, "H W 3"]:
    """The heat colours of values in [0, 1], as for a legend."""
    return np.rint(_heat(values)).astype(np.uint8)


def _heat(values: Float32[np.ndarray, "H W"]) -> NDArray[np.float64]:
    stops = np.linspace(0, 1, len(_HEAT))
    return np.stack([np.interp(values, stops, _HEAT[:, channel]) for channel in range(3)], axis=-1)


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
    picture[outlines(regions)] = 255
    return picture


def outlines(regions: Integer[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """The pixels whose upper or left neighbour is of another region."""
    found = np.zeros(regions.shape, bool)
    found[1:] |= regions[1:] != regions[:-1]
    found[:, 1:] |= regions[:, 1:] != regions[:, :-1]
    return found


def edges(regions: Integer[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """The pixels on either side of a border between two regions."""
    found = np.zeros(regions.shape, bool)
    rows, columns = regions[1:] != regions[:-1], regions[:, 1:] != regions[:, :-1]
    found[1:], found[:-1] = rows, found[:-1] | rows
    found[:, 1:] |= columns
    found[:, :-1] |= columns
    return found


def overlaid(
    image: UInt8[np.ndarray, "H W 3"], labels: UInt8[np.ndarray, "H W"], palette: UInt8[np.ndarray, "256 3"]
) -> UInt8[np.ndarray, "H W 3"]:
    """A label map over an image: classes half transparent with an outline, background clear, without a label pale."""
    share = np.where(labels == IGNORE, 0.72, np.where(labels == 0, 0.0, 0.5))[..., None]
    picture: NDArray[np.uint8] = np.rint(share * coloured(labels, palette) + (1 - share) * image).astype(np.uint8)
    border = edges(labels)
    picture[border] = palette[labels[border]]
    picture[border & ((labels == 0) | (labels == IGNORE))] = 255
    return picture


def principal_colours(features: Float[np.ndarray, "h w d"]) -> UInt8[np.ndarray, "h w 3"]:
    """The first three principal components as red, green and blue, each stretched from its least to its largest value.

    The sign of a component is that with which its largest loading is positive, so that equal features give equal
    pictures.
    """
    rows = features.reshape(-1, features.shape[-1]).astype(np.float64)
    centred = rows - rows.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:3]
    axes = axes * np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])[:, None]
    values = np.zeros((len(rows), 3))
    values[:, : len(axes)] = centred @ axes.T
    low, span = values.min(axis=0), np.ptp(values, axis=0)
    scaled = (values - low) / np.where(span > 0, span, 1)
    picture: NDArray[np.uint8] = np.rint(255 * scaled).astype(np.uint8).reshape(*features.shape[:2], 3)
    return picture


def signed(image: UInt8[np.ndarray, "H W 3"], values: Float32[np.ndarray, "H W"]) -> UInt8[np.ndarray, "H W 3"]:
    """Differences in [-1, 1] over the image in pale grey: blue below 0, red above, full colour from 0.5 on."""
    share = np.clip(2 * np.abs(values), 0, 1)[..., None]
    colours = np.where((values > 0)[..., None], np.array(_ABOVE), np.array(_BELOW))
    blended: NDArray[np.uint8] = np.rint(share * colours + (1 - share) * _pale(image)).astype(np.uint8)
    return blended


def _pale(image: UInt8[np.ndarray, "H W 3"]) -> NDArray[np.float64]:
    """The image in grey (H, W, 1), so light that colours stand out."""
    grey: NDArray[np.float64] = 150 + 0.35 * image.mean(axis=-1, keepdims=True)
    return grey


def marked(image: UInt8[np.ndarray, "H W 3"], where: Bool[np.ndarray, "H W"]) -> UInt8[np.ndarray, "H W 3"]:
    """The image in pale grey, the marked pixels in red."""
    grey = np.rint(_pale(image)).astype(np.uint8).repeat(3, axis=-1)
    return np.where(where[..., None], np.array(_ABOVE, np.uint8), grey)
