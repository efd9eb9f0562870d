"""Settings of the report's gallery."""

from __future__ import annotations

from pydantic import Field

from wsss_steps.settings.base import Seed, Settings, Side


class DrawPictures(Settings):
    """The pictures of the report's gallery."""

    images: int = Field(
        2000,
        ge=1,
        le=1_000_000,
        description="most images in it; of a larger data set a third has the lowest IoU, a third the highest, and the "
        "others are drawn at random; without ground truth all are",
    )
    side: Side = Field(480, description="longest side of a photograph, which is never enlarged, and of label maps, px")
    map_side: Side = Field(240, description="longest side of the picture of a map (CAM, saliency), px")
    quality: int = Field(80, ge=1, le=95, description="of the photographs, as JPEG")
    seed: Seed = Field(0, description="of the images that are drawn at random")
