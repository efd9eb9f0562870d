"""Settings of what makes class activation maps."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from wsss_steps.settings.base import Count, Fraction, Scale, Seed, Settings
from wsss_steps.settings.given import NUMBERS, Given, Numbers


class MultiScale(Settings):
    """What makers of maps from a convolutional classifier have in common."""

    needs: ClassVar[tuple[str, ...]] = ("classifier",)
    scales: tuple[Scale, ...] = Field(
        (1.0, 0.5, 1.5, 2.0), min_length=1, description="sizes at which the image is read"
    )
    flip: bool = Field(True, description="read the mirrored image too")
    merge: Literal["sum", "max"] = Field(
        "sum", description="of the maps over the scales; max is eq. 2.4, which has scales 0.5, 0.75, 1 and no flip"
    )
    resolution: Literal["full", "strided"] = Field("full", description="image size, or ((H-1)//4+1, (W-1)//4+1)")


class Cam(MultiScale):
    """Multi-scale and flip class activation maps of the present classes."""

    method: Literal["cam"] = "cam"


class GradCam(MultiScale):
    """Maps by the gradients of the scores of the present classes; equal to `cam` if the classifier's head is linear."""

    method: Literal["gradcam"] = "gradcam"
    pool_grad: bool = Field(
        True, description="weigh each feature map by its mean gradient; false: each of its positions by its own"
    )


class FickleMaps(MultiScale):
    """Maps of many random choices of the hidden units of a classifier `ficklenet`, aggregated."""

    method: Literal["ficklenet"] = "ficklenet"
    scales: tuple[Scale, ...] = Field((1.0,), min_length=1, description="sizes at which the image is read")
    pool_grad: bool = Field(
        False, description="weigh each feature map by its mean gradient; false: each of its positions by its own"
    )
    passes: Count = Field(200, description="N, random choices per image")
    aggregate: Literal["largest", "mean"] = Field(
        "largest", description="of each class and pixel over the passes; the mean is divided by its maximum"
    )
    theta: Fraction = Field(
        0.35,
        description="with `largest`: of the classes that exceed it at a pixel only that of the largest mean is left, "
        "the others are cut down to it, so that seeds of this threshold are the paper's; 1: none is",
    )
    seed: Seed = Field(0, description="of the choices, with the id of the image")


class GivenMaps(Given):
    """Maps that were made elsewhere: IRN's `.npy`, PNG per image and class, or a `cams.h5` of this workflow."""

    method: Literal["given"] = "given"
    path: str = Field(
        "{root}/cams",
        description="folder of `<id>.npy` or of `<id>/<class>.png`, or a `cams.h5` "
        "([their forms](bring_your_own.md#maps))",
    )
    class_numbers: Numbers = Field(
        {},
        description=f"class -> its key in the `.npy` files, {NUMBERS}; empty: the classes in their order. Keys of "
        "other classes are passed over only if numbers are given. PNG and HDF5 name their classes",
    )
    background: bool = Field(False, description="key 0 of the `.npy` files is background, and 1 the first class")
    normalise: bool = Field(False, description="set what is negative to 0, and divide each map by its maximum")
    missing_maps: Literal["stop", "zero"] = Field(
        "stop", description="what to do about a tag without a map, and an image without a file: a map of zeros, or stop"
    )
