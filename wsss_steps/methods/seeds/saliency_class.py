"""Seeds from a saliency map as it is: what is salient is of the strongest class, all else background."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Integer, UInt8

from wsss_steps.ops.saliency_refinement import binarise as salient_pixels
from wsss_steps.ops.seeds import saliency_seeds


def seeds(
    maps: Float[np.ndarray, "n H W"],
    classes: Integer[np.ndarray, " n"],
    *,
    saliency: Float[np.ndarray, "H W"],
    binarise: int,
) -> UInt8[np.ndarray, "H W"]:
    """Label map of one image, every pixel labelled; an image without classes is background.

    Args:
        maps: one map per present class. Ties, and so pixels where all maps are 0, go to the first class.
        classes: their ids, 1..C, ascending.
        saliency: 0..1 in steps of 1/255.
        binarise: values above it, of 255, are salient.
    """
    return saliency_seeds(maps, classes, salient_pixels(saliency, binarise))
