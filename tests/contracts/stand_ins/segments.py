"""Stand-in for superpixels by a network on a device, as SAM: a pixel's strongest random filter."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from wsss_steps.ops.superpixels import as_ids, compact


def superpixels(image: NDArray[np.uint8], *, device: str, filters: int) -> dict[str, NDArray[Any]]:
    """At most `filters` superpixels of `image` (H, W, 3)."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = torch.nn.Conv2d(3, filters, 1).to(device)
    centred = torch.from_numpy(image - image.mean((0, 1))).float().permute(2, 0, 1)[None]
    with torch.inference_mode():
        labels, kept = compact(network(centred.to(device))[0].argmax(0).cpu().numpy())
    return {"superpixels": as_ids(labels), "seed_patches": np.full(len(kept), -1, np.int32)}
