"""Class activation maps at the size of their image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wsss_steps.data.manifest import Entry
from wsss_steps.formats.stores import Store


def full_size(maps: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Class maps (n, H, W) at the size of the image; strided maps (every fourth pixel) are enlarged bilinearly.

    A ValueError if they have neither of these sizes.
    """
    strided = ((height - 1) // 4 + 1, (width - 1) // 4 + 1)
    if maps.shape[1:] == (height, width):
        return maps
    if maps.shape[1:] != strided:
        raise ValueError(f"expected class maps of {(height, width)} or {strided} (H, W), found {maps.shape[1:]}")
    enlarged = np.empty((len(maps), height, width), np.float32)
    for index, plane in enumerate(maps):
        enlarged[index] = np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.BILINEAR))
    return enlarged


def read_cam(store: Store, entry: Entry) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Class maps (n, H, W) of one image and their classes (n,)."""
    arrays = store[entry.id]
    return full_size(arrays["cam"], entry.height, entry.width), arrays["class"]
