"""Settings of what refines class activation maps: the links of a chain after the first, `cams: cam+pamr`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from wsss_steps.settings.base import (
    Augmentation,
    Backbone,
    BatchSize,
    Count,
    Crop,
    Deviation,
    Dilation,
    Fraction,
    Jitter,
    LearningRate,
    Network,
    Optimisation,
    Positive,
    Scale,
    Scales,
    SeedsChoice,
    Settings,
    Sides,
    SuperpixelsChoice,
    Weight,
    Width,
)
from wsss_steps.settings.crf import CrfPreset
from wsss_steps.settings.segmenter import Segmenter

Dilations = Annotated[tuple[Dilation, ...], Field(min_length=1)]


class ByColours(Settings):
    """What refiners that follow the colours of the image have in common."""

    dilations: Dilations = Field(
        (1, 2, 4, 8, 12, 24), description="distances of the 8 neighbours that a pixel is compared with, px of the maps"
    )
    iterations: Count = Field(10, description="times that every pixel becomes the weighted sum of its neighbours")


class Pamr(ByColours):
    """Pixel-adaptive mask refinement: maps move along pixels of like colour. It learns nothing."""

    method: Literal["pamr"] = "pamr"


class Par(ByColours):
    """PAMR's sibling of AFA and ToCo: a narrower kernel, and a small share of the weights by distance."""

    method: Literal["par"] = "par"


class Scg(Settings):
    """Self-correlation of the classifier's features: where they are like those of the sure positions of a map."""

    needs: ClassVar[tuple[str, ...]] = ("classifier",)
    method: Literal["scg"] = "scg"
    stages: Count = Field(2, description="last stages of the backbone whose features are compared")
    foreground: Fraction = Field(0.3, description="activation above which a position is surely of the class")
    background: Fraction = Field(0.05, description="activation below which it is surely not")
    reduce: Literal["mean", "sum"] = Field(
        "mean", description="of the correlations with these positions: the formula's mean, or the listing's sum"
    )
    positions: Count = Field(
        4096, description="most positions of a feature map; a larger one is pooled, since memory grows with the square"
    )


class CrfRefiner(Settings):
    """Dense CRF on the maps and a background."""

    method: Literal["crf"] = "crf"
    crf: CrfPreset = Field("probability", description="preset; its widths are in px of the maps")
    background_power: Positive = Field(
        4.0, description="the background is (1 - the largest map) to this power; AffinityNet has 4 to 32, SEAM 4 to 24"
    )


class SuperpixelRefiner(Settings):
    """The mean of the maps over each superpixel."""

    needs: ClassVar[tuple[str, ...]] = ("superpixels",)
    method: Literal["superpixel"] = "superpixel"
    superpixels: SuperpixelsChoice = Field("slic", description="choice of superpixels, whatever those of the recipe")


class RandomWalk(Network, Augmentation, Optimisation):
    """Random walk along affinities that AffinityNet learns from sure pixels of the maps."""

    needs: ClassVar[tuple[str, ...]] = ("refiner",)
    method: Literal["random_walk"] = "random_walk"
    seeds: SeedsChoice = Field("affinity", description="choice of seeds that the affinities are learnt from")
    output_stride: Literal[4, 8, 16, 32] = Field(8, description="image px per position of the walk")
    radius: int = Field(5, ge=2, le=64, description="positions nearer than this are neighbours")
    beta: Positive = Field(8.0, description="power of the affinities; the larger, the fewer ways are open")
    log_t: int = Field(8, ge=0, le=16, description="the walk has 2 to this power steps")
    resize_long: Sides | None = (448, 768)
    jitter: Jitter = (0.3, 0.3, 0.3, 0.1)
    epochs: Count = 8
    batch_size: BatchSize = 8
    learning_rate: LearningRate = 0.1


class Irn(Network, Augmentation, Optimisation):
    """Random walk that stops at boundaries, which IRNet learns from sure pixels of the maps."""

    needs: ClassVar[tuple[str, ...]] = ("refiner",)
    method: Literal["irn"] = "irn"
    seeds: SeedsChoice = Field("irn", description="choice of seeds that the boundaries are learnt from")
    train_radius: int = Field(10, ge=2, le=64, description="pairs nearer than this, in steps of 4 px, are learnt from")
    radius: int = Field(5, ge=2, le=64, description="positions nearer than this are neighbours in the walk")
    beta: Positive = Field(10.0, description="power of the affinities; the larger, the fewer ways are open")
    log_t: int = Field(8, ge=0, le=16, description="the walk has 2 to this power steps")
    dilated: bool = False
    frozen_stages: int = Field(4, ge=0)
    crop: Crop = 512
    resize_scale: Scales | None = (0.5, 1.5)
    epochs: Count = 3
    batch_size: BatchSize = 32
    learning_rate: LearningRate = 0.1
    head_multiplier: Positive = 1.0
    displacement_multiplier: Positive = Field(
        10.0, description="learning rate of the displacements over that of the boundaries"
    )
    weight_decay: Weight = 1e-4


class DrsRefine(Network, Augmentation, Optimisation):
    """Maps of a network that learns the maps before it, and mends them so (DRS's localisation map refinement)."""

    needs: ClassVar[tuple[str, ...]] = ("refiner",)
    learns_from: ClassVar[Literal["seeds", "cams"]] = "cams"
    method: Literal["drs_refine"] = "drs_refine"
    backbone: str | Backbone = "vgg16"
    output_stride: Literal[4, 8, 16, 32] = 8
    convolutions: int = Field(3, ge=0, le=99, description="3x3 convolutions behind the backbone")
    width: Width = Field(512, description="their channels")
    init_std: Deviation = Field(0.01, description="start of these and of the last convolution: N(0, init_std)")
    scales: tuple[Scale, ...] = Field(
        (0.51, 0.64, 0.77),
        min_length=1,
        description="sizes at which a trained network reads the image; these make 500 px, VOC's long side, 256, 320 "
        "and 384",
    )
    mirror: bool = Field(False, description="whether it reads the mirrored image too")
    resize_long: Sides | None = (384, 384)
    crop: Crop = 320
    jitter: Jitter = (0.3, 0.3, 0.3, 0.1)
    epochs: Count = 30
    batch_size: BatchSize = 5
    learning_rate: LearningRate = 0.01


class DeepLabRefiner(Segmenter):
    """Probabilities of a segmentation network that learns seeds made of the maps before it."""

    needs: ClassVar[tuple[str, ...]] = ("refiner",)
    method: Literal["deeplab"] = "deeplab"
    seeds: SeedsChoice = Field("crf", description="choice of seeds that the network learns")
    balanced: bool = Field(
        False, description="mean over background pixels plus mean over class pixels, instead of over all"
    )
    scales: tuple[Scale, ...] = Field((1.0,), min_length=1, description="sizes at which the network reads the image")
    mirror: bool = Field(True, description="whether it reads the mirrored image too")
