"""FickleNet's classifier (Lee et al. 2019): every window of its last convolution sees a random choice of hidden units.

Source: the paper's idea and its table of dropout rates; window, crop and batch from general knowledge of the paper.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from wsss_steps.nets.backbones import build_backbone, freeze
from wsss_steps.nets.classifier import MapClassifier
from wsss_steps.nets.ficklenet import FickleHead
from wsss_steps.ops.losses.tags import multi_label_loss


def build(
    num_classes: int,
    *,
    backbone: Mapping[str, Any],
    output_stride: int,
    dilated: bool,
    frozen_stages: int,
    frozen_batch_norm: str,
    window: int,
    dropout: float,
    form: str,
    rescale: bool,
) -> MapClassifier:
    """The network with random weights.

    Args:
        num_classes: C.
        backbone: `net` names the network, `options` are its further arguments.
        output_stride: image px per cell of the maps.
        dilated: dilate the convolutions after a stride that the output stride removes.
        frozen_stages: number of frozen stages, counted from the input.
        frozen_batch_norm: what is frozen in the backbone's batch normalisation: none, statistics or all.
        window: side of the windows, cells, odd.
        dropout: probability that a hidden unit is dropped.
        form: centre_preserving, general or none (`ops.hidden_units.draw_weights`).
        rescale: divide what is kept by 1 - dropout.
    """
    net, options = backbone["net"], backbone["options"]
    features = build_backbone(net, output_stride=output_stride, options=options, dilated=dilated)
    freeze(features, frozen_stages, frozen_batch_norm)
    head = FickleHead(features.channels, num_classes, window=window, dropout=dropout, form=form, rescale=rescale)
    return MapClassifier(features, num_classes, head)


def losses(network: MapClassifier, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Parts of the loss of a batch with images (B, 3, H, W) and tags (B, C); the score is the mean over all windows."""
    return {"tags": multi_label_loss(network.scores(batch["images"]), batch["tags"])}
