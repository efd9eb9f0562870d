"""Settings of the classifiers of image-level tags."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from wsss_steps.settings.base import (
    Augmentation,
    Backbone,
    BatchSize,
    Count,
    Crop,
    Deviation,
    Dilation,
    Fraction,
    FrozenBatchNorm,
    Jitter,
    LearningRate,
    Network,
    Optimisation,
    Positive,
    Scales,
    Sides,
    Warmup,
    Weight,
    Width,
    in_words,
)
from wsss_steps.settings.given import NUMBERS, Given, Numbers
from wsss_steps.settings.mixing import Mixer, Mixing


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


class RecurSeed(Network, Augmentation, Optimisation):
    """RecurSeed: maps that its own refined maps teach, and a DeepLab-v3+ decoder; it segments without a segmenter."""

    segments: ClassVar[bool] = True
    method: Literal["recurseed"] = "recurseed"
    frozen_batch_norm: FrozenBatchNorm = "none"
    aspp_rates: tuple[Dilation, ...] = Field(
        (6, 12, 18), min_length=1, description="dilations of the decoder's pyramid"
    )
    low_level_width: Width = Field(256, description="channels that the features at stride 4 are brought to")
    decoder_width: Width = Field(256, description="channels of the pyramid and the decoder")
    resize_long: Sides | None = (320, 640)
    crop: Crop = 512
    batch_size: BatchSize = 32
    learning_rate: LearningRate = 0.1
    weight_decay: Weight = 1e-4
    rs_epoch: Warmup = Field(5.0, description="epochs in which only the tags teach")
    stages: int = Field(
        2,
        ge=0,
        le=99,
        description="last stages of the backbone whose features self-correlation (SCG) compares; 0: no SCG",
    )
    delta_h: Fraction = Field(0.3, description="activation above which SCG takes a position for the class")
    delta_l: Fraction = Field(0.05, description="activation below which SCG takes it for background; at most delta_h")
    dilations: Annotated[tuple[Dilation, ...], Field(min_length=1)] = Field(
        (1, 2, 4, 8, 12, 24), description="of PAMR: distances of the 8 neighbours of a position, cells of 4 px"
    )
    iterations: int = Field(10, ge=0, le=100_000, description="of PAMR; 0: no PAMR")
    delta_fg: Fraction = Field(0.55, description="refined activation above which a position teaches its class")
    delta_bg: Fraction = Field(
        0.1, description="refined activation of all classes below which it teaches background; at most delta_fg"
    )
    lambda_seg: Weight = Field(1.0, description="weight of the loss of the decoder")
    lambda_rec: Weight = Field(1.0, description="weight of the loss between maps and refined maps")
    mix: Mixer = Field(
        "none",
        description="mixer of further training images: edgepredictmix, classmix, cutmix, cutout, cda, "
        "saliency_grafting, or none",
    )
    mix_epoch: Warmup = Field(15.0, description="epochs before images are mixed")
    mixing: Mixing = Field(Mixing(), description="the numbers of the mixers")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for low, high in (("delta_l", "delta_h"), ("delta_bg", "delta_fg")):
            if getattr(self, low) > getattr(self, high):
                raise ValueError(f"expected {low} at most {high}, found {getattr(self, low)} and {getattr(self, high)}")
        return self


class Puzzle(Network, Augmentation, Optimisation):
    """Puzzle-CAM: maps of an image that agree with those of its four tiles."""

    method: Literal["puzzle"] = "puzzle"
    dilated: bool = Field(
        False,
        description="dilate the convolutions behind a stride that output_stride takes out; the authors' ResNet-50 is "
        "IRN's, without dilation, their ResNeSt has a dilated last stage",
    )
    frozen_batch_norm: FrozenBatchNorm = "none"
    resize_long: Sides | None = (320, 640)
    crop: Crop = 512
    batch_size: BatchSize = 32
    learning_rate: LearningRate = 0.1
    weight_decay: Weight = 1e-4
    lambda_tags: Weight = Field(
        1.0, description="weight of the loss of the tags on the maps of the image; 0 leaves it out, but not both"
    )
    lambda_tiles: Weight = Field(
        1.0, description="weight of the loss of the tags on the merged maps of the tiles; as `lambda_tags`"
    )
    alpha: Weight = Field(4.0, description="weight of the distance between the two maps, at the end of its rise")
    schedule: Fraction = Field(
        0.5, description="share of the training in which that weight rises linearly from 0; 0: it is there at once"
    )
    legacy_irn_momentum: bool = Field(
        False, description="replicate public Puzzle-CAM code, which passes the weight decay as the momentum, as IRN's"
    )

    @model_validator(mode="after")
    def _tags_teach(self) -> Self:
        if not self.lambda_tags + self.lambda_tiles:
            raise ValueError("expected lambda_tags or lambda_tiles above 0, found 0 for both: nothing learns the tags")
        return self


class FickleNet(Network, Augmentation, Optimisation):
    """FickleNet: each window of the last convolution sees a random choice of the hidden units in it."""

    method: Literal["ficklenet"] = "ficklenet"
    backbone: str | Backbone = "vgg16"
    output_stride: Literal[4, 8, 16, 32] = 8
    crop: Crop = 321
    epochs: Count = 30
    batch_size: BatchSize = 10
    window: Annotated[int, in_words("odd whole number, 1 to 99")] = Field(
        9, ge=1, le=99, description="s, side of the windows, positions of the last feature map"
    )
    dropout: Fraction = Field(0.9, description="p, probability that a hidden unit is dropped, all its channels at once")
    form: Literal["centre_preserving", "general", "none"] = Field(
        "centre_preserving",
        description="centre_preserving: units are dropped in each window on its own, never its centre; general: in the "
        "feature map, before the windows; none: nothing is dropped",
    )
    rescale: bool = Field(
        False,
        description="divide what is kept by 1 - dropout, as dropout does, but for a centre that is always kept; not "
        "with a dropout of 1",
    )

    @model_validator(mode="after")
    def _drawable(self) -> Self:
        if self.window % 2 == 0:
            raise ValueError(f"expected an odd window, which has a centre, found {self.window}")
        if self.rescale and self.dropout == 1:
            raise ValueError("expected a dropout below 1 with rescale, found 1.0")
        return self


class Drs(Network, Augmentation, Optimisation):
    """Multi-label classifier with discriminative region suppression in place of every ReLU (DRS)."""

    method: Literal["drs"] = "drs"
    backbone: str | Backbone = "vgg16"
    output_stride: Literal[4, 8, 16, 32] = 8
    delta: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None,
        description="share of its maximum that a channel may reach, such as 0.55; null: learnt, for each channel and "
        "image",
    )
    controller_std: Deviation = Field(0.01, description="start of what learns the shares: N(0, controller_std)")
    convolutions: int = Field(3, ge=0, le=99, description="3x3 convolutions behind the backbone")
    width: Width = Field(512, description="their channels")
    resize_long: Sides | None = (384, 384)
    crop: Crop = 320
    jitter: Jitter = (0.3, 0.3, 0.3, 0.1)
    batch_size: BatchSize = 5


class GivenClassifier(Given):
    """A trained classifier of torchvision, timm, public code of the field, or this workflow; nothing is trained.

    Of a `classifier.safetensors` of this workflow the file knows backbone, stride and classes.
    """

    method: Literal["given"] = "given"
    path: str = Field(
        "{root}/classifier.pth",
        description="weights, .safetensors, .pth, .pt or .pth.tar ([their names](bring_your_own.md#a-classifier))",
    )
    backbone: str | Backbone = Field(
        "resnet50",
        description="small, resnet50, resnet101, vgg16, or a name in `backbones`; its own weights are not read",
    )
    output_stride: Literal[4, 8, 16, 32] = Field(16, description="image px per position of the last feature map")
    dilated: bool = Field(
        False,
        description="dilate the convolutions behind a stride that output_stride takes out; in IRN's classifier "
        "layer 4 has stride 1 and no dilation",
    )
    head: str = Field("", description="name of the layer of the classes, such as `fc8`; empty: the one that is known")
    class_numbers: Numbers = Field(
        {}, description=f"class -> its output of that layer, {NUMBERS}; empty: the classes in their order"
    )
    ignore: tuple[str, ...] = Field(
        (), description="beginnings of keys of further layers in the file, which its maps do not need"
    )
