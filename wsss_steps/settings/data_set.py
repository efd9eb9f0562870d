"""Settings of the data set: where it lies and how it is laid out."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from wsss_steps.settings.base import Settings, Side, in_words

TRAIN = "train"
OF_VOC = (
    *("train_list", "splits", "unscored", "scored_list", "image_folder", "mask_folder", "annotation_folder"),
    *("tags_csv", "boxes"),
)
"""Settings of a data set in PASCAL VOC layout alone."""
SplitName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9_]*$"),
    in_words("small letters, digits and `_`, a letter first"),
]


class Prepare(Settings):
    """A data set: a plain folder of photographs (`images`), or PASCAL VOC layout below a root folder.

    Paths of VOC layout are relative to the root.
    """

    dataset: Annotated[str, in_words("letters, digits, `_`, `-` and `.`, neither `-` nor `.` first")] = Field(
        pattern=r"^\w[\w.-]*$", description="name of the data set, and of the folder of its results"
    )
    images: str | None = Field(
        None,
        description="a plain folder of photographs, sub-folders included, instead of `root`; null: PASCAL VOC layout",
    )
    tags: str | None = Field(
        None,
        description="of a plain folder: table with a row per photograph ([its columns](datasets.md)), seen from the "
        "working directory or from `images`; `folders`: a folder per class; null: tags.csv",
    )
    classes: tuple[str, ...] = Field(
        (),
        max_length=254,
        description="names of the classes 1..C, in this order, each once, without background; required, except of a "
        "plain folder: there, if empty, those that the table or the folders name, sorted",
    )
    max_side: Side | None = Field(
        None,
        description="longest side at which an image is read, px: larger ones are copied at that size, which bounds "
        "the memory of every step, and label maps come back at the size of the image; null: as it is. 640, unless "
        "said, of a plain folder",
    )
    mask_classes: tuple[str, ...] = Field(
        (),
        max_length=254,
        description="names of the values 1..K in label images, those of `classes` among them; empty: as `classes`",
    )
    other_classes: Literal["background", "ignore"] = Field(
        "background", description="what values of unlisted classes become"
    )
    train_list: str = Field("ImageSets/Segmentation/train.txt", description="ids of the training images, one a line")
    splits: dict[SplitName, str] = Field(
        {"val": "ImageSets/Segmentation/val.txt"},
        description="held-out images to segment and, with masks, to score: name (not train) -> list of ids; val is "
        "left out if it is not given and its list does not exist",
    )
    unscored: tuple[SplitName, ...] = Field((), description="those of `splits` without tags and masks: segmented only")
    scored_list: str | None = Field(
        None, description="ids of the training images that are scored, such as VOC's 1,464 of 10,582; null: all"
    )
    image_folder: str = Field("JPEGImages", description="images, `<id>.jpg`")
    mask_folder: str | None = Field(
        "SegmentationClass", description="label images, for evaluation alone; null if there are none"
    )
    annotation_folder: str = Field("Annotations", description="VOC XML files, whose objects give an image its tags")
    tags_csv: str | None = Field(
        None, description="table with columns id, tags and perhaps split, instead of the XML files"
    )
    allow_untagged: bool = Field(False, description="whether an image may show no class at all")
    boxes: str | None = Field(
        None,
        description="VOC XML files with the box of every object, such as Annotations, for evaluation alone: the class "
        "activation maps are scored by the boxes around them; null: they are not",
    )

    @model_validator(mode="after")
    def _layout(self) -> Prepare:
        if self.images is None and not self.classes:
            raise ValueError("classes: expected names of classes, found none")
        if self.images is None and self.tags is not None:
            raise ValueError(f"tags: expected images, a plain folder, beside it; found tags '{self.tags}' alone")
        if self.images is not None and (others := sorted(self.model_fields_set & {*OF_VOC, "root", "draw", "strong"})):
            raise ValueError(f"images: expected no keys of another layout beside it, found {', '.join(others)}")
        if self.max_side is not None and self.boxes is not None:
            raise ValueError("max_side: expected null beside boxes, which are measured in px of the image")
        return self

    @model_validator(mode="after")
    def _splits(self) -> Prepare:
        if "train" in self.splits:
            raise ValueError("splits: expected names of held-out images, found 'train', which is train_list")
        unknown = sorted(set(self.unscored) - set(self.splits))
        if unknown:
            raise ValueError(f"unscored: {unknown} are not among splits {sorted(self.splits)}")
        return self

    @model_validator(mode="after")
    def _named_once(self) -> Prepare:
        for field in ("classes", "mask_classes"):
            names = getattr(self, field)
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice or "background" in names or "" in names:
                raise ValueError(
                    f"{field}: expected each class once, without 'background', found {twice or list(names)}"
                )
            if around := [name for name in names if name != name.strip()]:
                raise ValueError(f"{field}: expected names without spaces around them, found {around}")
            folded = [name.casefold() for name in names]
            if alike := [name for name in names if folded.count(name.casefold()) > 1]:
                raise ValueError(f"{field}: expected classes that differ in more than case, found {alike}")
        unknown = sorted(set(self.classes) - set(self.mask_classes or self.classes))
        if unknown:
            raise ValueError(f"classes {unknown} are not among mask_classes {list(self.mask_classes)}")
        return self
