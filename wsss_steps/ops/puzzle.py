"""The puzzle module of Puzzle-CAM (Jo and Yu 2021, ICIP): an image as 2 x 2 tiles, and their maps as one map again."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

PIECES = 4


def tile(images: Float[Tensor, "B K H W"], stride: int) -> Float[Tensor, "tiles K h w"]:
    """The four quarters of every image: upper left of all images, upper right, lower left, lower right.

    Quarters are cut between cells of the maps, so that a cell of a quarter is a cell of the whole: the sides of a tile
    are whole multiples of `stride` (px per cell), the smallest of which two cover the image. Where they reach beyond
    the lower or right edge, the tile is filled with 0, the mean colour of normalised images.
    """
    height, width = (-(-side // (2 * stride)) * stride for side in images.shape[-2:])
    whole = F.pad(images, (0, 2 * width - images.shape[-1], 0, 2 * height - images.shape[-2]))
    corners = ((top, left) for top in (0, height) for left in (0, width))
    return torch.cat([whole[..., top : top + height, left : left + width] for top, left in corners])


def merge(maps: Float[Tensor, "tiles C h w"], size: tuple[int, int]) -> Float[Tensor, "B C H W"]:
    """Maps of the tiles of `tile`, laid out as in the image and cut to `size`, that of the maps of the whole image.

    A ValueError if they are not maps of four tiles each, or do not cover `size`.
    """
    height, width = size
    if len(maps) % PIECES or 2 * maps.shape[-2] < height or 2 * maps.shape[-1] < width:
        raise ValueError(f"expected maps of {PIECES} tiles each that cover {size}, found {tuple(maps.shape)}")
    one, two, three, four = maps.chunk(PIECES)
    rows = [torch.cat(pair, dim=-1) for pair in ((one, two), (three, four))]
    return torch.cat(rows, dim=-2)[..., :height, :width]


def rising_weight(progress: float, *, alpha: float, schedule: float) -> float:
    """alpha(it) = min(alpha it / (schedule max_it), alpha), progress = it / max_it; alpha at once if schedule is 0."""
    return alpha * min(1.0, progress / schedule) if schedule else alpha
