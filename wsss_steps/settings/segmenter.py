"""Settings of the segmentation networks."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from wsss_steps.settings.base import (
    Backbone,
    Count,
    Crop,
    DeepLab,
    Fraction,
    Jitter,
    LearningRate,
    Scale,
    Scales,
    Sides,
    Warmup,
    Weight,
    Width,
)
from wsss_steps.settings.crf import CrfPreset


class Segmenter(DeepLab):
    """What every segmenter has in common: DeepLab with one of two heads."""

    head: Literal["v2", "v3plus"] = Field(
        "v2",
        description="of DeepLab: v2 has logits at output_stride; v3plus has a decoder, and logits at stride 4: its "
        "paper has output_stride 16 and aspp_rates [6, 12, 18]",
    )
    low_level_width: Width = Field(48, description="of v3plus: channels that the features at stride 4 are brought to")
    decoder_width: Width = Field(256, description="of v3plus: channels of the pyramid and the decoder")


class PlainSegmenter(Segmenter):
    """DeepLab trained with cross-entropy on seeds."""

    method: Literal["plain"] = "plain"
    balanced: bool = Field(
        False, description="mean over background pixels plus mean over class pixels, instead of over all"
    )


class SpsrgSegmenter(Segmenter):
    """DeepLab with superpixel-guided seeded region growing, eqs. 3.6 to 3.8."""

    needs: ClassVar[tuple[str, ...]] = ("superpixels",)
    method: Literal["spsrg"] = "spsrg"
    beta_bg: Fraction = Field(0.7, description="mean probability above which a superpixel becomes background")
    beta_fg: Fraction = Field(0.7, description="mean probability above which a superpixel becomes its class")
    restrict_to_present: bool = Field(True, description="only tagged classes and background can grow")


class MaskingSegmenter(Segmenter):
    """DeepLab taught by saliency and by a classifier that looks at masked images, eqs. 2.7 to 2.12."""

    needs: ClassVar[tuple[str, ...]] = ("classifier",)
    method: Literal["masking"] = "masking"
    backbone: str | Backbone = "vgg16"
    crop: Crop = 321
    epochs: Count = 30
    warmup_epochs: Warmup = 0.0
    lambda_seg: Weight = Field(2.0, description="weight of the attention loss; 0 leaves it out")
    paths: int = Field(2, ge=1, le=64, description="masked images per image")


class DsrgSegmenter(Segmenter):
    """DeepLab with deep seeded region growing and a loss of boundaries (DSRG); its numbers are those of round one.

    Its authors' rate falls in steps, to a third every 1,000 of 8,000 steps of 20 images; here it follows `power`.
    """

    method: Literal["dsrg"] = "dsrg"
    backbone: str | Backbone = "vgg16"
    crop: Crop = 321
    resize_long: Sides | None = (321, 321)
    resize_scale: Scales | None = None
    jitter: Jitter = (0.0, 0.0, 0.0, 0.0)
    train_scales: tuple[Scale, ...] = Field(
        (1.0,), min_length=1, description="sizes at which the loss is summed, each with a dense CRF of its own"
    )
    learning_rate: LearningRate = 5e-4
    warmup_epochs: Warmup = 0.0
    grow: bool = Field(True, description="whether seeds grow; false: they are learnt as they are")
    theta_bg: Fraction = Field(0.99, description="probability above which background may grow over a cell")
    theta_fg: Fraction = Field(0.85, description="probability above which a class may grow over a cell")
    lambda_boundary: Weight = Field(1.0, description="weight of the loss of boundaries; 0 leaves it out")
    boundary_clip: float = Field(
        20.0, gt=1, le=1e6, description="the loss of boundaries counts ratios of probabilities up to this, or 1 / this"
    )
    floor: float = Field(
        1e-4, gt=0, le=0.1, description="added to every probability, and the least that the dense CRF leaves of one"
    )
    crf: CrfPreset = Field("dsrg", description="preset of the dense CRF on the grid of the logits: widths in cells")
    crf_unary: Literal["probability", "log_probability"] = Field(
        "probability",
        description="energies of the dense CRF: minus the probabilities, as in the authors' code, which lets a region "
        "outvote what is sure in a cell; or minus their logarithms",
    )


class DsrgSemiSegmenter(DsrgSegmenter):
    """DSRG that also learns from the label images of some training images (key `strong`): semi-supervised."""

    needs: ClassVar[tuple[str, ...]] = ("strong_masks",)
    method: Literal["dsrg_semi"] = "dsrg_semi"  # type: ignore[assignment]
    lambda_full: Weight = Field(2.0, description="weight of the cross-entropy on the label images")
