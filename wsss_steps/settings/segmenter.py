"""Settings of the segmentation networks."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from wsss_steps.settings.base import Backbone, Count, Crop, DeepLab, Fraction, Warmup, Weight


class PlainSegmenter(DeepLab):
    """DeepLab-v2 trained with cross-entropy on seeds."""

    method: Literal["plain"] = "plain"
    balanced: bool = Field(
        False, description="mean over background pixels plus mean over class pixels, instead of over all"
    )


class SpsrgSegmenter(DeepLab):
    """DeepLab-v2 with superpixel-guided seeded region growing, eqs. 3.6 to 3.8."""

    needs: ClassVar[tuple[str, ...]] = ("superpixels",)
    method: Literal["spsrg"] = "spsrg"
    beta_bg: Fraction = Field(0.7, description="mean probability above which a superpixel becomes background")
    beta_fg: Fraction = Field(0.7, description="mean probability above which a superpixel becomes its class")
    restrict_to_present: bool = Field(True, description="only tagged classes and background can grow")


class MaskingSegmenter(DeepLab):
    """DeepLab-v2 taught by saliency and by a classifier that looks at masked images, eqs. 2.7 to 2.12."""

    needs: ClassVar[tuple[str, ...]] = ("classifier",)
    method: Literal["masking"] = "masking"
    backbone: str | Backbone = "vgg16"
    crop: Crop = 321
    epochs: Count = 30
    warmup_epochs: Warmup = 0.0
    lambda_seg: Weight = Field(2.0, description="weight of the attention loss; 0 leaves it out")
    paths: Count = Field(2, le=64, description="masked images per image")
