"""Vision transformers whose keys are the features.

The modules and their parameters are those of `timm.models.vision_transformer.VisionTransformer`, except the convolution
stem. The forward pass is written here, because the position embedding is resampled as in the public DINO code (by scale
factors), which timm does not do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, cast

import torch
from jaxtyping import Float
from timm.layers.attention import Attention
from timm.models.vision_transformer import Block, VisionTransformer
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Shape:
    """What is needed to build a vision transformer; its position embedding is for images of side `image_size` px.

    `stem` turns an image into patches: "patch", one linear map per patch (Dosovitskiy et al. 2021), or "convolution", a
    few 3 x 3 convolutions of stride 2 (Xiao et al. 2021). With the second a small network learns textures within
    minutes, since a texture looks much the same however it is aligned with the patches.
    """

    patch: int
    width: int
    depth: int
    heads: int
    image_size: int
    stem: Literal["patch", "convolution"] = "patch"


class ConvolutionStem(nn.Sequential):
    """Images (B, 3, H, W) to patches (B, width, H / patch, W / patch): a halving convolution for each factor of 2.

    Raises ValueError unless `patch` is a power of 2.
    """

    FIRST = 32  # channels after the first convolution; they double until the width is reached

    def __init__(self, patch: int, width: int) -> None:
        halvings = round(math.log2(patch))
        if 2**halvings != patch or not halvings:
            raise ValueError(f"a convolution stem needs a patch of 2, 4, 8, 16, ... px, found {patch}")
        channels = [3, *(min(self.FIRST << step, width) for step in range(halvings - 1)), width]
        layers: list[nn.Module] = []
        for before, after in pairwise(channels):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(after), nn.GELU()]
        super().__init__(*layers, nn.Conv2d(width, width, 1))
        self.patch = patch


def build(shape: Shape) -> VisionTransformer:
    """A vision transformer without a head, randomly initialised: bias on q, k and v, LayerNorm with epsilon 1e-6.

    Raises ValueError if the heads do not divide the width, or the patch does not divide the image size.
    """
    if shape.width % shape.heads:
        raise ValueError(f"width {shape.width} is not a multiple of the number of heads {shape.heads}")
    if shape.image_size % shape.patch:
        raise ValueError(f"image size {shape.image_size} px is not a multiple of the patch, {shape.patch} px")
    network = VisionTransformer(
        img_size=shape.image_size,
        patch_size=shape.patch,
        embed_dim=shape.width,
        depth=shape.depth,
        num_heads=shape.heads,
        num_classes=0,
    )
    if shape.stem == "convolution":
        network.patch_embed.proj = ConvolutionStem(shape.patch, shape.width)
    return network


def patch_side(vit: VisionTransformer) -> int:
    """Side of a patch, px."""
    projection = _projection(vit)
    return projection.patch if isinstance(projection, ConvolutionStem) else int(projection.kernel_size[0])


def _projection(vit: VisionTransformer) -> nn.Conv2d | ConvolutionStem:
    projection = vit.patch_embed.proj
    if not isinstance(projection, nn.Conv2d | ConvolutionStem):
        raise ValueError(f"expected patches projected by convolutions, found {type(projection).__name__}")
    return projection


def position_embedding(embedding: Float[Tensor, "1 T d"], grid: tuple[int, int]) -> Float[Tensor, "1 N d"]:
    """The position embedding (class token first) of a square training grid, resampled to `grid` = (rows, columns).

    Bicubic with the scale factors (rows + 0.1) / n and (columns + 0.1) / n of the public DINO code: the 0.1 keeps
    rounding from making the output one too small, and shifts the sampling positions. If `grid` is the training grid,
    the embedding is returned unchanged.
    """
    side = round((embedding.shape[1] - 1) ** 0.5)
    if side * side + 1 != embedding.shape[1]:
        raise ValueError(
            f"expected a position embedding of a class token and a square grid, found {embedding.shape[1]} positions"
        )
    if grid == (side, side):
        return embedding
    square = embedding[:, 1:].reshape(1, side, side, -1).permute(0, 3, 1, 2)  # (1, d, n, n)
    factors = ((grid[0] + 0.1) / side, (grid[1] + 0.1) / side)
    resampled = functional.interpolate(square, scale_factor=factors, mode="bicubic", align_corners=False)
    if resampled.shape[-2:] != grid:
        raise ValueError(f"position embedding: expected a grid of {grid}, found {tuple(resampled.shape[-2:])}")
    return torch.cat([embedding[:, :1], resampled.flatten(2).transpose(1, 2)], dim=1)


def tokens(vit: VisionTransformer, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B T d"]:
    """Input tokens of the first block: the class token, then patches row by row, patch i at (i // w_p, i % w_p).

    Raises ValueError unless the image sides are multiples of the patch.
    """
    side = patch_side(vit)
    height, width = images.shape[-2:]
    if height % side or width % side or not height * width:
        raise ValueError(f"expected images of whole patches of {side} px, found {height} x {width} px")
    if vit.cls_token is None or vit.pos_embed is None:
        raise ValueError("expected a vision transformer with a class token and a position embedding")
    patches = _projection(vit)(images).flatten(2).transpose(1, 2)  # (B, N, d)
    cls = vit.cls_token.expand(len(images), -1, -1)
    return torch.cat([cls, patches], dim=1) + position_embedding(vit.pos_embed, (height // side, width // side))


def class_token_and_keys(
    vit: VisionTransformer, images: Float[Tensor, "B 3 H W"]
) -> tuple[Float[Tensor, "B d"], Float[Tensor, "B N d"]]:
    """The class token after all blocks and the last norm, and the keys (see `keys`) of all patches row by row."""
    *before, last = (cast("Block", block) for block in vit.blocks)
    hidden = _through(before, tokens(vit, images))
    return vit.norm(last(hidden))[:, 0], _keys_of(last, hidden)


def keys(vit: VisionTransformer, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B h w d"]:
    """Keys K of the last block for every patch, all heads side by side (channel = head * d_head + j), not normalised.

    K = W_k LN(x) + b_k, where x enters the last block (Kim 2022, dissertation, section 3.3.1). The attention and MLP of
    that block do not affect its keys, so they are not computed. The class token is dropped.
    """
    *before, last = (cast("Block", block) for block in vit.blocks)
    key = _keys_of(last, _through(before, tokens(vit, images)))
    side = patch_side(vit)
    return key.reshape(len(images), images.shape[-2] // side, images.shape[-1] // side, -1)


def _through(blocks: Sequence[Block], hidden: Tensor) -> Tensor:
    for block in blocks:
        hidden = block(hidden)
    return hidden


def _keys_of(block: Block, hidden: Float[Tensor, "B T d"]) -> Float[Tensor, "B N d"]:
    """Keys of `block` for its input tokens, without the class token."""
    width = hidden.shape[-1]
    middle = slice(width, 2 * width)  # the rows of the joint projection are q, k, v
    qkv = cast("Attention", block.attn).qkv
    return functional.linear(block.norm1(hidden[:, 1:]), qkv.weight[middle], qkv.bias[middle])
