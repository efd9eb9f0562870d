"""Keys of the last block of a vision transformer (Kim 2022, dissertation, section 3.3.1; LOST, Simeoni et al. 2021)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from timm.models.eva import Eva

from wsss_steps.data.images import read_image
from wsss_steps.data.manifest import Entry
from wsss_steps.data.patches import item, whole_patches
from wsss_steps.errors import UserError
from wsss_steps.methods.per_image import Arrays
from wsss_steps.nets import rope_vit
from wsss_steps.nets import vit as vits
from wsss_steps.pretrained import vit as pretrained_vit


def maker(
    *,
    weights: Path | None,
    device: str,
    vit: str,
    input_mode: Literal["pad", "resize"],
    image_scale: float,
    centre: bool,
) -> Callable[[Entry, Mapping[str, Arrays]], Arrays]:
    """A function from an image to its keys, (h, w, d) with all heads side by side, one vector per patch.

    The dissertation does not say how an image is fitted to whole patches; the default is zero padding at the right and
    bottom, as in LOST.
    """
    if weights is None:
        raise UserError(
            f"vit: {vit} needs weights; for one of your own (vit: own) these are pretrain_keys or a file made by it"
        )
    loaded = pretrained_vit.load(vit, weights)
    network = loaded.vit.to(device).requires_grad_(False)
    kind: Any = rope_vit if isinstance(network, Eva) else vits
    patch = kind.patch_side(network)

    @torch.inference_mode()
    def make(entry: Entry, _: Mapping[str, Arrays]) -> Arrays:
        pixels, extent = whole_patches(
            read_image(Path(entry.image)),
            patch=patch,
            image_scale=image_scale,
            input_mode=input_mode,
            mean=loaded.mean,
            std=loaded.std,
        )
        keys = kind.keys(network, torch.from_numpy(pixels)[None].to(device))[0]
        return item(keys.cpu().numpy(), extent, centre)

    return make
