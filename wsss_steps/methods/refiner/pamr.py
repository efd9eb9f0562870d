"""Pixel-adaptive mask refinement of the maps of every class (Araslanov and Roth, 2020)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32
from numpy import ndarray

from wsss_steps.data.images import read_image
from wsss_steps.data.manifest import Entry
from wsss_steps.methods.per_image import Arrays
from wsss_steps.ops.pamr import pamr
from wsss_steps.ops.resize import resize_images


def maker(
    *, device: str, dilations: Sequence[int], iterations: int
) -> Callable[[Entry, Mapping[str, Arrays]], Float32[ndarray, "n h w"]]:
    """`pamr` on the grid of the maps; the image is brought to it, bilinearly, if the maps are strided."""

    def make(entry: Entry, given: Mapping[str, Arrays]) -> Float32[ndarray, "n h w"]:
        maps = torch.from_numpy(given["cams"]["cam"]).to(device)
        pixels = torch.from_numpy(read_image(Path(entry.image)).transpose(2, 0, 1)).to(device).float() / 255
        image = resize_images(pixels[None], (maps.shape[-2], maps.shape[-1]))[0]
        found: Float32[ndarray, "n h w"] = pamr(image, maps, dilations=dilations, iterations=iterations).cpu().numpy()
        return found.astype(np.float32, copy=False)

    return make
