"""Settings of every method, by slot."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from wsss_steps.settings.base import (
    Augmentation,
    Backbone,
    BatchSize,
    Count,
    CrfPreset,
    Crop,
    DeepLab,
    Fraction,
    FrozenBatchNorm,
    LearningRate,
    Network,
    Optimisation,
    Positive,
    Scale,
    Settings,
    Side,
    Sides,
    Weight,
)
from wsss_steps.settings.masking import MaskingSegmenter, MdcClassifier, SaliencySeeds
from wsss_steps.settings.saliency import DetectorSaliency, GivenSaliency, UnsupervisedSaliency


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


class Cam(Settings):
    """Multi-scale and flip class activation maps of the present classes."""

    method: Literal["cam"] = "cam"
    scales: tuple[Scale, ...] = Field(
        (1.0, 0.5, 1.5, 2.0), min_length=1, description="sizes at which the image is read"
    )
    flip: bool = Field(True, description="read the mirrored image too")
    merge: Literal["sum", "max"] = Field(
        "sum", description="of the maps over the scales; max is eq. 2.4, which has scales 0.5, 0.75, 1 and no flip"
    )
    resolution: Literal["full", "strided"] = Field("full", description="image size, or ((H-1)//4+1, (W-1)//4+1)")


class KeyFeatures(Settings):
    """Keys of the last block of a vision transformer trained with DINO."""

    method: Literal["keys"] = "keys"
    vit: Literal[
        "vit_base_patch8_224", "vit_small_patch8_224", "vit_base_patch16_224", "vit_small_patch16_224", "own"
    ] = Field(
        "vit_base_patch8_224",
        description="vit_base_patch8_224, vit_small_patch8_224, the same with patch16, or own (its file tells)",
    )
    weights: str = Field(
        "dino", description="dino (download), pretrain_keys (trained on this data set), or a .safetensors or .pth file"
    )
    input_mode: Literal["pad", "resize"] = Field(
        "pad", description="zero padding to whole patches as LOST, or bicubic resize to them as the author's code"
    )
    image_scale: Scale = Field(1.0, description="factor on the image size before the network reads it")
    centre: bool = Field(
        False, description="take the image's mean key off, which no attention sees; the dissertation does not"
    )

    @model_validator(mode="after")
    def _own_weights_of_own_network(self) -> KeyFeatures:
        if self.weights == "pretrain_keys" and self.vit != "own":
            raise ValueError(f"weights: pretrain_keys makes a network of its own: expected vit: own, found {self.vit}")
        return self


class BackboneFeatures(Settings):
    """Last feature map of a convolutional network."""

    method: Literal["backbone"] = "backbone"
    backbone: str | Backbone = Field(
        "resnet50", description="small, resnet50, resnet101, vgg16, or a name in `backbones`"
    )
    output_stride: Literal[4, 8, 16, 32] = Field(16, description="image px per position of the feature map")
    image_scale: Scale = Field(1.0, description="factor on the image size before the network reads it")
    centre: bool = Field(
        True, description="take the image's mean vector off, so that cosines after a ReLU can be negative"
    )


class RgbFeatures(Settings):
    """Mean colour of square cells."""

    method: Literal["rgb"] = "rgb"
    cell: Side = Field(8, description="side of a cell, px")


class DinoSuperpixels(Settings):
    """Superpixels discovered from features, Table 3.1."""

    method: Literal["dino"] = "dino"
    features: Literal["keys", "backbone", "rgb"] = Field("keys", description="what patches are compared by")
    tau: float = Field(0.3, gt=-1, le=1, description="cosine similarity with the seed patch above which a patch joins")
    order: Literal["lowest", "highest"] = Field("lowest", description="degree of the patch that is the next seed")
    crf: CrfPreset = Field("none", description="dense CRF on the superpixels as labels")


class SlicSuperpixels(Settings):
    """SLIC of scikit-image in CIELAB."""

    method: Literal["slic"] = "slic"
    count: Count = Field(30, description="superpixels asked for")
    compactness: Positive = Field(10.0, description="weight of nearness against likeness of colour")


class NoSuperpixels(Settings):
    """For recipes without superpixels."""

    method: Literal["none"] = "none"


class ThresholdSeeds(Settings):
    """Seeds from two thresholds on the maps, eqs. 1.12 and 1.13."""

    method: Literal["threshold"] = "threshold"
    foreground: Fraction = Field(0.30, description="tau_2: a pixel above it takes its strongest class")
    background: Fraction = Field(0.05, description="tau_3: a pixel below it is background")

    @model_validator(mode="after")
    def _ordered(self) -> ThresholdSeeds:
        if self.background > self.foreground:
            raise ValueError(
                f"background threshold {self.background} must not exceed foreground threshold {self.foreground}"
            )
        return self


class SuperpixelSeeds(Settings):
    """Seeds from one threshold and the superpixel least like any class, eqs. 3.3 to 3.5."""

    needs_superpixels: ClassVar[bool] = True
    method: Literal["superpixel"] = "superpixel"
    alpha: Fraction = Field(0.5, description="a pixel above it takes its strongest class")
    bg_conflict: Literal["override", "keep_fg"] = Field(
        "override", description="whether the background superpixel overrides class seeds"
    )


class PlainSegmenter(DeepLab):
    """DeepLab-v2 trained with cross-entropy on seeds."""

    method: Literal["plain"] = "plain"
    balanced: bool = Field(
        False, description="mean over background pixels plus mean over class pixels, instead of over all"
    )


class SpsrgSegmenter(DeepLab):
    """DeepLab-v2 with superpixel-guided seeded region growing, eqs. 3.6 to 3.8."""

    needs_superpixels: ClassVar[bool] = True
    method: Literal["spsrg"] = "spsrg"
    beta_bg: Fraction = Field(0.7, description="mean probability above which a superpixel becomes background")
    beta_fg: Fraction = Field(0.7, description="mean probability above which a superpixel becomes its class")
    restrict_to_present: bool = Field(True, description="only tagged classes and background can grow")


METHODS: dict[str, tuple[type[Settings], ...]] = {
    "classifier": (PlainClassifier, MdcClassifier),
    "cams": (Cam,),
    "features": (KeyFeatures, BackboneFeatures, RgbFeatures),
    "superpixels": (DinoSuperpixels, SlicSuperpixels, NoSuperpixels),
    "saliency": (GivenSaliency, DetectorSaliency, UnsupervisedSaliency),
    "seeds": (ThresholdSeeds, SuperpixelSeeds, SaliencySeeds),
    "segmenter": (PlainSegmenter, SpsrgSegmenter, MaskingSegmenter),
}
