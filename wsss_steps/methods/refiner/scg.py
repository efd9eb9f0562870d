"""Self-correlation of a classifier's features, seen from the sure positions of each map (RecurSeed, algorithm 1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float32
from numpy import ndarray
from torch import Tensor
from torch.nn import functional as F

from wsss_steps import methods
from wsss_steps.data.images import normalise, read_image
from wsss_steps.data.manifest import Entry
from wsss_steps.methods.per_image import Arrays
from wsss_steps.methods.refiner._shared import Make, at_cells, from_cells
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
    expected = {key: content["network"]["backbone"][key] for key in ("mean", "std")}

    @torch.inference_mode()
    def make(entry: Entry, given: Mapping[str, Arrays]) -> Float32[ndarray, "n h w"]:
        maps = torch.from_numpy(given["cams"]["cam"]).to(device)
        if not len(maps):
            return given["cams"]["cam"].copy()
        pixels = torch.from_numpy(normalise(read_image(Path(entry.image)), **expected))[None].to(device)
        layers, stride = grids_of(network.backbone, pixels, stages, positions)
        size = (entry.height, entry.width)
        cells = at_cells(maps, size, stride)
        options = {"foreground": foreground, "background": background}
        correlation = self_correlation([layer.flatten(1) for layer in layers])
        found = localise(correlation, cells.flatten(1), **options, reduce=reduce).reshape(cells.shape)
        result: Float32[ndarray, "n h w"]
        result = from_cells(found, size, stride, (maps.shape[-2], maps.shape[-1])).cpu().numpy()
        return result

    return make


def grids_of(backbone: Backbone, pixels: Tensor, stages: int, positions: int) -> tuple[list[Tensor], int]:
    """Features (K, h, w) of the last stages on the grid of the last one, pooled to at most `positions`; its stride."""
    found, stride = stage_outputs(backbone, pixels, stages), backbone.output_stride
    last = found[-1]
    layers = [resize_images(layer, (last.shape[-2], last.shape[-1])) for layer in found]
    while layers[0].shape[-2] * layers[0].shape[-1] > positions:
        layers, stride = [F.avg_pool2d(layer, 2, ceil_mode=True) for layer in layers], 2 * stride
    return [layer[0] for layer in layers], stride
