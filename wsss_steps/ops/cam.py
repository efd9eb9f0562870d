"""Class activation maps (Zhou et al. 2016) of several scales and flips, fused as in IRN (Ahn et al. 2019)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

STRIDED = 4  # px of the image per cell of a strided map


def fuse_flip(maps: Float[Tensor, "2 C h w"]) -> Float[Tensor, "C h w"]:
    """Sum of the maps of an image and of its mirror image, mirrored back.

    ReLU comes first: a sum of ReLUs, not the ReLU of a sum.
    """
    positive = maps.relu()
    return positive[0] + positive[1].flip(-1)


def strided_size(height: int, width: int) -> tuple[int, int]:
    """Size of a strided map of an image: ((H - 1) // 4 + 1, (W - 1) // 4 + 1)."""
    return (height - 1) // STRIDED + 1, (width - 1) // STRIDED + 1


def canvas_size(height: int, width: int, output_stride: int) -> tuple[int, int]:
    """Image size rounded up to multiples of the output stride (16 in IRN): the area that a feature map covers."""
    return -(-height // output_stride) * output_stride, -(-width // output_stride) * output_stride


def merge_scales(
    maps: Sequence[Float[Tensor, "C _ _"]],
    height: int,
    width: int,
    *,
    resolution: str,
    output_stride: int,
    merge: str = "sum",
) -> Float[Tensor, "C _ _"]:
    """Merge the maps of all scales, resized bilinearly (align_corners=False), for an image of `height` x `width` px.

    Args:
        maps: of every scale, non-negative.
        height: of the image, px.
        width: of the image, px.
        resolution: "full" resizes to the canvas and crops to the image (H, W), "strided" resizes to the strided size.
        output_stride: px of the image per cell of a map.
        merge: "sum" over the scales (IRN), or "max" (Kim 2022, dissertation, eq. 2.4).
    """
    if merge not in ("sum", "max"):
        raise ValueError(f"merge: expected sum or max, found '{merge}'")
    if resolution not in ("full", "strided"):
        raise ValueError(f"resolution: expected full or strided, found '{resolution}'")
    full = resolution == "full"
    size = canvas_size(height, width, output_stride) if full else strided_size(height, width)
    resized = torch.stack([F.interpolate(scale[None], size, mode="bilinear", align_corners=False)[0] for scale in maps])
    total = resized.amax(0) if merge == "max" else resized.sum(0)
    return total[:, :height, :width] if full else total


def normalise_maps(maps: Float[Tensor, "C h w"]) -> Float[Tensor, "C h w"]:
    """M'_c = M_c / max_u M_c of non-negative maps: each maximum is 1; all-zero maps stay zero (eqs. 1.11 and 3.3).

    IRN adds 1e-5 to the maximum to avoid 0 / 0; here the maximum is 1 however small the scores are.
    """
    if maps.numel() == 0:
        return maps
    peak = maps.amax(dim=(1, 2), keepdim=True)
    return maps / torch.where(peak > 0, peak, torch.ones_like(peak))
