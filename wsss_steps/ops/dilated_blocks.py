"""Fusion and losses of the maps of a classifier with parallel dilated blocks (Kim 2022, dissertation, 2.3.1)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from wsss_steps.ops.losses.tags import multi_label_loss


def fuse_blocks(maps: Float[Tensor, "blocks B C h w"]) -> Float[Tensor, "B C h w"]:
    """Max-fusion M = max(M0, (1/D) sum_{i=1..D} Mi), elementwise; block 0 is the standard one. M = M0 if D = 0."""
    return torch.maximum(maps[0], maps[1:].mean(0)) if len(maps) > 1 else maps[0]


def blocks_tag_loss(maps: Float[Tensor, "blocks B C h w"], tags: Float[Tensor, "B C"]) -> Float[Tensor, ""]:
    """Multi-label loss of every block's scores, GAP(Mi): summed over the blocks, mean over classes and images (2.1)."""
    return torch.stack([multi_label_loss(block.mean(dim=(2, 3)), tags) for block in maps]).sum()


def cam_loss(
    maps: Float[Tensor, "blocks B C h w"], tags: Float[Tensor, "B C"], *, detach_target: bool
) -> Float[Tensor, ""]:
    """Squared distance of the standard block's maps from the fused maps, mean over the images of (2.2).

    1/(C |S|) sum_u sum_{c present} (relu(M_uc) - relu(M0_uc))^2: the divisor is C, not the number of present classes.

    Args:
        maps: of every block, the standard one first.
        tags: {0, 1}.
        detach_target: no gradient through M, which contains M0, so that the loss pulls M0 up to M; the dissertation
            does not say.
    """
    target = fuse_blocks(maps)
    distance = ((target.detach() if detach_target else target).relu() - maps[0].relu()).square()
    return (distance * tags[:, :, None, None]).mean()
