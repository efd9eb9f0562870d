"""Known data sets as their archives unpack, which the workflow converts to lists, a table of tags and label images."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from wsss_steps.settings.base import Settings

PublishedCounts = Annotated[
    bool,
    Field(
        description="whether the numbers of images must be those that were published; false for a part of the data set"
    ),
]


class Voc2012(Settings):
    """PASCAL VOC 2012 with SBD: `root` is `VOCdevkit/VOC2012`; train is VOC's train and SBD without VOC's val."""

    format: Literal["voc2012"] = Field(description="the data set")
    sbd: str = Field(
        "../../benchmark_RELEASE/dataset", min_length=1, description="folder of SBD, below `root` or absolute"
    )
    tags: str = Field(
        "xml",
        min_length=1,
        description="what gives an image its tags: `xml`, the objects of VOC's annotations; `masks`, the classes in "
        "VOC's and SBD's label images; or the path of a `cls_labels.npy`, below `root` or absolute",
    )
    published_counts: PublishedCounts = True


class Coco2014(Settings):
    """MS-COCO 2014: `root` holds `annotations/instances_{train,val}2014.json`, `train2014` and `val2014`."""

    format: Literal["coco2014"] = Field(description="the data set")
    overlap: Literal["smaller", "later"] = Field(
        "smaller",
        description="which object has a pixel of several: the one with fewer pixels, or the one that is later in the "
        "file",
    )
    crowd: Literal["void", "object", "background"] = Field(
        "void",
        description="annotations of crowds: void where no object is; objects as all others, also for tags; or left out",
    )
    masks: str | None = Field(
        None,
        min_length=1,
        description="folder of label images that others made, below `root` or absolute, instead of the annotated "
        "outlines; their names end with the number of the image: `000000000009.png`; their values are 1..80",
    )
    untagged: Literal["leave_out", "keep"] = Field(
        "leave_out", description="training images without an object; held-out ones are always kept"
    )
    published_counts: PublishedCounts = True


Archives = Annotated[Voc2012 | Coco2014, Field(discriminator="format")]
