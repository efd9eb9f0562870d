"""What makers of maps from a convolutional classifier share: its file, scales, mirror images, and their fusion."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, Integer, UInt8
from numpy import ndarray
from torch import Tensor

from wsss_steps import methods
from wsss_steps.data.images import normalise, read_image, resize_image
from wsss_steps.data.manifest import Entry
from wsss_steps.methods.per_image import Arrays
from wsss_steps.nets.classifier import MapClassifier
from wsss_steps.nets.layout import fast_layout
from wsss_steps.ops.cam import fuse_flip, merge_scales, normalise_maps, strided_size

Raw = Callable[[MapClassifier, Tensor, Tensor], Tensor]
"""Raw maps (B, n, h, w) of the classes with the indices (n,), from the network and normalised images (B, 3, H, W)."""
Make = Callable[[Entry, Mapping[str, Arrays]], Float32[ndarray, "n _ _"]]


def maker(
    raw: Raw,
    classifier: Path,
    classes: Sequence[str],
    device: str,
    *,
    scales: Sequence[float],
    flip: bool,
    resolution: str,
    merge: str,
) -> Make:
    """`multi_scale` by the network in the file `classifier`, which has its mean and standard deviation."""
    network, content = methods.rebuild("classifier", classifier, device, classes)
    fast_layout(network)
    maps = functools.partial(multi_scale, raw, network, scales=scales, flip=flip, resolution=resolution, merge=merge)
    expected = {key: content["network"]["backbone"][key] for key in ("mean", "std")}

    def make(entry: Entry, _: Mapping[str, Arrays]) -> Float32[ndarray, "n _ _"]:
        return maps(read_image(Path(entry.image)), np.array(entry.tags, np.uint8), **expected)

    return make


@torch.no_grad()
def multi_scale(
    raw: Raw,
    network: MapClassifier,
    image: UInt8[ndarray, "H W 3"],
    present: Integer[ndarray, " n"],
    *,
    mean: Sequence[float],
    std: Sequence[float],
    scales: Sequence[float],
    flip: bool,
    resolution: str,
    merge: str,
) -> Float32[ndarray, "n _ _"]:
    """Maps of the `present` classes (1..C), (n, H, W) or strided, in [0, 1].

    The maximum of each is 1, or 0 if it is nowhere positive.
    """
    height, width = image.shape[:2]
    if len(present) == 0:
        return np.zeros((0, *((height, width) if resolution == "full" else strided_size(height, width))), np.float32)
    device = next(network.parameters()).device
    network.eval()
    chosen = torch.as_tensor(present - 1, dtype=torch.long, device=device)
    fused: list[Tensor] = []
    for scale in scales:
        size = (max(1, round(height * scale)), max(1, round(width * scale)))
        pixels = torch.from_numpy(normalise(resize_image(image, size), mean, std)).to(device)
        maps = raw(network, torch.stack([pixels, pixels.flip(-1)] if flip else [pixels]), chosen)
        fused.append(fuse_flip(maps) if flip else maps[0].relu())
    stride = network.backbone.output_stride
    total = merge_scales(fused, height, width, resolution=resolution, output_stride=stride, merge=merge)
    result: Float32[ndarray, "n _ _"] = normalise_maps(total).cpu().numpy()
    return result
