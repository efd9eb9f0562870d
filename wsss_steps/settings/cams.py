"""Settings of what makes class activation maps."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from wsss_steps.settings.base import Scale, Settings


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
