"""Settings of the methods of the dissertation's chapter 2: image masking."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from wsss_steps.settings.base import (
    Augmentation,
    Backbone,
    Count,
    Crop,
    DeepLab,
    Dilation,
    Fraction,
    Jitter,
    Network,
    Optimisation,
    Positive,
    Scales,
    Settings,
    Warmup,
    Weight,
    Width,
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


class SaliencySeeds(Settings):
    """Seeds from a saliency map corrected by class activation maps, eqs. 2.5 and 2.6."""

    needs_saliency: ClassVar[bool] = True
    method: Literal["saliency"] = "saliency"
    saliency: str = Field(
        "detector",
        pattern="^[^/]+$",
        description="choice of saliency maps; ground_truth, made of the label images, is an upper bound",
    )
    binarise: int = Field(127, ge=0, le=254, description="a saliency above it, of 255, is an object")
    refine: bool = Field(True, description="correct the saliency maps; false: take them as they are")
    tau_1: Fraction = Field(0.8, description="class activation above which a pixel that saliency missed is an object")
    tau_2: Fraction = Field(0.3, description="class activation below which an object of the saliency map is doubted")
    uncertain: Literal["unlabelled", "background"] = Field(
        "unlabelled", description="what doubted pixels become; background does harm (Table 2.5)"
    )


class MaskingSegmenter(DeepLab):
    """DeepLab-v2 taught by saliency and by a classifier that looks at masked images, eqs. 2.7 to 2.12."""

    needs_classifier: ClassVar[bool] = True
    method: Literal["masking"] = "masking"
    backbone: str | Backbone = "vgg16"
    crop: Crop = 321
    epochs: Count = 30
    warmup_epochs: Warmup = 0.0
    lambda_seg: Weight = Field(2.0, description="weight of the attention loss; 0 leaves it out")
    paths: Count = Field(2, le=64, description="masked images per image")
