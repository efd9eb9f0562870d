"""Label maps as indexed PNG with the palette of PASCAL VOC."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wsss_steps.errors import UserError
from wsss_steps.formats import pictures


def voc_palette() -> list[int]:
    """The 256 colours of VOC label images as 768 numbers: a label's bits spread over the high bits of R, G and B."""
    palette = []
    for label in range(256):
        for channel in range(3):
            palette.append(sum(((label >> (3 * bit + channel)) & 1) << (7 - bit) for bit in range(3)))
    return palette


def write_labels(path: Path, labels: NDArray[np.uint8]) -> None:
    """Write a label map (H, W), 0..C and 255, as an indexed PNG; not atomic, for use inside a folder of `whole`."""
    if labels.dtype != np.uint8 or labels.ndim != 2:
        raise ValueError(
            f"{path}: expected a label map of 2 dimensions of uint8, found {labels.ndim} of {labels.dtype}"
        )
    image = Image.fromarray(labels, mode="P")
    image.putpalette(voc_palette())
    image.save(path)


def read_labels(path: Path) -> NDArray[np.uint8]:
    """Read a label map (H, W), upright, from an indexed or grey 8-bit image in a lossless format, whatever its name.

    A UserError for a missing or damaged file, another mode, or a lossy format (JPEG).
    """
    try:
        with pictures.opened_without_loss(path) as image:
            if image.mode not in ("P", "L"):
                raise UserError(
                    f"{path}: expected an indexed (P) or grey (L) 8-bit label image, found mode {image.mode}"
                )
            return np.array(pictures.upright(image), dtype=np.uint8)
    except FileNotFoundError:
        raise UserError(f"{path}: no such label image") from None
    except pictures.DAMAGED as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{path}: not a readable label image ({error})") from None
