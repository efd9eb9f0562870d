"""Maps of a segmentation network that learns seeds of the maps before it: what all images teach mends each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from jaxtyping import Float32
from numpy import ndarray

from wsss_steps import methods
from wsss_steps.data.images import normalise, read_image
from wsss_steps.data.manifest import Entry
from wsss_steps.methods.per_image import Arrays
from wsss_steps.methods.refiner._shared import Make
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
    expected = {key: content["network"]["backbone"][key] for key in ("mean", "std")}

    @torch.inference_mode()
    def make(entry: Entry, given: Mapping[str, Arrays]) -> Float32[ndarray, "n h w"]:
        before = torch.from_numpy(given["cams"]["cam"]).to(device)
        if not len(before):
            return given["cams"]["cam"].copy()
        pixels = torch.from_numpy(normalise(read_image(Path(entry.image)), **expected))[None].to(device)
        logits = label_logits(network, pixels, network.stride, scales=scales, flip=mirror, merge="mean")
        probabilities = logits[[0, *entry.tags]].softmax(dim=0)[1:]
        kept = before.flatten(1).any(dim=1)[:, None, None]
        found = resize_images(probabilities[None], (before.shape[-2], before.shape[-1]))[0] * kept
        result: Float32[ndarray, "n h w"] = found.cpu().numpy()
        return result

    return make
