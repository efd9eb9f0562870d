"""Stand-in for a single-stage network, as RecurSeed: its maps are learnt from tags, and from what they say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

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
    """The network with random weights."""
    net, options = backbone["net"], backbone["options"]
    features = build_backbone(net, output_stride=output_stride, options=options, dilated=dilated)
    freeze(features, frozen_stages, frozen_batch_norm)
    return MapClassifier(features, num_classes)


def losses(network: MapClassifier, batch: Mapping[str, Tensor], *, own: float) -> dict[str, Tensor]:
    """The loss of the tags, and `own` times that of the cells where a tagged class is stronger than the others."""
    maps, tags = network.maps(batch["images"]), batch["tags"][:, :, None, None]
    with torch.no_grad():
        labels = F.one_hot(maps.masked_fill(tags == 0, -1e4).argmax(1), maps.shape[1]).permute(0, 3, 1, 2) * tags
    learnt = F.binary_cross_entropy_with_logits(maps, labels)
    return {"tags": multi_label_loss(maps.mean(dim=(2, 3)), batch["tags"]), "own": own * learnt}
