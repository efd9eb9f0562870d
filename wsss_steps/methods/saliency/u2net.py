"""Saliency from U²-Net (Qin et al. 2020), as published: nothing is trained here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from wsss_steps.data.images import read_image
from wsss_steps.data.manifest import Entry
from wsss_steps.methods.per_image import Arrays
from wsss_steps.pretrained.u2net import load

MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def maker(
    entries: Sequence[Entry], *, source: Path, side: int, device: str
) -> tuple[list[str], Callable[[Entry, Mapping[str, Arrays]], NDArray[np.float32]]]:
    """Maps of the network in the file `source`, which sees an image as a square of `side` px; no image is left out.

    As in the authors' code, the least salient pixel of every image has 0 and the most salient 1, so that an image
    without any object has a map, too.
    """
    network = load(source).to(device)

    @torch.inference_mode()
    def make(entry: Entry, _: Mapping[str, Arrays]) -> NDArray[np.float32]:
        pixels = torch.from_numpy(prepared(read_image(Path(entry.image)), side))
        logits = network(pixels[None].to(device))[0, 0]
        return _resized(stretched(logits.sigmoid().cpu().numpy()), (entry.height, entry.width))

    return [], make


def prepared(image: NDArray[np.uint8], side: int) -> NDArray[np.float32]:
    """Pixels (3, side, side) as the network expects them: divided by the image's maximum, then normalised.

    The square is resampled with Pillow's antialiasing Lanczos filter.
    """
    square = np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.LANCZOS), np.float64)
    found = (square / max(square.max(), 1e-6) - MEAN) / STD
    turned: NDArray[np.float32] = found.transpose(2, 0, 1).astype(np.float32)
    return turned


def stretched(saliency: NDArray[np.float32]) -> NDArray[np.float32]:
    """A map with its minimum at 0 and its maximum at 1; zeros if it has one value throughout."""
    low, high = saliency.min(), saliency.max()
    found: NDArray[np.float32] = (saliency - low) / (high - low) if high > low else np.zeros_like(saliency)
    return found


def _resized(saliency: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """A map (side, side) in [0, 1] at the size (H, W) of its image, resampled as the image was."""
    resized = Image.fromarray(saliency).resize(size[::-1], Image.Resampling.LANCZOS)
    found: NDArray[np.float32] = np.clip(np.asarray(resized), 0, 1)
    return found
