"""Settings of the steps that have no choice of methods."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from wsss_steps.settings.base import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    Count,
    Deviation,
    Fraction,
    Jitter,
    LearningRate,
    Positive,
    Rgb,
    Scale,
    Seed,
    Settings,
    Shares,
    Side,
    ViewSide,
    Weight,
    Width,
)
from wsss_steps.settings.crf import CrfPreset


class MakeExample(Settings):
    """The embedded data set."""

    train: Count = Field(400, description="training images")
    val: Count = Field(100, description="validation images")
    size: int = Field(128, ge=64, le=4096, description="nominal side of an image, px")
    seed: Seed = Field(0, description="of everything that is drawn")


class MakeSaliencyExample(Settings):
    """Images and masks in the layout of DUTS, of drawn things that are none of the embedded data set's classes."""

    count: Count = Field(400, description="pairs of an image and a mask")
    size: int = Field(128, ge=64, le=4096, description="nominal side of an image, px")
    seed: Seed = Field(5, description="of everything that is drawn")


class PretrainKeys(Settings):
    """Self-supervised DINO training of a small vision transformer on the data set's own images."""

    patch: Side = Field(8, description="side of a patch, px")
    width: Width = Field(96, description="length of a token; a multiple of heads")
    depth: int = Field(3, ge=1, le=1000, description="blocks")
    heads: Count = Field(3, description="of the attention")
    stem: Literal["patch", "convolution"] = Field(
        "convolution", description="how an image becomes patches: a linear map of each, or a few convolutions"
    )
    epochs: Count = Field(12, description="passes over the images")
    batch_size: int = Field(16, ge=2, le=65_536, description="images per step")
    window: Shares = Field((0.3, 1.0), description="share of an image that all its views in a step are taken from")
    global_crop: ViewSide = Field(
        64, description="side of the two views that the teacher sees, px; a multiple of patch"
    )
    global_area: Shares = Field((0.15, 0.6), description="share of the window in a global view")
    local_crop: ViewSide = Field(32, description="side of the small views, px; a multiple of patch")
    local_area: Shares = Field((0.06, 0.2), description="share of the window in a small view")
    local_crops: int = Field(2, ge=0, le=64, description="number of small views")
    jitter: Jitter = Field((0.3, 0.3, 0.3, 0.08), description="brightness, contrast, saturation, hue of the views")
    grey: Fraction = Field(0.0, description="share of the views without colour")
    blurred: Fraction = Field(0.0, description="share of the global views that are blurred; half as many small ones")
    prototypes: Width = Field(128, description="outputs of the projection heads")
    patch_weight: Weight = Field(1.0, description="of the loss between keys of patches; 0 leaves it out")
    learning_rate: LearningRate = Field(1e-3, description="at its highest, of AdamW")
    warmup: Fraction = Field(0.05, lt=1, description="share of the training in which the learning rate rises")
    weight_decay: Weight = Field(0.04, description="at the start; it grows to 0.4")
    teacher_momentum: Fraction = Field(0.98, description="at the start; it grows to 1")
    student_temperature: Positive = Field(0.1, description="by which the student's scores are divided")
    teacher_temperature: Positive = Field(0.04, description="by which the teacher's scores are divided")
    mean: Rgb = Field(IMAGENET_MEAN, description="subtracted from RGB / 255")
    std: tuple[Deviation, Deviation, Deviation] = Field(IMAGENET_STD, description="RGB / 255 - mean is divided by it")
    seed: Seed = Field(0, description="of weights, order and views")

    @model_validator(mode="after")
    def _whole(self) -> PretrainKeys:
        parts = {"width": "heads", "global_crop": "patch", "local_crop": "patch"}
        wrong = [
            f"{whole}: expected a multiple of {part} ({getattr(self, part)}), found {getattr(self, whole)}"
            for whole, part in parts.items()
            if getattr(self, whole) % getattr(self, part)
        ]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self


class Predict(Settings):
    """Multi-scale scores and the dense CRF."""

    scales: tuple[Scale, ...] = Field((1.0, 0.75, 0.5), min_length=1, description="sizes at which the image is read")
    flip: bool = Field(False, description="read the mirrored image too")
    merge: Literal["max", "mean"] = Field("max", description="of the logits over the scales")
    crf: CrfPreset = Field("deeplab", description="preset of the dense CRF on the scores")
    crf_labels: Literal["all", "winning"] = Field(
        "all", description="labels that compete in it: all that the image may show, or those that win a pixel before it"
    )


class Evaluate(Settings):
    """Mean intersection over union and its companions."""

    pred_ignore: Literal["count_as_wrong", "exclude"] = Field(
        "count_as_wrong", description="pixels predicted unlabelled"
    )
    absent: Literal["nan_skip", "zero"] = Field("nan_skip", description="classes in neither truth nor prediction")
    thresholds: tuple[Fraction, ...] = Field(
        tuple(round(0.05 * step, 2) for step in range(1, 17)),
        min_length=1,
        description="background thresholds tried on the class activation maps",
    )
    bootstrap: int = Field(1000, ge=0, le=100_000, description="resamplings for the 95 % interval")
    seed: Seed = Field(0, description="of the resamplings")


class CompareRecipes(Settings):
    """Tables of means over random seeds, and of differences between recipes."""

    object_sizes: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
        (0.05, 0.2),
        description="ascending bounds between the sizes of objects; a size is the share of an image's pixels that are "
        "of the object's class",
    )

    @field_validator("object_sizes")
    @classmethod
    def _ascending(cls, bounds: tuple[float, ...]) -> tuple[float, ...]:
        if list(bounds) != sorted(set(bounds)):
            raise ValueError(f"expected ascending bounds, each once, found {list(bounds)}")
        return bounds


class EvaluateSuperpixels(Settings):
    """Undersegmentation error, achievable accuracy, boundary recall and precision of superpixels."""

    boundary: Literal["inner4", "opencv"] = Field(
        "inner4",
        description="inner4: pixels with a 4-neighbour of another label; opencv: as its findContours, the frame too",
    )
    boundary_tolerance: Positive = Field(
        2.0, description="a boundary pixel is found if one of the other map lies nearer than this, px"
    )
    void: Literal["nearest", "exclude"] = Field(
        "nearest",
        description="boundaries at void: give void the nearest class, or leave out what is near void (in VOC: all)",
    )


class EvaluateBoxes(Settings):
    """The box of each class in its activation map, and whether it meets one of the ground truth (`boxes`)."""

    threshold: float = Field(
        0.2, gt=0, le=1, description="share of the map's maximum that a pixel of the object has at least"
    )
    connectivity: Literal[4, 8] = Field(8, description="neighbours of a pixel; the largest component gives the box")
    iou: float = Field(0.5, gt=0, le=1, description="a box is right if its IoU with one of the class is at least this")
    difficult: Literal["exclude", "include"] = Field(
        "exclude",
        description="objects that VOC marks as difficult: not counted, as in its detection task, or like others",
    )
    bootstrap: int = Field(1000, ge=0, le=100_000, description="resamplings for the 95 % interval")
    seed: Seed = Field(0, description="of the resamplings")
