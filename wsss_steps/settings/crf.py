"""Presets of the dense CRF: published choices of its numbers, which settings name and artifacts are made with."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from wsss_steps.settings.base import Count, Fraction, Positive, Settings, Weight


class Gaussian(Settings):
    """The term of position alone."""

    sxy: Positive = Field(description="width, px")
    compat: Weight = Field(description="weight")


class Bilateral(Settings):
    """The term of position and colour."""

    sxy: Positive = Field(description="width in position, px")
    srgb: Positive = Field(description="width in colour, levels of 0..255")
    compat: Weight = Field(description="weight")


class Crf(Settings):
    """The numbers of a dense CRF (`ops/crf.py`)."""

    iterations: Count = Field(description="of mean field")
    gaussian: Gaussian
    bilateral: Bilateral
    gt_prob: Fraction | None = Field(
        None, description="probability that a given label is right; null: the energy is -log of given probabilities"
    )


def _preset(
    iterations: int, gaussian: tuple[float, float], bilateral: tuple[float, float, float], gt_prob: float | None = None
) -> Crf:
    return Crf(
        iterations=iterations,
        gaussian=Gaussian(sxy=gaussian[0], compat=gaussian[1]),
        bilateral=Bilateral(sxy=bilateral[0], srgb=bilateral[1], compat=bilateral[2]),
        gt_prob=gt_prob,
    )


PRESETS: dict[str, Crf] = {
    # Final output of DeepLab-v2; the dissertation says "default parameters", which is read as these.
    "deeplab": _preset(10, (1.0, 3.0), (67.0, 3.0, 4.0)),
    # Probabilities from class activation maps: AffinityNet and its kin.
    "probability": _preset(10, (3.0, 3.0), (80.0, 13.0, 10.0)),
    # Labels from class activation maps: IRN.
    "label": _preset(10, (3.0, 3.0), (50.0, 5.0, 10.0), gt_prob=0.7),
    # Superpixels as labels, as in the code that goes with the dissertation's chapter 3.
    "superpixel": _preset(20, (10.0, 10.0), (20.0, 5.0, 10.0), gt_prob=0.7),
    # MCTformer, output of its segmentation stage.
    "mctformer": _preset(10, (4.0, 3.0), (83.0, 5.0, 3.0)),
    # SEAM; what it raises the background to the power of (4 or 24) is the caller's business.
    "seam": _preset(10, (3.0, 3.0), (80.0, 13.0, 10.0)),
    # ToCo, output of its segmentation.
    "toco": _preset(10, (1.0, 1.0), (121.0, 5.0, 4.0)),
    # Puzzle-CAM, its final labels.
    "puzzle": _preset(1, (3.0, 3.0), (50.0, 5.0, 10.0), gt_prob=0.7),
    # DSRG, while it is trained: widths of `probability` by 12, in cells of its grid.
    "dsrg": _preset(10, (3.0 / 12.0, 3.0), (80.0 / 12.0, 13.0, 10.0)),
}
"""Presets by name; the numbers are those of the authors' public code."""


def names() -> list[str]:
    """What a setting `crf` may be: none, or a preset."""
    return ["none", *PRESETS]


def _known(name: str) -> str:
    """`name` as it is; a ValueError that lists the presets if there is none of that name."""
    if name not in names():
        raise ValueError(f"unknown CRF preset '{name}'; known presets: {', '.join(names())}")
    return name


CrfPreset = Annotated[str, AfterValidator(_known), Field(json_schema_extra=lambda schema: schema.update(enum=names()))]


def numbers(name: str) -> dict[str, Any] | None:
    """The numbers of a preset, as a step takes them; None for `none`. A ValueError if there is no such preset."""
    return None if _known(name) == "none" else PRESETS[name].model_dump(mode="json")
