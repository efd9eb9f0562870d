"""The box around a class in its activation map, and how often it is right (Zhou et al. 2016, section 3.2).

Boxes are half-open, as in `overlap`.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float32, Float64
from scipy import ndimage

from wsss_steps.ops.evaluation import mean_of_known
from wsss_steps.ops.overlap import Box

STRUCTURES = {4: ndimage.generate_binary_structure(2, 1), 8: ndimage.generate_binary_structure(2, 2)}


def largest_component(mask: Bool[np.ndarray, "H W"], connectivity: int) -> Bool[np.ndarray, "H W"]:
    """The pixels of the largest connected component; of equal ones, that with the first pixel in row-major order.

    `connectivity` is 4, or 8 where pixels that touch at a corner are connected too. Nothing of an empty mask. Raises
    ValueError for another connectivity.
    """
    if connectivity not in STRUCTURES:
        raise ValueError(f"expected connectivity 4 or 8, found {connectivity}")
    labels = ndimage.label(mask, structure=STRUCTURES[connectivity])[0]
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0  # what is not in the mask
    largest = (sizes == sizes.max())[labels] & mask
    component: Bool[np.ndarray, "H W"] = mask & (labels == labels.ravel()[largest.argmax()])
    return component


def tight_box(mask: Bool[np.ndarray, "H W"]) -> Box | None:
    """The smallest box that covers the mask; None if it is empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def box_of_map(class_map: Float32[np.ndarray, "H W"], *, threshold: float, connectivity: int) -> Box | None:
    """The tight box of the largest component of the pixels that have at least `threshold` times the map's maximum.

    None if no pixel is above 0: such a map points nowhere. The paper takes 20 % (slides on it: "at least"); it leaves
    open which pixels are connected, and which of equally large components counts (`largest_component`).
    """
    highest = class_map.max(initial=0)
    if not highest > 0:
        return None
    # in the precision of the map: of maps in 8 bits, a pixel at exactly the threshold is in
    return tight_box(largest_component(class_map >= np.float32(threshold) * highest, connectivity))


def corloc(
    right: Float64[np.ndarray, "... classes"], shown: Float64[np.ndarray, "... classes"]
) -> Float64[np.ndarray, "... classes"]:
    """Correct localisation per class: right boxes over images that show it; NaN without any.

    The measure of Deselaers et al. 2012, from general knowledge of the paper.
    """
    return np.where(shown == 0, np.nan, right / np.where(shown == 0, 1.0, shown))


def resampled_corloc(
    right: Bool[np.ndarray, "images classes"], shown: Bool[np.ndarray, "images classes"], *, draws: int, seed: int
) -> Float64[np.ndarray, " draws"]:
    """The mean CorLoc over the classes, of images drawn with replacement, as many as there are; no draws without any.

    A class that no drawn image shows is left out of the mean of that draw. The draws depend on `seed` and the number
    of images alone.
    """
    images, generator, found = len(shown), np.random.default_rng(seed), []
    counts = np.stack([right, shown]).astype(np.float64)
    for _ in range(draws if images else 0):
        often = np.bincount(generator.integers(images, size=images), minlength=images).astype(np.float64)
        found.append(float(mean_of_known(corloc(often @ counts[0], often @ counts[1]))))
    return np.array(found, np.float64)
