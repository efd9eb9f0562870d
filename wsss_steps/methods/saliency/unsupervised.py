"""Saliency without any label: the patches of an image that stand out by their features."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from wsss_steps.data.images import read_image
from wsss_steps.data.manifest import Entry
from wsss_steps.errors import UserError
from wsss_steps.formats.kinds.features import FEATURES
from wsss_steps.methods.per_image import Arrays
from wsss_steps.ops import crf as dense
from wsss_steps.ops.saliency import lost, tokencut
from wsss_steps.ops.superpixels import upsample
from wsss_steps.processes import Later, then

Labels = NDArray[np.int32]
Map = NDArray[np.uint8]


def maker(
    entries: Sequence[Entry],
    *,
    algorithm: Literal["tokencut", "lost"],
    tau: float,
    least_similar: int,
    connected: bool,
    crf: Mapping[str, Any] | None,
) -> tuple[list[str], Callable[[Entry, Mapping[str, Arrays]], Map | Later[Map]]]:
    """Binary maps, 0 or 255, from the features of an image; no image is left out, but a map may be all zero.

    UserError if the features do not fit the image.
    """
    preset = dense.preset_of(crf)

    def discover(features: NDArray[Any]) -> NDArray[np.bool_]:
        if algorithm == "lost":
            return lost(features, least_similar=least_similar, connected=connected)
        return tokencut(features, tau=tau, connected=connected)

    def make(entry: Entry, given: Mapping[str, Arrays]) -> Map | Later[Map]:
        item = given[FEATURES.name]
        try:
            labels = _to_pixels(discover(item["features"]), item["extent"], entry, preset)
        except UserError as error:
            raise UserError(f"image '{entry.id}': {error}") from None
        return then(labels, lambda labels: (labels * 255).astype(np.uint8))

    return [], make


def _to_pixels(
    patches: NDArray[np.bool_], extent: NDArray[np.float32], entry: Entry, preset: dense.Preset | None
) -> Labels | Later[Labels]:
    """Pixel labels (H, W), 1 salient and 0 not: those of their patches, refined by a dense CRF if there is a preset."""
    labels = upsample(patches.astype(np.int32), (float(extent[0]), float(extent[1])), (entry.height, entry.width))
    if preset is None or not 0 < labels.sum() < labels.size:
        return labels
    return Later(functools.partial(dense.refine_labels, read_image(Path(entry.image)), labels, 2, preset))
