"""Random views of images for self-supervised training: crop, mirror, colour, blur, solarisation.

All random numbers come from one generator in a fixed order, so the same seed gives the same views.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
TO_YIQ = ((0.299, 0.587, 0.114), (0.596, -0.274, -0.322), (0.211, -0.523, 0.312))
ASPECT = 4 / 3  # width over height of a crop, drawn log-uniformly from its inverse to itself
JITTERED, SOLARISED = 0.8, 0.2  # shares of the views, as in DINO
BLUR_SIGMA = (0.1, 1.2)  # px


@dataclass(frozen=True)
class Views:
    """How views of one kind are drawn.

    `size` px is the side of a view, `area` the range of its share of the image; `jitter` the strengths of brightness,
    contrast, saturation and hue; `grey` and `blurred` shares of the views.
    """

    size: int
    area: tuple[float, float]
    jitter: tuple[float, float, float, float]
    grey: float
    blurred: float


def uniform(generator: torch.Generator, shape: tuple[int, ...], low: float = 0.0, high: float = 1.0) -> Tensor:
    """Uniform numbers in [low, high)."""
    return torch.rand(shape, generator=generator) * (high - low) + low


def crop_box(
    height: int, width: int, area: tuple[float, float], generator: torch.Generator
) -> tuple[int, int, int, int]:
    """Top, left, height and width, px, of a random crop; `area` is the range of its share of the image."""
    share, slant, down, right = uniform(generator, (4,)).tolist()
    share = area[0] + share * (area[1] - area[0])
    ratio = math.exp((2 * slant - 1) * math.log(ASPECT))
    crop_width = min(width, max(1, round(math.sqrt(share * height * width * ratio))))
    crop_height = min(height, max(1, round(math.sqrt(share * height * width / ratio))))
    return int(down * (height - crop_height + 1)), int(right * (width - crop_width + 1)), crop_height, crop_width


def window(
    image: Float[Tensor, "3 H W"], area: tuple[float, float], generator: torch.Generator
) -> Float[Tensor, "3 h w"]:
    """A random part of the image, its share of the area drawn from `area`, at the image's own resolution."""
    top, left, height, width = crop_box(image.shape[1], image.shape[2], area, generator)
    return image[:, top : top + height, left : left + width]


def cropped(
    image: Float[Tensor, "3 H W"], views: Views, generator: torch.Generator
) -> tuple[Float[Tensor, "3 s s"], list[float]]:
    """One crop, resampled to `views.size` with anti-aliasing and mirrored with probability 0.5; and its place.

    The place is top, left, height and width in px of the image; for a mirrored view left is the right edge and the
    width is negative.
    """
    top, left, height, width = crop_box(image.shape[1], image.shape[2], views.area, generator)
    part = image[None, :, top : top + height, left : left + width]
    view = functional.interpolate(part, (views.size, views.size), mode="bilinear", antialias=True, align_corners=False)[
        0
    ]
    if uniform(generator, ()).item() < 0.5:
        return view.flip(-1), [top, left + width, height, -width]
    return view, [top, left, height, width]


def jittered(
    batch: Float[Tensor, "B 3 s s"], strengths: tuple[float, ...], generator: torch.Generator
) -> Float[Tensor, "B 3 s s"]:
    """Random brightness, contrast, saturation and hue of most images.

    A hue of 0.5 rotates the IQ plane of YIQ by up to half a turn either way. A share `JITTERED` of the images changes.
    """
    count = len(batch)
    brightness, contrast, saturation = (uniform(generator, (count, 1, 1, 1), 1 - s, 1 + s) for s in strengths[:3])
    angle = uniform(generator, (count,), -strengths[3], strengths[3]) * 2 * math.pi
    luma = torch.tensor(LUMA).view(1, 3, 1, 1)
    changed = batch * brightness
    middle = (changed * luma).sum(dim=1, keepdim=True).mean(dim=(2, 3), keepdim=True)
    changed = (changed - middle) * contrast + middle
    grey = (changed * luma).sum(dim=1, keepdim=True)
    changed = (changed - grey) * saturation + grey
    turn = torch.zeros(count, 3, 3)
    turn[:, 0, 0] = 1
    turn[:, 1, 1] = turn[:, 2, 2] = torch.cos(angle)
    turn[:, 1, 2], turn[:, 2, 1] = -torch.sin(angle), torch.sin(angle)
    yiq = torch.tensor(TO_YIQ)
    changed = torch.einsum("bij,bjhw->bihw", torch.linalg.inv(yiq) @ turn @ yiq, changed).clamp(0, 1)
    return torch.where(uniform(generator, (count, 1, 1, 1)) < JITTERED, changed, batch)


def blurred(batch: Float[Tensor, "B 3 s s"], share: float, generator: torch.Generator) -> Float[Tensor, "B 3 s s"]:
    """Gaussian blur of a share of the images, each with its own sigma."""
    count = len(batch)
    sigma = uniform(generator, (count, 1), *BLUR_SIGMA)
    taken = uniform(generator, (count, 1, 1, 1)) < share
    radius = math.ceil(3 * BLUR_SIGMA[1])
    kernel = torch.exp(-((torch.arange(-radius, radius + 1) / sigma) ** 2) / 2)
    kernel = (kernel / kernel.sum(dim=1, keepdim=True)).repeat_interleave(3, dim=0)[:, None, None]  # (3 B, 1, 1, k)
    planes = functional.pad(batch, (radius,) * 4, mode="reflect").flatten(0, 1)[None]
    smooth = functional.conv2d(
        functional.conv2d(planes, kernel, groups=3 * count), kernel.transpose(2, 3), groups=3 * count
    )
    return torch.where(taken, smooth.view_as(batch), batch)


def draw(
    images: Sequence[Float[Tensor, "3 H W"]], views: Views, generator: torch.Generator, *, solarise: bool
) -> tuple[Float[Tensor, "B 3 s s"], Float[Tensor, "B 4"]]:
    """One view of every image (values in [0, 1], sizes may differ), in [0, 1], and their places (see `cropped`)."""
    crops, places = zip(*(cropped(image, views, generator) for image in images), strict=True)
    batch = jittered(torch.stack(crops), views.jitter, generator)
    count = (len(batch), 1, 1, 1)
    grey = (batch * torch.tensor(LUMA).view(1, 3, 1, 1)).sum(dim=1, keepdim=True).expand_as(batch)
    batch = torch.where(uniform(generator, count) < views.grey, grey, batch)
    if views.blurred:
        batch = blurred(batch, views.blurred, generator)
    if solarise:
        batch = torch.where((uniform(generator, count) < SOLARISED) & (batch > 0.5), 1 - batch, batch)
    return batch, torch.tensor(places, dtype=torch.float32)
