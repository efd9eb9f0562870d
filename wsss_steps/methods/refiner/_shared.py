"""What refiners share: the image on the grid of the maps or as a network reads it, maps on the grid of a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Float, Float32
from numpy import ndarray
from torch import Tensor
from torch.nn import functional as F

from wsss_steps.data.images import normalise, read_image
from wsss_steps.data.manifest import Entry
from wsss_steps.methods.per_image import Arrays
from wsss_steps.ops.resize import enlarge, resize_images

Make = Callable[[Entry, Mapping[str, Arrays]], Float32[ndarray, "n h w"]]


def by_colours(refine: Callable[[Tensor, Tensor], Tensor], device: str) -> Make:
    """`refine` of RGB (3, h, w) in [0, 1] and maps (n, h, w); the image is brought to their grid, bilinearly."""

    def make(entry: Entry, given: Mapping[str, Arrays]) -> Float32[ndarray, "n h w"]:
        maps = torch.from_numpy(given["cams"]["cam"]).to(device)
        pixels = torch.from_numpy(read_image(Path(entry.image)).transpose(2, 0, 1)).to(device).float() / 255
        image = resize_images(pixels[None], (maps.shape[-2], maps.shape[-1]))[0]
        found: Float32[ndarray, "n h w"] = refine(image, maps).cpu().numpy()
        return found

    return make


def by_network(content: Mapping[str, Any], device: str, refine: Callable[[Entry, Tensor, Tensor], Tensor]) -> Make:
    """`refine` of an entry, its pixels (1, 3, H, W) as a network with this `content` expects them, and maps (n, h, w).

    An image without tags has no maps, and is not read.
    """
    expected = {key: content["network"]["backbone"][key] for key in ("mean", "std")}

    @torch.inference_mode()
    def make(entry: Entry, given: Mapping[str, Arrays]) -> Float32[ndarray, "n h w"]:
        maps = torch.from_numpy(given["cams"]["cam"]).to(device)
        if not len(maps):
            return given["cams"]["cam"].copy()
        pixels = torch.from_numpy(normalise(read_image(Path(entry.image)), **expected))[None].to(device)
        found: Float32[ndarray, "n h w"] = refine(entry, pixels, maps).cpu().numpy()
        return found

    return make


def not_empty(maps: Float[Tensor, "n h w"]) -> Bool[Tensor, "n 1 1"]:
    """Whether a map exceeds 0 anywhere."""
    return maps.flatten(1).any(dim=1)[:, None, None]


def at_cells(maps: Tensor, image: tuple[int, int], stride: int) -> Tensor:
    """Maps (n, h, w) of an image (height, width) as means over cells of `stride` px; beyond the image, of its edge."""
    whole = resize_images(maps[None], image)
    beyond = (0, -image[1] % stride, 0, -image[0] % stride)
    return F.avg_pool2d(F.pad(whole, beyond, mode="replicate"), stride)[0]


def from_cells(cells: Tensor, image: tuple[int, int], stride: int, size: tuple[int, int]) -> Tensor:
    """Maps of cells brought back to `size`, that of the maps which `at_cells` was given."""
    return resize_images(enlarge(cells[None], image, stride), size)[0]
