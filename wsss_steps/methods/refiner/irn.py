"""Random walk that stops at boundaries which a network of its own has learnt (Ahn, Cho and Kwak 2019, IRN)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from wsss_steps import methods
from wsss_steps.data.manifest import Entry
from wsss_steps.methods.refiner._shared import Make, at_cells, by_network, from_cells
from wsss_steps.nets.irn import STRIDE, IRNet, build_irn
from wsss_steps.ops.labels import IGNORE
from wsss_steps.ops.losses.irn import irn_loss
from wsss_steps.ops.path_affinity import over_largest, propagate
from wsss_steps.ops.resize import sample_labels


def build(
    num_classes: int,
    *,
    backbone: Mapping[str, Any],
    output_stride: int,
    dilated: bool,
    frozen_stages: int,
    frozen_batch_norm: str,
    displacement_multiplier: float,
) -> IRNet:
    """The network with random weights, which is the same for any `num_classes`."""
    return build_irn(
        backbone,
        output_stride=output_stride,
        dilated=dilated,
        frozen_stages=frozen_stages,
        frozen_batch_norm=frozen_batch_norm,
        displacement_multiplier=displacement_multiplier,
    )


def losses(network: IRNet, batch: Mapping[str, Tensor], *, train_radius: int) -> dict[str, Tensor]:
    """`irn_loss` of a batch with images (B, 3, H, W) and seeds (B, H, W), taken at the network's positions."""
    labels = sample_labels(batch["seeds"], batch["images"].shape[-2:], STRIDE, outside=IGNORE)
    found = network(batch["images"])
    return irn_loss(found[:, 0].sigmoid(), found[:, 1:], labels, radius=train_radius)


def maker(*, refiner: Path, classes: Sequence[str], device: str, radius: int, beta: float, log_t: int) -> Make:
    """Maps of each image, spread up to the boundaries that the network in the file `refiner` finds.

    Its logits are averaged with those of the mirror image. The largest number of all maps of an image is 1.
    """
    network, content = methods.rebuild("refiner", refiner, device, classes)

    def refine(entry: Entry, pixels: Tensor, maps: Tensor) -> Tensor:
        logits, mirrored = network.boundaries(torch.cat([pixels, pixels.flip(-1)]))
        boundary = ((logits + mirrored.flip(-1)) / 2).sigmoid()
        image = (entry.height, entry.width)
        cells = at_cells(maps, image, STRIDE)
        walked = torch.from_numpy(propagate(cells, boundary, radius=radius, beta=beta, log_t=log_t))
        return over_largest(from_cells(walked, image, STRIDE, (maps.shape[-2], maps.shape[-1])))

    return by_network(content, device, refine)
