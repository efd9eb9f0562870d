"""Settings of what refines class activation maps: the links of a chain after the first, `cams: cam+pamr`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from wsss_steps.settings.base import Count, Dilation, Settings


class Pamr(Settings):
    """Pixel-adaptive mask refinement: maps move along pixels of like colour. It learns nothing."""

    method: Literal["pamr"] = "pamr"
    dilations: Annotated[tuple[Dilation, ...], Field(min_length=1)] = Field(
        (1, 2, 4, 8, 12, 24), description="distances of the 8 neighbours that a pixel is compared with, px of the maps"
    )
    iterations: Count = Field(10, description="times that every pixel becomes the weighted mean of its neighbours")
