"""Self-correlation of a classifier's features, seen from the sure positions of each map (RecurSeed, algorithm 1)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from torch import Tensor
from torch.nn import functional as F

from wsss_steps import methods
from wsss_steps.data.manifest import Entry
from wsss_steps.methods.refiner._shared import Make, at_cells, by_network, from_cells
from wsss_steps.nets.backbones import Backbone
from wsss_steps.nets.layout import fast_layout
from wsss_steps.nets.stage_outputs import stage_outputs
from wsss_steps.ops.resize import resize_images
from wsss_steps.ops.scg import localise, self_correlation


def maker(
    *,
    classifier: Path,
    classes: Sequence[str],
    device: str,
    stages: int,
    foreground: float,
    background: float,
    reduce: Literal["mean", "sum"],
    positions: int,
) -> Make:
    """Localisation maps on the grid of the maps, by the network in the file `classifier`, which has its mean and std.

    Maps and features meet on the grid of the features, at the size of the image; there is one scale and no flip.
    """
    network, content = methods.rebuild("classifier", classifier, device, classes)
    fast_layout(network)

    def refine(entry: Entry, pixels: Tensor, maps: Tensor) -> Tensor:
        layers, stride = grids_of(network.backbone, pixels, stages, positions)
        image = (entry.height, entry.width)
        cells = at_cells(maps, image, stride)
        options = {"foreground": foreground, "background": background}
        correlation = self_correlation([layer.flatten(1) for layer in layers])
        found = localise(correlation, cells.flatten(1), **options, reduce=reduce).reshape(cells.shape)
        return from_cells(found, image, stride, (maps.shape[-2], maps.shape[-1]))

    return by_network(content, device, refine)


def grids_of(backbone: Backbone, pixels: Tensor, stages: int, positions: int) -> tuple[list[Tensor], int]:
    """Features (K, h, w) of the last stages on the grid of the last one, pooled to at most `positions`; its stride."""
    found, stride = stage_outputs(backbone, pixels, stages), backbone.output_stride
    last = found[-1]
    layers = [resize_images(layer, (last.shape[-2], last.shape[-1])) for layer in found]
    while layers[0].shape[-2] * layers[0].shape[-1] > positions:
        layers, stride = [F.avg_pool2d(layer, 2, ceil_mode=True) for layer in layers], 2 * stride
    return [layer[0] for layer in layers], stride
