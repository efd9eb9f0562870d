"""Photographs as arrays: 8-bit RGB, rows first."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8
from numpy import ndarray
from PIL import Image

from wsss_steps.errors import UserError
from wsss_steps.formats import pictures
from wsss_steps.formats.pictures import DAMAGED

# what Pillow converts to RGB without clipping
EIGHT_BIT_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr")

MOST_PIXELS = 89_478_485  # Pillow's own limit: an image of 256 MiB. Networks and stores would need many times that.


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """An image file, not decoded yet; a UserError if it is missing, damaged, too large, or not of 8 bits per channel.

    It is as stored in the file: `pictures.upright` turns it. Damage found while decoding inside the block is a
    UserError too.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit below is the same
            with pictures.opened(path, pictures.PHOTOGRAPHS) as image:
                width, height = image.size
                if width * height > MOST_PIXELS:
                    raise UserError(
                        f"{path}: expected at most {MOST_PIXELS / 1e6:.0f} megapixels, found {height} x {width} "
                        f"(height x width), {width * height / 1e6:.0f}; make it smaller"
                    )
                if image.mode not in EIGHT_BIT_MODES:
                    raise UserError(
                        f"{path}: expected an image of 8 bits per channel, found mode {image.mode}; "
                        "convert it to 8-bit RGB"
                    )
                yield image
    except FileNotFoundError:
        raise UserError(f"{path}: no such image") from None
    except DAMAGED as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{path}: not a readable image ({error})") from None


def read_image(path: Path) -> UInt8[ndarray, "H W 3"]:
    """Read an image as RGB, upright: row 0 is the top, column 0 the left, as a viewer shows it.

    Grey, indexed and CMYK images are converted, transparency is dropped, the orientation in EXIF is applied. A
    UserError for a missing, damaged, animated, too large or 16-bit file.
    """
    with opened(path) as image:
        return np.array(pictures.upright(image).convert("RGB"))


def normalise(image: UInt8[ndarray, "H W 3"], mean: Sequence[float], std: Sequence[float]) -> Float32[ndarray, "3 H W"]:
    """(RGB / 255 - mean) / std, channels first: what a network reads."""
    scaled = (image.astype(np.float32) / np.float32(255) - np.asarray(mean, np.float32)) / np.asarray(std, np.float32)
    return np.ascontiguousarray(scaled.transpose(2, 0, 1))


def resize_image(image: UInt8[ndarray, "H W 3"], size: tuple[int, int]) -> UInt8[ndarray, "h w 3"]:
    """Bicubic resize to `size` (height, width) in pixels.

    When shrinking, the kernel is widened, so that fine texture does not alias.
    """
    if image.shape[:2] == tuple(size):
        return image
    height, width = size
    return np.array(Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC))


def resize_nearest(labels: ndarray, size: tuple[int, int]) -> ndarray:
    """Nearest-neighbour resize of a label map (H, W) of any type to `size` (height, width), pixel centres aligned."""
    rows, columns = (
        ((np.arange(new) + 0.5) * old / new).astype(np.intp) for new, old in zip(size, labels.shape, strict=True)
    )
    return np.ascontiguousarray(labels[rows[:, None], columns])
