"""Puzzle-CAM (Jo and Yu 2021, ICIP): a classifier whose maps of an image agree with those of its four tiles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from wsss_steps.nets.backbones import build_backbone, freeze
from wsss_steps.nets.puzzle import PuzzleClassifier
from wsss_steps.ops.losses.reconstruction import reconstruction_loss
from wsss_steps.ops.losses.tags import multi_label_loss
from wsss_steps.ops.puzzle import rising_weight
from wsss_steps.ops.resize import sample_labels


def build(
    num_classes: int,
    *,
    backbone: Mapping[str, Any],
    output_stride: int,
    dilated: bool,
    frozen_stages: int,
    frozen_batch_norm: str,
) -> PuzzleClassifier:
    """The network with random weights. backbone: its settings; `net` and `options` are read."""
    net, options = backbone["net"], backbone["options"]
    features = build_backbone(net, output_stride=output_stride, options=options, dilated=dilated)
    freeze(features, frozen_stages, frozen_batch_norm)
    return PuzzleClassifier(features, num_classes)


def losses(
    network: PuzzleClassifier,
    batch: Mapping[str, Tensor],
    *,
    lambda_tags: float,
    lambda_tiles: float,
    alpha: float,
    schedule: float,
) -> dict[str, Tensor]:
    """Parts of L = L_cls(GAP(A^s)) + L_p-cls(GAP(A^re)) + alpha(it) L_re, already weighted: `tags`, `tiles`, `rec`.

    Without a weight on the last two the tiles are not looked at, and the network is trained as that of `plain`.

    Args:
        network: maps A^s of an image, A^re of its tiles, merged.
        batch: images (B, 3, H, W), inside (B, H, W) bool, tags (B, C).
        lambda_tags: weight of L_cls.
        lambda_tiles: weight of L_p-cls.
        alpha: weight of L_re at the end of its rise.
        schedule: share of the training in which it rises from 0.
    """
    images, tags = batch["images"], batch["tags"]
    maps = network.maps(images)
    parts = {"tags": lambda_tags * multi_label_loss(maps.mean(dim=(2, 3)), tags)}
    if lambda_tiles or alpha:
        merged = network.tiled_maps(images)
        inside = sample_labels(batch["inside"], images.shape[-2:], network.backbone.output_stride, outside=False)
        weight = rising_weight(float(network.progress), alpha=alpha, schedule=schedule)
        parts["tiles"] = lambda_tiles * multi_label_loss(merged.mean(dim=(2, 3)), tags)
        parts["rec"] = weight * reconstruction_loss(maps, merged, tags, inside)
    return parts


def after_step(network: PuzzleClassifier, progress: float) -> None:
    """Remember the share of the steps that are done."""
    network.progress.fill_(progress)
