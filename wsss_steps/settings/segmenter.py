"""Settings of the segmentation networks."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from wsss_steps.settings.base import Backbone, Count, Crop, DeepLab, Fraction, Warmup, Weight, Width


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
    paths: Count = Field(2, le=64, description="masked images per image")
