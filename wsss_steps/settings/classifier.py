"""Settings of the classifiers of image-level tags."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from wsss_steps.settings.base import (
    Augmentation,
    Backbone,
    BatchSize,
    Count,
    Crop,
    Dilation,
    FrozenBatchNorm,
    Jitter,
    LearningRate,
    Network,
    Optimisation,
    Positive,
    Scales,
    Sides,
    Weight,
    Width,
)


class PlainClassifier(Network, Augmentation, Optimisation):
    """Multi-label classifier, eq. 3.2, as in IRN."""

    method: Literal["plain"] = "plain"
    dilated: bool = Field(
        False,
        description="dilate the convolutions behind a stride that output_stride takes out; in IRN's classifier "
        "layer 4 has stride 1 and no dilation",
    )
    frozen_stages: int = Field(2, ge=0)
    frozen_batch_norm: FrozenBatchNorm = Field(
        "statistics",
        description="what of batch normalisation stays as loaded: none, its statistics (IRN's trains the affine part "
        "of stages that are not frozen), or all",
    )
    resize_long: Sides | None = (320, 640)
    crop: Crop = 512
    epochs: Count = 5
    batch_size: BatchSize = 16
    learning_rate: LearningRate = 0.1
    weight_decay: Weight = 1e-4
    legacy_irn_momentum: bool = Field(
        False, description="replicate public IRN code, which passes the weight decay as the momentum"
    )


class MdcClassifier(Network, Augmentation, Optimisation):
    """Multi-label classifier with parallel dilated blocks, eqs. 2.1 to 2.3."""

    method: Literal["mdc"] = "mdc"
    backbone: str | Backbone = "vgg16"
    output_stride: Literal[4, 8, 16, 32] = 8
    resize_scale: Scales | None = (0.5, 1.5)
    crop: Crop = 321
    jitter: Jitter = (0.3, 0.3, 0.3, 0.1)
    epochs: Count = 50
    dilations: tuple[Dilation, ...] = Field(
        (3, 6, 9, 12, 15, 18, 21, 24), description="of the dilated blocks; empty: the standard block alone"
    )
    widths: tuple[Width, Width] = Field((1024, 1024), description="outputs of fc6 and fc7 of every block")
    init: Literal["normal", "kaiming"] = Field(
        "normal", description="start of the blocks: N(0, init_std), or by their inputs, for narrow blocks"
    )
    init_std: Positive = Field(0.01, description="of init: normal")
    lambda_cls: Weight = Field(0.1, description="weight of the loss between standard and fused maps")
    detach_target: bool = Field(True, description="no gradient through the fused maps of that loss")
