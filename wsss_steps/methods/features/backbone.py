"""Last feature map of a convolutional network, for comparison (Kim 2022, dissertation, Fig. 3.10)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from wsss_steps.data.images import read_image
from wsss_steps.data.manifest import Entry
from wsss_steps.data.patches import item, whole_patches
from wsss_steps.methods.per_image import Arrays
from wsss_steps.nets.backbones import build_backbone
from wsss_steps.pretrained.backbones import load_backbone


def maker(
    *,
    weights: Path | None,
    device: str,
    backbone: dict[str, Any],
    output_stride: int,
    image_scale: float,
    centre: bool,
) -> Callable[[Entry, Mapping[str, Arrays]], Arrays]:
    """A function from an image to its features, (h, w, K), one per cell of `output_stride` px of the scaled image.

    The image is padded to whole cells with zeros (the mean colour). `centre` subtracts the image's mean vector: after a
    ReLU no cosine is negative, so nearly all patches have the same degree and seeds are taken in patch order.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # `weights: none` means random features, and the same ones every time
        network = build_backbone(backbone["net"], output_stride=output_stride, options=backbone["options"])
    load_backbone(network, backbone, weights)
    network = network.to(device).eval().requires_grad_(False)

    @torch.inference_mode()
    def make(entry: Entry, _: Mapping[str, Arrays]) -> Arrays:
        pixels, extent = whole_patches(
            read_image(Path(entry.image)),
            patch=output_stride,
            image_scale=image_scale,
            input_mode="pad",
            mean=backbone["mean"],
            std=backbone["std"],
        )
        maps = network(torch.from_numpy(pixels)[None].to(device))[0]
        return item(maps.permute(1, 2, 0).cpu().numpy(), extent, centre)

    return make
