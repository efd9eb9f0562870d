"""Multi-label classifier with parallel dilated blocks (Kim 2022, dissertation, section 2.3.1, eqs. 2.1 to 2.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from wsss_steps.nets.backbones import build_backbone, freeze
from wsss_steps.nets.dilated import DilatedClassifier
from wsss_steps.ops.dilated_blocks import blocks_tag_loss, cam_loss


def build(
    num_classes: int,
    *,
    backbone: Mapping[str, Any],
    output_stride: int,
    dilated: bool,
    frozen_stages: int,
    frozen_batch_norm: str,
    dilations: Sequence[int],
    widths: Sequence[int],
    init: str,
    init_std: float,
) -> DilatedClassifier:
    """The network with random weights.

    Args:
        num_classes: C.
        backbone: `net` names the network, `options` are its further arguments.
        output_stride: image px per cell of the maps.
        dilated: dilate the convolutions after a stride that the output stride removes.
        frozen_stages: number of frozen stages, counted from the input.
        frozen_batch_norm: what is frozen in the backbone's batch normalisation: none, statistics or all.
        dilations: of the first convolution of each dilated block; if empty, there is only the standard block.
        widths: output channels of the two 3x3 convolutions of a block.
        init: normal or kaiming.
        init_std: of the normal distribution.
    """
    features = build_backbone(
        backbone["net"], output_stride=output_stride, options=backbone["options"], dilated=dilated
    )
    freeze(features, frozen_stages, frozen_batch_norm)
    return DilatedClassifier(features, num_classes, dilations=dilations, widths=widths, init=init, init_std=init_std)


def losses(
    network: DilatedClassifier, batch: Mapping[str, Tensor], *, lambda_cls: float, detach_target: bool
) -> dict[str, Tensor]:
    """Parts of l_cls = l_sig + lambda_cls l_cam (eq. 2.3) of a batch with images (B, 3, H, W) and tags (B, C).

    `cam` is already weighted: the sum of the parts is minimised.
    """
    maps = network.block_maps(batch["images"])
    tags = batch["tags"]
    return {
        "tags": blocks_tag_loss(maps, tags),
        "cam": lambda_cls * cam_loss(maps, tags, detach_target=detach_target),
    }
