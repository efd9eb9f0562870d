"""Maps of a network that learns to give the maps before it, and mends them so (Kim, Han and Kim 2021, DRS)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float32
from numpy import ndarray
from torch import Tensor

from wsss_steps import methods
from wsss_steps.data.images import normalise, read_image, resize_image
from wsss_steps.data.manifest import Entry
from wsss_steps.methods.per_image import Arrays
from wsss_steps.methods.refiner._shared import Make
from wsss_steps.nets.backbones import freeze
from wsss_steps.nets.extra_convolutions import backbone_of
from wsss_steps.nets.layout import fast_layout
from wsss_steps.nets.map_refiner import MapRefiner
from wsss_steps.ops.losses.map_regression import map_regression, strongest_alone
from wsss_steps.ops.resize import resize_images, scaled_size


def build(
    num_classes: int,
    *,
    backbone: Mapping[str, Any],
    output_stride: int,
    dilated: bool,
    frozen_stages: int,
    frozen_batch_norm: str,
    width: int,
    convolutions: int,
    init_std: float,
) -> MapRefiner:
    """The network with random weights: that of the classifier `drs`, with plain ReLUs."""
    features = backbone_of(backbone, output_stride=output_stride, dilated=dilated)
    freeze(features, frozen_stages, frozen_batch_norm)
    return MapRefiner(features, num_classes, width=width, convolutions=convolutions, init_std=init_std)


def losses(network: MapRefiner, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """`map_regression` of a batch with images (B, 3, H, W) to its maps (B, C, H, W), the largest class alone."""
    return {"maps": map_regression(network(batch["images"]), strongest_alone(batch["maps"]), batch["inside"])}


def maker(*, refiner: Path, classes: Sequence[str], device: str, scales: Sequence[float], mirror: bool) -> Make:
    """Maps of each image by the network in the file `refiner`, in [0, 1]: the largest over scales and mirror image.

    They are of the tagged classes, and at the size of the maps before. One that was 0 everywhere stays so.
    """
    network, content = methods.rebuild("refiner", refiner, device, classes)
    fast_layout(network)
    expected = {key: content["network"]["backbone"][key] for key in ("mean", "std")}

    @torch.inference_mode()
    def make(entry: Entry, given: Mapping[str, Arrays]) -> Float32[ndarray, "n h w"]:
        before = torch.from_numpy(given["cams"]["cam"]).to(device)
        if not len(before):
            return given["cams"]["cam"].copy()
        image = read_image(Path(entry.image))
        chosen = torch.tensor([number - 1 for number in entry.tags], device=device)
        found = torch.zeros_like(before)
        for scale in scales:
            pixels = normalise(resize_image(image, scaled_size(image.shape, scale)), **expected)
            maps = read(network, torch.from_numpy(pixels).to(device), mirror)[chosen]
            found = found.maximum(resize_images(maps[None], (before.shape[-2], before.shape[-1]))[0])
        kept = before.flatten(1).any(dim=1)[:, None, None]
        result: Float32[ndarray, "n h w"] = (found.clamp(max=1) * kept).cpu().numpy()
        return result

    return make


def read(network: MapRefiner, pixels: Tensor, mirror: bool) -> Tensor:
    """The maps (C, H, W) of an image (3, H, W); the larger of them and those of the mirror image, mirrored back."""
    if not mirror:
        maps: Tensor = network(pixels[None])[0]
        return maps
    one, other = network(torch.stack([pixels, pixels.flip(-1)]))
    larger: Tensor = one.maximum(other.flip(-1))
    return larger
