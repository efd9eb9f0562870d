"""Random walk along affinities that a network of its own has learnt (Ahn and Kwak 2018, AffinityNet)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from wsss_steps import methods
from wsss_steps.data.manifest import Entry
from wsss_steps.methods.refiner._shared import Make, at_cells, by_network, from_cells
from wsss_steps.nets.affinity import AffinityNet, build_affinity_net
from wsss_steps.ops.labels import IGNORE
from wsss_steps.ops.losses.affinity import affinity_loss
from wsss_steps.ops.random_walk import transition, walk
from wsss_steps.ops.resize import sample_labels


def build(
    num_classes: int,
    *,
    backbone: Mapping[str, Any],
    output_stride: int,
    dilated: bool,
    frozen_stages: int,
    frozen_batch_norm: str,
) -> AffinityNet:
    """The network with random weights, which is the same for any `num_classes`."""
    return build_affinity_net(
        backbone,
        output_stride=output_stride,
        dilated=dilated,
        frozen_stages=frozen_stages,
        frozen_batch_norm=frozen_batch_norm,
    )


def losses(network: AffinityNet, batch: Mapping[str, Tensor], *, radius: int, output_stride: int) -> dict[str, Tensor]:
    """`affinity_loss` of a batch with images (B, 3, H, W) and seeds (B, H, W), taken at the cells of the features."""
    size = batch["images"].shape[-2:]
    labels = sample_labels(batch["seeds"], size, output_stride, outside=IGNORE)
    return affinity_loss(network(batch["images"]), labels, radius=radius)


def maker(
    *, refiner: Path, classes: Sequence[str], device: str, output_stride: int, radius: int, beta: float, log_t: int
) -> Make:
    """2^log_t steps of the maps of each image, on the grid of the features; the network is in the file `refiner`."""
    network, content = methods.rebuild("refiner", refiner, device, classes)

    def refine(entry: Entry, pixels: Tensor, maps: Tensor) -> Tensor:
        image = (entry.height, entry.width)
        cells = at_cells(maps.cpu(), image, output_stride)
        steps = transition(network(pixels)[0], radius=radius, beta=beta)
        walked = torch.from_numpy(walk(cells.flatten(1).numpy(), steps, 2**log_t)).reshape(cells.shape)
        return from_cells(walked, image, output_stride, (maps.shape[-2], maps.shape[-1]))

    return by_network(content, device, refine)
