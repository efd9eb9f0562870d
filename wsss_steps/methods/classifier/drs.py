"""Multi-label classifier that suppresses its most discriminative regions (Kim, Han and Kim 2021, DRS)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from wsss_steps.nets.backbones import freeze
from wsss_steps.nets.classifier import MapClassifier
from wsss_steps.nets.extra_convolutions import backbone_of, by_outputs, extra_convolutions
from wsss_steps.nets.suppression import SuppressedBackbone, Suppression
from wsss_steps.ops.losses.tags import multi_label_loss


def build(
    num_classes: int,
    *,
    backbone: Mapping[str, Any],
    output_stride: int,
    dilated: bool,
    frozen_stages: int,
    frozen_batch_norm: str,
    width: int,
    convolutions: int,
    delta: float | None,
    controller_std: float,
) -> MapClassifier:
    """The network with random weights: suppression in place of every ReLU, of the backbone and of what follows it.

    Args:
        num_classes: C.
        backbone: its settings; `net` and `options` are read.
        output_stride: image px per cell of the maps.
        dilated: dilate the convolutions after a stride that the output stride removes.
        frozen_stages: number of frozen stages, counted from the input; what is learnt of their suppression is not.
        frozen_batch_norm: what is frozen in the backbone's batch normalisation: none, statistics or all.
        width: channels of the 3x3 convolutions behind the backbone.
        convolutions: their number.
        delta: share of its maximum that a channel may reach; None: learnt.
        controller_std: of the normal distribution that what learns it starts from.
    """
    plain = backbone_of(backbone, output_stride=output_stride, dilated=dilated)
    features = SuppressedBackbone(plain, delta, controller_std)
    freeze(features, frozen_stages, frozen_batch_norm)
    head = extra_convolutions(
        features.channels,
        num_classes,
        width=width,
        convolutions=convolutions,
        activation=lambda: Suppression(width, delta, controller_std),
        initialise=by_outputs,
    )
    return MapClassifier(features, num_classes, head)


def losses(network: MapClassifier, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The multi-label loss of a batch with images (B, 3, H, W) and tags (B, C)."""
    return {"tags": multi_label_loss(network.scores(batch["images"]), batch["tags"])}
