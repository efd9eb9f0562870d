"""Images fitted to whole square patches, and the extent of the patch grid on the image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from jaxtyping import Float32, UInt8
from numpy import ndarray
from numpy.typing import NDArray

from wsss_steps.data.images import normalise, resize_image


def whole_patches(
    image: UInt8[ndarray, "H W 3"],
    *,
    patch: int,
    image_scale: float,
    input_mode: Literal["pad", "resize"],
    mean: Sequence[float],
    std: Sequence[float],
) -> tuple[Float32[ndarray, "3 h w"], Float32[ndarray, 2]]:
    """The normalised image in whole patches of `patch` px, and the height and width that they span, in image px.

    The image is resized by `image_scale` first. `pad` then adds zeros (the mean colour) at the bottom and right, as
    LOST does; every patch has at least one pixel of the image, and both share the top left corner. `resize` resizes up
    to whole patches instead, which changes the aspect ratio a little.
    """
    size = image.shape[:2]
    scaled = [max(1, round(side * image_scale)) for side in size]
    whole = [-(-side // patch) * patch for side in scaled]
    if input_mode == "resize":
        return normalise(resize_image(image, (whole[0], whole[1])), mean, std), np.array(size, np.float32)
    if input_mode != "pad":
        raise ValueError(f"unknown input mode '{input_mode}'; known: pad, resize")
    pixels = normalise(resize_image(image, (scaled[0], scaled[1])), mean, std)
    padded = np.pad(pixels, ((0, 0), (0, whole[0] - scaled[0]), (0, whole[1] - scaled[1])))
    return padded, np.array(
        [full * side / part for full, side, part in zip(whole, size, scaled, strict=True)], np.float32
    )


def item(features: NDArray[Any], extent: NDArray[np.float32], centre: bool = False) -> dict[str, NDArray[Any]]:
    """One item of a features store, from features (h, w, d); with `centre`, minus their mean over the patches.

    Centring lets the cosine distinguish features that point in similar directions, as activations after a ReLU do: 0 is
    then the similarity of two patches that differ from the image's mean in unrelated directions.

    Raises FloatingPointError if a feature is not finite as a half float.
    """
    values = features.astype(np.float32)
    if centre:
        values -= values.mean(axis=(0, 1), keepdims=True)
    largest = np.abs(values).max()
    if not largest <= np.finfo(np.float16).max:  # true for NaN too
        raise FloatingPointError(f"features beyond the range of half floats: the largest is {largest:.3g}")
    return {"features": values.astype(np.float16), "extent": extent.astype(np.float32)}
