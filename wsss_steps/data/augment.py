"""Random augmentation of a training image and its label maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from numpy import ndarray
from numpy.typing import NDArray

from wsss_steps.data.images import normalise, resize_image, resize_nearest


def augment(
    rng: np.random.Generator,
    image: UInt8[ndarray, "H W 3"],
    labels: Mapping[str, tuple[NDArray[Any], int]],
    *,
    mean: Sequence[float],
    std: Sequence[float],
    crop: int,
    resize_long: Sequence[int] | None,
    resize_scale: Sequence[float] | None,
    scale_set: Sequence[float] | None,
    flip: bool,
    jitter: Sequence[float],
    with_pixels: bool = False,
) -> dict[str, NDArray[Any]]:
    """Randomly resize, mirror, change colours and crop to S = `crop` px, and normalise; `rng` decides all.

    labels: name -> (map (H, W), value of pixels outside the image). They follow the image, by nearest neighbour.
    An image smaller than the crop is placed at random in it.

    Returns:
        `images` (3, S, S) float32, normalised; 0, the mean colour, outside the image. `inside` (S, S) bool: pixels of
        the image, not padding. Each label map (S, S) int64. If asked `with_pixels`, also `pixels` (3, S, S) uint8: what
        `images` is before normalisation, RGB; 0 outside the image.
    """
    before = (image.shape[0], image.shape[1])
    size = draw_size(rng, before, resize_long=resize_long, resize_scale=resize_scale, scale_set=scale_set)
    image = resize_image(image, size)
    maps = {name: resize_nearest(array, size) for name, (array, _) in labels.items()}
    if flip and rng.random() < 0.5:
        image = image[:, ::-1].copy()  # for a single column `ascontiguousarray` would keep the stride of -1
        maps = {name: array[:, ::-1] for name, array in maps.items()}
    image = change_colours(rng, image, jitter)
    window = draw_window(rng, size, crop)
    result = {name: cut(array, window, crop, labels[name][1]).astype(np.int64) for name, array in maps.items()}
    result["images"] = cut(normalise(image, mean, std), window, crop, 0)
    result["inside"] = cut(np.ones(size, bool), window, crop, False)
    if with_pixels:
        result["pixels"] = cut(image.transpose(2, 0, 1), window, crop, 0)
    return result


def draw_size(
    rng: np.random.Generator,
    size: tuple[int, int],
    *,
    resize_long: Sequence[int] | None,
    resize_scale: Sequence[float] | None,
    scale_set: Sequence[float] | None,
) -> tuple[int, int]:
    """New (height, width), at least 1 px each.

    The long side is a random integer in the range `resize_long`, ends included; the size is then multiplied by a factor
    from the range `resize_scale`, and by one of the factors in `scale_set`. Each is skipped if None, and then draws
    nothing from `rng`.
    """
    factor = 1.0
    if resize_long is not None:
        factor *= rng.integers(resize_long[0], resize_long[1], endpoint=True) / max(size)
    if resize_scale is not None:
        factor *= rng.uniform(resize_scale[0], resize_scale[1])
    if scale_set is not None:
        factor *= scale_set[int(rng.integers(len(scale_set)))]
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def change_colours(
    rng: np.random.Generator, image: UInt8[ndarray, "H W 3"], jitter: Sequence[float]
) -> UInt8[ndarray, "H W 3"]:
    """Brightness, contrast, saturation times factors in [1 - j, 1 + j], then hue shifted by [-j, j] of a full turn."""
    if not any(jitter):
        return image
    from torchvision.transforms.v2 import functional  # here, since torchvision takes a second, and many steps cut crops

    pixels = torch.from_numpy(image).permute(2, 0, 1)
    changes = (functional.adjust_brightness, functional.adjust_contrast, functional.adjust_saturation)
    for change, strength in zip(changes, jitter[:3], strict=True):
        if strength:
            pixels = change(pixels, max(0.0, 1.0 + strength * rng.uniform(-1, 1)))
    if jitter[3]:
        pixels = functional.adjust_hue(pixels, jitter[3] * rng.uniform(-1, 1))
    return np.ascontiguousarray(pixels.permute(1, 2, 0).numpy())


def draw_window(rng: np.random.Generator, size: tuple[int, int], crop: int) -> tuple[int, int]:
    """Row and column of the image at which the crop starts; negative where the image is smaller than the crop."""
    rows, columns = (int(rng.integers(min(0, side - crop), max(0, side - crop), endpoint=True)) for side in size)
    return rows, columns


def cut(array: NDArray[Any], window: tuple[int, int], crop: int, fill: int) -> NDArray[Any]:
    """The square (..., crop, crop) of `array` (..., H, W) that starts at `window`; `fill` outside the image."""
    result = np.full((*array.shape[:-2], crop, crop), fill, array.dtype)
    (top, left), (height, width) = window, array.shape[-2:]
    rows, columns = slice(max(top, 0), min(top + crop, height)), slice(max(left, 0), min(left + crop, width))
    inside = (..., slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left))
    result[inside] = array[..., rows, columns]
    return result
