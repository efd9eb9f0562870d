"""A label image from the outlines of objects that may overlap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, UInt8
from numpy import ndarray


def paint(
    size: tuple[int, int], masks: Sequence[Bool[ndarray, "H W"]], labels: Sequence[int], *, smaller_on_top: bool
) -> UInt8[ndarray, "H W"]:
    """The label image of `size` (height, width): 0 where no object is.

    Args:
        size: height and width, px.
        masks: the pixels of each object.
        labels: the value of each object, 1..255.
        smaller_on_top: a pixel of several objects is of the one with the fewest pixels, and of the later of equal ones;
            if not, of the last one.

    Values and order are those of `masks`. Raises ValueError if a mask has another size.
    """
    image = np.zeros(size, np.uint8)
    order = list(range(len(masks)))
    if smaller_on_top:
        order.sort(key=lambda index: -int(masks[index].sum()))  # stable: of equal ones the later is painted later
    for index in order:
        if masks[index].shape != tuple(size):
            raise ValueError(f"expected masks of {size[0]} x {size[1]} px, found {masks[index].shape}")
        image[masks[index]] = labels[index]
    return image
