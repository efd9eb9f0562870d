"""Settings of what makes superpixels."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from wsss_steps.settings.base import Count, FeaturesChoice, Positive, Settings
from wsss_steps.settings.crf import CrfPreset
from wsss_steps.settings.given import Given


class DinoSuperpixels(Settings):
    """Superpixels discovered from features, Table 3.1."""

    needs: ClassVar[tuple[str, ...]] = ("features",)
    method: Literal["dino"] = "dino"
    features: FeaturesChoice = Field("keys", description="choice of features that patches are compared by")
    tau: float = Field(0.3, gt=-1, le=1, description="cosine similarity with the seed patch above which a patch joins")
    order: Literal["lowest", "highest"] = Field("lowest", description="degree of the patch that is the next seed")
    crf: CrfPreset = Field("none", description="dense CRF on the superpixels as labels")


class SlicSuperpixels(Settings):
    """SLIC of scikit-image in CIELAB."""

    method: Literal["slic"] = "slic"
    count: Count = Field(30, description="superpixels asked for")
    compactness: Positive = Field(10.0, description="weight of nearness against likeness of colour")


class GivenSuperpixels(Given):
    """Superpixels that were made elsewhere, by any numbers; they are numbered 1..n again, without gaps."""

    method: Literal["given"] = "given"
    path: str = Field(
        "{root}/superpixels",
        description="folder of `<id>.png` (8 or 16 bits, grey or indexed) or `<id>.npy`, or a `superpixels.h5` "
        "([their forms](bring_your_own.md#superpixels))",
    )
