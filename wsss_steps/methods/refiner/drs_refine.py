"""Maps of a network that learns to give the maps before it, and mends them so (Kim, Han and Kim 2021, DRS)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from wsss_steps import methods
from wsss_steps.data.manifest import Entry
from wsss_steps.methods.refiner._shared import Make, by_network, not_empty
from wsss_steps.nets.backbones import freeze
from wsss_steps.nets.extra_convolutions import backbone_of
from wsss_steps.nets.inference import label_logits
from wsss_steps.nets.map_refiner import MapRefiner
from wsss_steps.ops.losses.map_regression import map_regression, strongest_alone
from wsss_steps.ops.resize import resize_images


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

    def refine(entry: Entry, pixels: Tensor, maps: Tensor) -> Tensor:
        found = label_logits(network, pixels, stride=1, scales=scales, flip=mirror, merge="max")
        tagged = found[[number - 1 for number in entry.tags]].clamp(0, 1)
        return resize_images(tagged[None], (maps.shape[-2], maps.shape[-1]))[0] * not_empty(maps)

    return by_network(content, device, refine)
