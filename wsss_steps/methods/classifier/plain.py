"""Multi-label classifier of IRN: backbone, 1x1 convolution, global average pooling, multi-label loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from wsss_steps.nets.backbones import build_backbone, freeze
from wsss_steps.nets.classifier import MapClassifier
from wsss_steps.ops.losses.tags import multi_label_loss


def build(
    num_classes: int,
    *,
    backbone: Mapping[str, Any],
    output_stride: int,
    dilated: bool,
    frozen_stages: int,
    frozen_batch_norm: str,
) -> MapClassifier:
    """The network with random weights. backbone: its settings; `net` and `options` are read."""
    features = build_backbone(
        backbone["net"], output_stride=output_stride, options=backbone["options"], dilated=dilated
    )
    freeze(features, frozen_stages, frozen_batch_norm)
    return MapClassifier(features, num_classes)


def losses(network: MapClassifier, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Parts of the loss of a batch with images (B, 3, H, W) and tags (B, C)."""
    return {"tags": multi_label_loss(network.scores(batch["images"]), batch["tags"])}
