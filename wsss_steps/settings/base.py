"""What settings are made of: types, a backbone, augmentation, optimisation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    field_validator,
    model_validator,
)
from pydantic_core import CoreSchema


def _ascending(ends: tuple[float, float]) -> tuple[float, float]:
    """The two ends of a range as they are; a ValueError if the first is the larger."""
    if ends[0] > ends[1]:
        raise ValueError(f"expected a range, its lower end first, found {list(ends)}")
    return ends


def known_device(text: str) -> str:
    """`text` as it is; a ValueError unless it names a device. It stands in command lines, so nothing else may pass."""
    if not DEVICE.fullmatch(text):
        raise ValueError(f"expected auto, cpu, cuda or cuda:N with the number of a GPU, found '{text}'")
    return text


DEVICE = re.compile(r"auto|cpu|cuda(:[0-9]{1,4})?")
WORDS, SLOT, ORDER = "words", "slot", "order"
"""Keys that a JSON schema here has beside its own, for the manual (`allowed`): what is allowed, where only a function
tells; the slot of a choice; that a range begins with its lower end."""


def in_words(words: str) -> Any:
    """What a setting may be, where only a function checks it: for the manual, it allows and forbids nothing."""
    return Field(json_schema_extra={WORDS: words})


# Upper bounds are far beyond what anybody trains with: they are for slips that would show after hours, if at all.
Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0, le=1e6)]
Weight = Annotated[float, Field(ge=0, le=1e6)]  # of a loss
Count = Annotated[int, Field(ge=1, le=100_000)]
Width = Annotated[int, Field(ge=1, le=65_536)]  # channels
Dilation = Annotated[int, Field(ge=1, le=8192)]
BatchSize = Annotated[int, Field(ge=1, le=65_536)]
Warmup = Annotated[float, Field(ge=0, le=100_000)]  # epochs
LearningRate = Annotated[float, Field(gt=0, le=1e3)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]  # what every generator takes: NumPy's has no negative ones
Side = Annotated[int, Field(ge=1, le=16_384)]  # px
Crop = Annotated[int, Field(ge=16, le=8192)]  # px
ViewSide = Annotated[int, Field(ge=8, le=8192)]  # px; a blur reaches 4 px over its edges
Scale = Annotated[float, Field(ge=0.05, le=8)]  # factor on the size of an image
_LOWER_FIRST = Field(json_schema_extra={ORDER: "ascending"})
Sides = Annotated[tuple[Side, Side], AfterValidator(_ascending), _LOWER_FIRST]
Scales = Annotated[tuple[Scale, Scale], AfterValidator(_ascending), _LOWER_FIRST]
Shares = Annotated[tuple[Fraction, Fraction], AfterValidator(_ascending), _LOWER_FIRST]
Strength = Annotated[float, Field(ge=0, le=10)]
Jitter = tuple[Strength, Strength, Strength, Annotated[float, Field(ge=0, le=0.5)]]  # a hue of 0.5 is half a turn
Rgb = tuple[float, float, float]
FrozenBatchNorm = Literal["none", "statistics", "all"]
Deviation = Annotated[float, Field(gt=0, le=1e3)]
Device = Annotated[
    str,
    AfterValidator(known_device),
    in_words("`auto`, `cpu`, `cuda` or `cuda:N`"),
]

EXPONENT = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+")  # a number such as 1e-3 that YAML 1.1 takes for text
IMAGENET_MEAN: Rgb = (0.485, 0.456, 0.406)
IMAGENET_STD: Rgb = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class ChoiceOf:
    """Marks a setting that is a choice itself: its text names a method of `slot`, with overrides if you like."""

    slot: str

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(core), SLOT: self.slot}


FeaturesChoice = Annotated[str, ChoiceOf("features")]
SaliencyChoice = Annotated[str, ChoiceOf("saliency")]
SeedsChoice = Annotated[str, ChoiceOf("seeds")]
SuperpixelsChoice = Annotated[str, ChoiceOf("superpixels")]


class Settings(BaseModel):
    """Frozen, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)
    needs: ClassVar[tuple[str, ...]] = ()
    """Artifacts (`planning.ARTIFACTS`) that a method takes besides those that every method of its slot does."""
    learns_from: ClassVar[Literal["seeds", "cams"]] = "seeds"
    """What the network of a refiner is trained on: seeds, which a setting chooses, or the maps before it themselves."""
    segments: ClassVar[bool] = False
    """Whether the network of a classifier also segments (a single-stage network): `segmenter: own`."""
    on_device: ClassVar[bool] = False
    """Whether superpixels are computed on a device, such as a GPU; in the other slots every method may do so."""


class Backbone(Settings):
    """A named entry of the table `backbones`: a convolutional network, its initial weights and the input it expects."""

    net: str = Field(description="small, resnet50, resnet101, vgg16 (torchvision), wideresnet38, or `timm:<name>`")
    weights: str = Field(
        "none",
        description="none (random), imagenet (download by torchvision or timm), a name of the table of weights "
        "([docs/weights.md](weights.md)), or a .safetensors or .pth file",
    )
    supervision: str = Field(
        "",
        description="labels beyond image-level ones that the weights were trained with, such as `COCO segmentation`: "
        "declared in summary.csv",
    )
    mean: Rgb = Field(IMAGENET_MEAN, description="subtracted from RGB / 255")
    std: tuple[Deviation, Deviation, Deviation] = Field(IMAGENET_STD, description="RGB / 255 - mean is divided by it")
    options: Annotated[
        dict[str, int | float | str | bool], in_words("table of names, each: number, text, `true` or `false`")
    ] = Field({}, description="further arguments of timm.create_model")

    @field_validator("options", mode="before")
    @classmethod
    def _numbers(cls, options: Any) -> Any:
        """YAML 1.1 reads 1e-3 as text; in every other setting the type tells that a number is meant."""
        if not isinstance(options, dict):
            return options
        return {name: float(value) if EXPONENT.fullmatch(str(value)) else value for name, value in options.items()}


class Augmentation(Settings):
    """Random changes of a training image."""

    resize_long: Sides | None = Field(None, description="length of the long side drawn from this range, px")
    resize_scale: Scales | None = Field(None, description="scale drawn from this range")
    scale_set: Annotated[tuple[Scale, ...], Field(min_length=1)] | None = Field(
        None, description="scale drawn from these, each as often; instead of a range, so with resize_scale: null"
    )
    crop: Crop = Field(
        448, description="side of the random square crop, px; smaller images are padded with the mean colour"
    )
    flip: bool = Field(True, description="mirror half of the images left to right")
    jitter: Jitter = Field((0.0, 0.0, 0.0, 0.0), description="brightness, contrast, saturation, hue")

    @model_validator(mode="after")
    def _one_way_to_draw_the_scale(self) -> Self:
        if self.resize_scale is not None and self.scale_set is not None:
            raise ValueError(
                f"expected scale_set or resize_scale, found both: {list(self.scale_set)} and "
                f"{list(self.resize_scale)}; set resize_scale: null to draw from the set"
            )
        return self


class Optimisation(Settings):
    """Stochastic gradient descent with a polynomial schedule."""

    epochs: Count = Field(15, description="passes over the training images")
    batch_size: BatchSize = Field(20, description="images in one step")
    learning_rate: LearningRate = Field(1e-3, description="of the backbone, at the start of the schedule")
    head_multiplier: Positive = Field(10.0, description="learning rate of new layers over that of the backbone")
    momentum: Fraction = Field(0.9, description="of the gradient descent")
    weight_decay: Weight = Field(5e-4, description="pull of the weights to zero")
    power: Positive = Field(0.9, description="exponent of the polynomial schedule")
    warmup_epochs: Warmup = Field(0.0, description="epochs of linear warm-up, multiplied into the schedule")
    warmup_from: Positive = Field(1e-6, description="learning rate at the start of the warm-up")
    compute_precision: Literal["float32", "tf32", "bfloat16"] = Field(
        "float32",
        description="of the backbone while training; tf32 (NVIDIA GPUs) and bfloat16 are faster and coarser. "
        "Predictions are always computed in float32",
    )
    channels_last: bool = Field(True, description="order in memory of images and weights; rounding depends on it")
    seed: Seed = Field(0, description="of weights, sampling and augmentation")


class Network(Settings):
    """A backbone and what of it is trained."""

    backbone: str | Backbone = Field(
        "resnet50", description="small, resnet50, resnet101, vgg16, or a name in `backbones`"
    )
    output_stride: Literal[4, 8, 16, 32] = Field(16, description="image px per position of the last feature map")
    frozen_stages: int = Field(
        0, ge=0, description="stages kept as loaded, counted from the input; the stem is part of the first"
    )
    dilated: bool = Field(
        True,
        description="dilate the convolutions behind a stride that output_stride takes out, as DeepLab does",
    )
    frozen_batch_norm: FrozenBatchNorm = Field(
        "all",
        description="what of batch normalisation stays as loaded: none, its statistics, or all (the affine part too)",
    )


class DeepLab(Network, Augmentation, Optimisation):
    """What every trained DeepLab has in common."""

    backbone: str | Backbone = "resnet101"
    output_stride: Literal[4, 8, 16, 32] = 8
    aspp_rates: tuple[Dilation, ...] = Field(
        (6, 12, 18, 24),
        min_length=1,
        description="dilations of the parallel convolutions of the head; on vgg16, [12] is DeepLab-LargeFOV",
    )
    train_scales: tuple[Scale, ...] = Field(
        (1.0, 0.75, 0.5), min_length=1, description="sizes at which the loss is summed"
    )
    resize_scale: Scales | None = (0.5, 1.5)
    jitter: Jitter = (0.3, 0.3, 0.3, 0.1)
    warmup_epochs: Warmup = 3.0
