"""Keys of vision transformers whose attention turns queries and keys by the position of their patch, as DINOv3's do.

The keys are those before that: what a patch looks like, without where it lies.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from timm.models.eva import Eva
from torch import Tensor
from torch.nn import functional as F


def patch_side(vit: Eva) -> int:
    """Side of a patch, px."""
    projection: Any = vit.patch_embed.proj
    return int(projection.kernel_size[0])


def keys(vit: Eva, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B h w d"]:
    """Keys of the last block for every patch, all heads side by side, not normalised.

    Raises ValueError if the queries, keys and values of the last block have no common projection.
    """
    last: Any = vit.blocks[-1]
    if last.attn.qkv is None:
        raise ValueError("expected queries, keys and values of one projection, found three")
    before = vit.forward_intermediates(images, indices=[len(vit.blocks) - 2], intermediates_only=True)
    hidden = before[0].permute(0, 2, 3, 1)  # (B, d, h, w) to (B, h, w, d)
    width = hidden.shape[-1]
    middle = slice(width, 2 * width)  # the rows of the joint projection are q, k, v
    bias = torch.zeros(width).to(hidden) if last.attn.k_bias is None else last.attn.k_bias
    return F.linear(last.norm1(hidden), last.attn.qkv.weight[middle], bias)
