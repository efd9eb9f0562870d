"""Settings of what makes seeds."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from wsss_steps.settings.base import Count, Fraction, Positive, SaliencyChoice, Settings
from wsss_steps.settings.crf import CrfPreset
from wsss_steps.settings.given import Given, Numbers


class TwoThresholds(Settings):
    """What seeds from two thresholds on the maps have in common."""

    foreground: Fraction = Field(0.30, description="tau_2: a pixel above it takes its strongest class")
    background: Fraction = Field(0.05, description="tau_3: a pixel below it is background; at most `foreground`")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.background > self.foreground:
            raise ValueError(
                f"background threshold {self.background} must not exceed foreground threshold {self.foreground}"
            )
        return self


class ThresholdSeeds(TwoThresholds):
    """Seeds from two thresholds on the maps, eqs. 1.12 and 1.13."""

    method: Literal["threshold"] = "threshold"


class AffinitySeeds(Settings):
    """Seeds of two dense CRFs: a class that beats a strong background, a background that wins however faint it is."""

    method: Literal["affinity"] = "affinity"
    alpha_low: Positive = Field(4.0, description="power of the strong background, (1 - the largest map) to this power")
    alpha_high: Positive = Field(32.0, description="power of the faint background")
    crf: CrfPreset = Field("probability", description="preset of the dense CRF")


class CrfSeeds(Settings):
    """Seeds of one dense CRF: the most probable label everywhere. Two CRFs, and doubt where they differ: `affinity`."""

    method: Literal["crf"] = "crf"
    background_power: Positive = Field(
        4.0, description="the background is (1 - the largest map) to this power; SEAM has 4 and 24"
    )
    sure: Fraction = Field(
        0.0, lt=1, description="a pixel stays unlabelled if its label has at most this probability; 0: none does"
    )
    crf: CrfPreset = Field("seam", description="preset of the dense CRF")


class IrnSeeds(TwoThresholds):
    """Seeds from two thresholds on the maps, with a dense CRF on the labels of either."""

    method: Literal["irn"] = "irn"
    crf: CrfPreset = Field("label", description="preset of the dense CRF")


class SuperpixelSeeds(Settings):
    """Seeds from one threshold and the superpixel least like any class, eqs. 3.3 to 3.5."""

    needs: ClassVar[tuple[str, ...]] = ("superpixels",)
    method: Literal["superpixel"] = "superpixel"
    alpha: Fraction = Field(0.5, description="a pixel above it takes its strongest class")
    bg_conflict: Literal["override", "keep_fg"] = Field(
        "override", description="whether the background superpixel overrides class seeds"
    )


class OfSaliency(Settings):
    """What seeds that look at saliency maps have in common; without a need of their own, at the maps as they are."""

    needs: ClassVar[tuple[str, ...]] = ("saliency",)
    saliency: SaliencyChoice = Field(
        "detector",
        pattern="^[^/]+$",
        description="choice of saliency maps; ground_truth, made of the label images, is an upper bound",
    )


class SaliencySeeds(OfSaliency):
    """Seeds from a saliency map corrected by class activation maps, eqs. 2.5 and 2.6."""

    needs: ClassVar[tuple[str, ...]] = ("refined_saliency",)
    method: Literal["saliency"] = "saliency"
    binarise: int = Field(127, ge=0, le=254, description="a saliency above it, of 255, is an object")
    refine: bool = Field(True, description="correct the saliency maps; false: take them as they are")
    tau_1: Fraction = Field(0.8, description="class activation above which a pixel that saliency missed is an object")
    tau_2: Fraction = Field(0.3, description="class activation below which an object of the saliency map is doubted")
    uncertain: Literal["unlabelled", "background"] = Field(
        "unlabelled", description="what doubted pixels become; background does harm (Table 2.5)"
    )


class FickleSeeds(OfSaliency):
    """Seeds from a threshold on the maps, and background where nothing is salient; without saliency: `threshold`."""

    method: Literal["ficklenet"] = "ficklenet"
    theta: Fraction = Field(0.35, description="a pixel above it takes its strongest class; as in cams `ficklenet`")
    background: Fraction = Field(
        0.06, description="a pixel of no class is background if its saliency is below it; DSRG's number"
    )


class SaliencyClassSeeds(OfSaliency):
    """Seeds from a saliency map as it is: the strongest class where it is high, background elsewhere."""

    method: Literal["saliency_class"] = "saliency_class"
    binarise: int = Field(76, ge=0, le=254, description="a saliency above it, of 255, is an object; 76 is 0.3")


class SaliencyCrfSeeds(OfSaliency):
    """Seeds of one dense CRF of a saliency map and the maps: where objects are, and which they are."""

    method: Literal["saliency_crf"] = "saliency_crf"
    saliency_power: Positive = Field(
        0.5, description="saliency to this power; below 1 for maps that miss more than they spill"
    )
    background_power: float = Field(
        1.0,
        ge=0,
        allow_inf_nan=False,
        description="the background is multiplied by (1 - the largest map) to this power",
    )
    object_power: float = Field(
        0.0,
        ge=0,
        allow_inf_nan=False,
        description="every class is multiplied by the largest map to this power; 0.5 for maps that are probabilities",
    )
    agree_power: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="power of the background in a dense CRF of the maps alone; pixels to which it gives another label "
        "stay unlabelled; null: it is not asked",
    )
    crf: CrfPreset = Field("deeplab", description="preset of the dense CRF")


class DrsSeeds(OfSaliency):
    """Seeds from maps for the objects and a saliency map for the background (DRS)."""

    method: Literal["drs"] = "drs"
    binarise: int = Field(50, ge=0, le=254, description="a saliency above it, of 255, is an object")
    alpha: Fraction = Field(0.2, description="a map below it is taken for 0")
    conflict: Fraction = Field(0.9, description="a pixel stays unlabelled where more than `rivals` maps exceed it")
    rivals: Count = Field(
        2, description="how many of the maps, the background among them, may exceed `conflict` at a pixel"
    )


class GivenSeeds(Given):
    """Seeds or pseudo-labels that were made elsewhere, for a segmenter to learn from."""

    method: Literal["given"] = "given"
    path: str = Field(
        "{root}/pseudo_labels",
        description="folder of `<id>.png`: 0 background, 1..C, 255 unlabelled; or a `seeds.h5` "
        "([their forms](bring_your_own.md#seeds-and-pseudo-labels))",
    )
    class_numbers: Numbers = Field(
        {},
        description="class -> its value in the label maps; empty: 1..C in the order of the classes. Other values are "
        "wrong, but for 0 and 255",
    )
    untagged: Literal["stop", "unlabelled", "keep"] = Field(
        "stop", description="what to do about labels of classes that the image is not tagged with"
    )
