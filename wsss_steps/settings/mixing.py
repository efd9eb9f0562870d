"""Settings of mixed training images (`ops/mixing`)."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from wsss_steps.ops import mixing
from wsss_steps.settings.base import Count, Fraction, Positive, Settings, Shares, Weight

NO_MIXER = "none"


def names() -> list[str]:
    """What a setting `mix` may be: none, or a mixer."""
    return [NO_MIXER, *mixing.names()]


def _known(name: str) -> str:
    """`name` as it is; a ValueError unless it names a mixer."""
    if name not in (known := names()):
        raise ValueError(f"expected one of {', '.join(known)}, found '{name}'")
    return name


Mixer = Annotated[str, AfterValidator(_known), Field(json_schema_extra=lambda schema: schema.update(enum=names()))]


class Mixing(Settings):
    """The numbers of the mixers of training images; a pixel is a cell of the network's output."""

    cutmix_alpha: Positive = Field(1.0, description="of cutmix: Beta(alpha, alpha) gives the share that is kept")
    cutout_side: Fraction = Field(0.5, description="of cutout: side of the erased square, of the shorter side")
    cda_area: Shares = Field((0.1, 0.7), description="of cda: share of the image that an object may have")
    grafting_cells: Count = Field(8, description="of saliency_grafting: patches per side")
    grafting_probability: Fraction = Field(0.5, description="of saliency_grafting: that a salient patch is pasted")
    sigma: Positive = Field(1.0, description="of edgepredictmix: blur before edges are looked for, px")
    low: Weight = Field(10.0, description="of edgepredictmix: gradient with which an edge goes on")
    high: Weight = Field(100.0, description="of edgepredictmix: gradient with which an edge begins")
    widen: int = Field(0, ge=0, le=64, description="of edgepredictmix: px by which edges grow, which closes gaps")
    fill_only_ignored: bool = Field(
        False, description="of edgepredictmix: only unlabelled pixels get the label of their area"
    )
