"""Maps of a segmentation network that learns seeds of the maps before it: what all images teach mends each of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from wsss_steps import methods
from wsss_steps.data.manifest import Entry
from wsss_steps.methods.refiner._shared import Make, by_network, not_empty
from wsss_steps.methods.segmenter.plain import build, losses
from wsss_steps.nets.inference import label_logits
from wsss_steps.ops.resize import resize_images

__all__ = ["build", "losses", "maker"]


def maker(*, refiner: Path, classes: Sequence[str], device: str, scales: Sequence[float], mirror: bool) -> Make:
    """Probability of each tagged class among these and background, by the network in the file `refiner`.

    It is the softmax of the mean logits over scales and mirror image, at the size of the maps before. A map that was 0
    everywhere stays so.
    """
    network, content = methods.rebuild("refiner", refiner, device, classes)

    def refine(entry: Entry, pixels: Tensor, maps: Tensor) -> Tensor:
        logits = label_logits(network, pixels, network.stride, scales=scales, flip=mirror, merge="mean")
        probabilities = logits[[0, *entry.tags]].softmax(dim=0)[1:]
        return resize_images(probabilities[None], (maps.shape[-2], maps.shape[-1]))[0] * not_empty(maps)

    return by_network(content, device, refine)
