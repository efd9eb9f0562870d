"""Maps of FickleNet (Lee et al. 2019): Grad-CAM of many random choices of hidden units, aggregated.

Source: the paper's idea, from lecture slides; the number of passes, the elementwise Grad-CAM and the aggregation are
from general knowledge of the paper.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from numpy import ndarray
from torch import Tensor

from wsss_steps import methods
from wsss_steps.data.images import normalise, read_image, resize_image
from wsss_steps.data.manifest import Entry
from wsss_steps.errors import UserError
from wsss_steps.methods.per_image import Arrays
from wsss_steps.nets.backbones import Backbone
from wsss_steps.nets.ficklenet import FickleHead
from wsss_steps.nets.layout import fast_layout
from wsss_steps.ops.cam import fuse_flip, merge_scales, normalise_maps, strided_size
from wsss_steps.ops.hidden_units import gradcam_of_windows
from wsss_steps.ops.passes import Passes, contested
from wsss_steps.ops.resize import scaled_size

Merge = Callable[[list[Tensor]], Tensor]


def maker(
    *,
    classifier: Path,
    classes: Sequence[str],
    device: str,
    scales: Sequence[float],
    flip: bool,
    resolution: str,
    merge: str,
    pool_grad: bool,
    passes: int,
    aggregate: str,
    theta: float,
    seed: int,
) -> Callable[[Entry, Mapping[str, Arrays]], Float32[ndarray, "n _ _"]]:
    """Maps of a classifier with FickleNet's head; a UserError if it has another.

    Its backbone reads an image once per scale; only the head is drawn in each pass.
    """
    network, content = methods.rebuild("classifier", classifier, device, classes)
    head = network.head
    if not isinstance(head, FickleHead):
        found = f"found classifier '{content['method']}'"
        raise UserError(f"cams 'ficklenet' draws hidden units of a classifier: expected 'ficklenet', {found}")
    fast_layout(network)
    read = functools.partial(scores_at, network.backbone, head, flip=flip, expected=content["network"]["backbone"])
    merged = functools.partial(merge_scales, output_stride=network.backbone.output_stride, merge=merge)

    def make(entry: Entry, _: Mapping[str, Arrays]) -> Float32[ndarray, "n _ _"]:
        image, size = read_image(Path(entry.image)), (entry.height, entry.width)
        if not entry.tags:
            return np.zeros((0, *(size if resolution == "full" else strided_size(*size))), np.float32)
        scores = [read(resize_image(image, scaled_size(size, scale)), entry.tags) for scale in scales]
        merge_all = functools.partial(merged, height=size[0], width=size[1], resolution=resolution)
        drawn = random_maps(head, scores, merge_all, generator_of(seed, entry.id), pool_grad=pool_grad)
        return aggregated(drawn, passes if head.draws else 1, aggregate, theta)

    return make


def generator_of(seed: int, image_id: str) -> torch.Generator:
    """The generator of an image, whichever images come before it and however they are shared out."""
    digest = hashlib.sha256(f"{seed} {image_id}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


@torch.no_grad()
def scores_at(
    backbone: Backbone,
    head: FickleHead,
    image: UInt8[ndarray, "H W 3"],
    tags: Sequence[int],
    *,
    flip: bool,
    expected: Mapping[str, Any],
) -> Tensor:
    """`cell_scores` (B, n, s s, h, w) of the tagged classes for an image and, if `flip`, for its mirror image.

    expected: `mean` and `std` by which the backbone wants images normalised.
    """
    device = next(backbone.parameters()).device
    pixels = torch.from_numpy(normalise(image, expected["mean"], expected["std"])).to(device)
    features = backbone(torch.stack([pixels, pixels.flip(-1)] if flip else [pixels]))
    return head.cell_scores(features, torch.tensor(tags, device=device) - 1)


def random_maps(
    head: FickleHead, scores: Sequence[Tensor], merge: Merge, generator: torch.Generator, *, pool_grad: bool
) -> Iterator[Tensor]:
    """Maps (n, H, W) of one random pass after the other, the maximum of each 1, without end.

    scores: of each scale. An image and its mirror image see the same draw.
    """
    while True:
        fused = []
        for one in scores:
            weights = head.weights(1, one.shape[-2:], generator).to(one)
            maps = gradcam_of_windows(one, weights, pool_grad=pool_grad)
            fused.append(fuse_flip(maps) if len(maps) == 2 else maps[0].relu())
        yield normalise_maps(merge(fused))


def aggregated(maps: Iterator[Tensor], passes: int, aggregate: str, theta: float) -> Float32[ndarray, "n H W"]:
    """The first `passes` maps as one per class; see `ops.passes.contested`. aggregate: largest or mean."""
    found = Passes()
    for _ in range(passes):
        found.add(next(maps))
    result = normalise_maps(found.mean) if aggregate == "mean" else contested(found.largest, found.mean, theta)
    numbers: Float32[ndarray, "n H W"] = result.cpu().numpy()
    return numbers
