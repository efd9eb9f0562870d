"""Strong supervision: label images of some training images, for semi-supervised methods."""

from __future__ import annotations

from pydantic import Field

from wsss_steps.settings.base import Settings


class Strong(Settings):
    """Which training images have label images to learn from, and where these lie. Evaluation has its own."""

    image_list: str = Field(min_length=1, description="list of their ids, all of them training images; below `root`")
    mask_folder: str = Field(
        "SegmentationClass",
        min_length=1,
        description="label images, `<id>.png`, as those of the data set; below `root`",
    )
