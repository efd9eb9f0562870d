"""Stand-in for a single-stage network, as RecurSeed: its maps are learnt from tags, and from what they say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from wsss_steps.nets.backbones import Backbone, build_backbone, freeze
from wsss_steps.nets.classifier import MapClassifier
from wsss_steps.nets.segmentation import SegmentationNetwork
from wsss_steps.ops.losses.tags import multi_label_loss


class Segmenter(SegmentationNetwork):
    """Logits of the labels on the grid of the backbone."""

    def __init__(self, backbone: Backbone, labels: nn.Module) -> None:
        super().__init__()
        self.backbone, self.labels, self.stride = backbone, labels, backbone.output_stride

    def forward(self, images: Tensor) -> Tensor:
        """Images to logits (B, C+1, h, w)."""
        return self.labels(self.backbone(images))


class Joint(MapClassifier):
    """Two heads on one backbone: maps of the classes, and logits of the labels."""

    def __init__(self, backbone: Backbone, num_classes: int) -> None:
        super().__init__(backbone, num_classes)
        self.labels = nn.Conv2d(backbone.channels, num_classes + 1, 1)

    @property
    def segmenter(self) -> Segmenter:
        """The part that segments."""
        return Segmenter(self.backbone, self.labels)


def build(
    num_classes: int,
    *,
    backbone: Mapping[str, Any],
    output_stride: int,
    dilated: bool,
    frozen_stages: int,
    frozen_batch_norm: str,
) -> Joint:
    """The network with random weights."""
    net, options = backbone["net"], backbone["options"]
    features = build_backbone(net, output_stride=output_stride, options=options, dilated=dilated)
    freeze(features, frozen_stages, frozen_batch_norm)
    return Joint(features, num_classes)


def losses(network: Joint, batch: Mapping[str, Tensor], *, own: float) -> dict[str, Tensor]:
    """The loss of the tags, and `own` times that of the labels: background where no tag scores above 0."""
    maps, tags = network.maps(batch["images"]), batch["tags"][:, :, None, None]
    with torch.no_grad():
        found = torch.where(tags == 1, maps, -torch.inf)
        labels = torch.where(found.amax(1) > 0, 1 + found.argmax(1), 0)
    learnt = F.cross_entropy(network.segmenter(batch["images"]), labels)
    return {"tags": multi_label_loss(maps.mean(dim=(2, 3)), batch["tags"]), "own": own * learnt}
