"""Stand-in for superpixels by a network on a device, as SAM: a pixel's strongest filter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from wsss_steps.data.images import read_image
from wsss_steps.data.manifest import Entry
from wsss_steps.methods.per_image import Arrays
from wsss_steps.ops.superpixels import as_ids, compact


def maker(*, weights: Path | None, device: str, filters: int) -> Callable[[Entry, Mapping[str, Arrays]], Arrays]:
    """At most `filters` superpixels of an image."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = torch.nn.Conv2d(3, filters, 1)
    if weights is not None:
        network.load_state_dict(load_file(weights))
    network.to(device)

    @torch.inference_mode()
    def make(entry: Entry, _: Mapping[str, Arrays]) -> Arrays:
        image = read_image(Path(entry.image))
        centred = torch.from_numpy(image - image.mean((0, 1))).float().permute(2, 0, 1)[None]
        labels, kept = compact(network(centred.to(device))[0].argmax(0).cpu().numpy())
        return {"superpixels": as_ids(labels), "seed_patches": np.full(len(kept), -1, np.int32)}

    return make
