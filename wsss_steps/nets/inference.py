"""What a segmentation network says of one image, read at several sizes and mirrored."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wsss_steps.ops.resize import enlarge, resize_images, scaled_size


def views(image: Float[Tensor, "1 3 H W"], scales: Sequence[float], flip: bool) -> Iterator[tuple[Tensor, bool]]:
    """The image at every scale, and whether it is mirrored left to right."""
    for scale in scales:
        scaled = resize_images(image, scaled_size(image.shape[-2:], scale))
        yield scaled, False
        if flip:
            yield scaled.flip(-1), True


@torch.inference_mode()
def label_logits(
    network: nn.Module,
    image: Float[Tensor, "1 3 H W"],
    stride: int,
    *,
    scales: Sequence[float],
    flip: bool,
    merge: Literal["max", "mean"],
) -> Float[Tensor, "L H W"]:
    """Logits at the size of the image, merged over scales and mirror images.

    Args:
        network: gives logits (1, L, h, w).
        image: normalised.
        stride: input px per cell of the logits; h = ceil(H / stride), w likewise.
        scales: factors on the image size.
        flip: also read every scale mirrored.
        merge: elementwise maximum (DeepLab-v2) or mean of the upsampled logits.
    """

    def scores(view: Tensor, mirrored: bool) -> Tensor:
        logits = enlarge(network(view), (view.shape[-2], view.shape[-1]), stride)
        return resize_images(logits.flip(-1) if mirrored else logits, (image.shape[-2], image.shape[-1]))[0]

    parts = (scores(view, mirrored) for view, mirrored in views(image, scales, flip))  # lazily, since they are large
    merged = functools.reduce(torch.maximum if merge == "max" else torch.add, parts)
    return merged / (len(scales) * (1 + flip)) if merge == "mean" else merged
