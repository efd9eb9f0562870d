"""Saliency from a PoolNet trained on other images with saliency masks (`train_saliency`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from wsss_steps import methods
from wsss_steps.data.images import normalise, read_image
from wsss_steps.data.manifest import Entry
from wsss_steps.methods.per_image import Arrays
from wsss_steps.nets.poolnet import PoolNet, build_poolnet
from wsss_steps.ops.losses.saliency import saliency_loss


def build(
    num_classes: int,
    *,
    backbone: Mapping[str, Any],
    output_stride: int,
    decoder_width: int,
    dilated: bool,
    frozen_stages: int,
    frozen_batch_norm: str,
) -> PoolNet:
    """The network with random weights; `num_classes` is 1: salient."""
    if num_classes != 1:
        raise ValueError(f"a detector of saliency has one class, found {num_classes}")
    return build_poolnet(
        backbone=backbone,
        output_stride=output_stride,
        decoder_width=decoder_width,
        dilated=dilated,
        frozen_stages=frozen_stages,
        frozen_batch_norm=frozen_batch_norm,
    )


def losses(network: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The loss of a batch with images (B, 3, H, W), masks (B, H, W) of 0 and 1, and inside (B, H, W)."""
    return {"saliency": saliency_loss(network(batch["images"]), batch["masks"], batch["inside"])}


def maker(
    entries: Sequence[Entry], *, source: Path, device: str
) -> tuple[list[str], Callable[[Entry, Mapping[str, Arrays]], NDArray[np.float32]]]:
    """Sigmoids of the network in the file `source`, which has its backbone, mean and std; no image is left out."""
    network, content = methods.rebuild("saliency", source, device)
    backbone = content["network"]["backbone"]

    @torch.inference_mode()
    def make(entry: Entry, _: Mapping[str, Arrays]) -> NDArray[np.float32]:
        pixels = normalise(read_image(Path(entry.image)), backbone["mean"], backbone["std"])
        found: NDArray[np.float32] = network(torch.from_numpy(pixels)[None].to(device))[0, 0].sigmoid().cpu().numpy()
        return found

    return [], make
