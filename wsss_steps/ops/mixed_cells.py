"""Mixed images whose masks follow the cells of a network's output, so that targets of cells can be mixed as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from wsss_steps.ops.edge_predict import edge_predict
from wsss_steps.ops.labels import IGNORE
from wsss_steps.ops.mixed_batches import mixed_batch
from wsss_steps.ops.recursion import by_colours

EP = ("sigma", "low", "high", "widen", "fill_only_ignored")


def mix_cells(
    mixer: str, images: Float[Tensor, "B 3 H W"], cells: Mapping[str, Tensor], numbers: Mapping[str, Any], stride: int
) -> dict[str, Tensor] | None:
    """Mixed `images` (B, 3, H, W), and the mixed cells; None if there is one image, and the mixer needs partners.

    Args:
        mixer: a file of `ops/mixing`, which sees cells as pixels.
        images: normalised.
        cells: `tags` (B, C), `colours` (B, 3, h, w), and what else is mixed, (B, ..., h, w) at `stride`.
        numbers: the mixer's.
        stride: px per cell.
    """
    height, width = images.shape[-2:]
    whole = F.pad(images, (0, -width % stride, 0, -height % stride))
    pixels_of_cells = F.pixel_unshuffle(whole, stride)
    mixed = mixed_batch(mixer, {**cells, "images": cells["colours"], "pixels": pixels_of_cells}, numbers)
    if mixed is not None:
        mixed["images"] = F.pixel_shuffle(mixed.pop("pixels"), stride)[..., :height, :width]
    return mixed


@torch.no_grad()
def edge_labels(
    logits: Float[Tensor, "B L h w"],
    cells: Mapping[str, Tensor],
    numbers: Mapping[str, Any],
    *,
    dilations: Sequence[int],
    iterations: int,
) -> Int[Tensor, "B h w"]:
    """M_ep = EP(argmax PAMR(softmax of the decoder)) of EdgePredictMix; only tagged classes and background compete.

    Args:
        logits: of the decoder.
        cells: `tags` (B, C), `inside` (B, h, w) bool, outside of which the labels are 255, and `colours` (B, 3, h, w).
        numbers: those of `edge_predict`, among others.
        dilations: of PAMR.
        iterations: of PAMR.
    """
    known = F.pad(cells["tags"], (1, 0), value=1.0)[:, :, None, None]
    labels = torch.full_like(cells["inside"], IGNORE, dtype=torch.long)
    for index, inside in enumerate(cells["inside"]):
        if inside.any():
            scores, colours = torch.softmax(logits[index], dim=0) * known[index], cells["colours"][index]
            refined = by_colours(scores, colours, inside, dilations=dilations, iterations=iterations)
            labels[index] = torch.where(inside, refined.argmax(0), IGNORE)
    return edge_predict(labels, **{name: numbers[name] for name in EP})
