"""Keys of the last block of a vision transformer (Kim 2022, dissertation, section 3.3.1; LOST, Simeoni et al. 2021)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from wsss_steps.data.patches import item, whole_patches
from wsss_steps.errors import UserError
from wsss_steps.nets import vit as vits
from wsss_steps.pretrained import vit as pretrained_vit


def extractor(
    weights: Path | None,
    device: str,
    *,
    vit: str,
    input_mode: Literal["pad", "resize"],
    image_scale: float,
    centre: bool,
) -> Callable[[NDArray[np.uint8]], dict[str, NDArray[Any]]]:
    """A function from an image to its keys, (h, w, d) with all heads side by side, one vector per patch.

    Without `weights`, those that DINO published for `vit` are downloaded. The dissertation does not say how an image
    is fitted to whole patches; the default is zero padding at the right and bottom, as in LOST.
    """
    if weights is None and vit == pretrained_vit.OWN:
        raise UserError(
            "vit: own needs weights: pretrain_keys or a file made by it; DINO published weights for the others only"
        )
    loaded = pretrained_vit.published(vit) if weights is None else pretrained_vit.load(vit, weights)
    network = loaded.vit.to(device).requires_grad_(False)
    patch = vits.patch_side(network)

    @torch.inference_mode()
    def extract(image: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
        pixels, extent = whole_patches(
            image, patch=patch, image_scale=image_scale, input_mode=input_mode, mean=loaded.mean, std=loaded.std
        )
        keys = vits.keys(network, torch.from_numpy(pixels)[None].to(device))[0]
        return item(keys.cpu().numpy(), extent, centre)

    return extract
