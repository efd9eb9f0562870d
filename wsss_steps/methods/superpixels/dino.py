"""Superpixels discovered from patch features (Kim 2022, dissertation, section 3.3.1 and Table 3.1)."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from wsss_steps.methods.per_image import Arrays
from wsss_steps.ops import crf as dense
from wsss_steps.ops.superpixels import as_ids, compact, discover, upsample
from wsss_steps.processes import Later


def superpixels(
    image: NDArray[np.uint8],
    *,
    features: Mapping[str, NDArray[Any]],
    tau: float,
    order: Literal["lowest", "highest"],
    crf: Mapping[str, Any] | None,
) -> Arrays | Later[Arrays]:
    """Superpixels of `image` (H, W, 3) from its item of a features store; an item of a superpixels store.

    Ids follow the order of discovery. A superpixel without pixels, because its patches are smaller than one or because
    the CRF gave its pixels to others, gets no id and no seed patch.
    """
    rows, columns, dims = features["features"].shape
    patches, seeds = discover(features["features"].reshape(-1, dims), tau, order)
    span = features["extent"]
    labels, kept = compact(upsample(patches.reshape(rows, columns), (float(span[0]), float(span[1])), image.shape[:2]))
    seeds = seeds[kept]

    def compacted(refined: NDArray[Any]) -> Arrays:
        labels, kept = compact(refined)
        return {"superpixels": as_ids(labels), "seed_patches": seeds[kept]}

    preset = dense.preset_of(crf)
    if preset is None:
        return {"superpixels": as_ids(labels), "seed_patches": seeds}
    return Later(functools.partial(dense.refine_labels, image, labels, len(seeds), preset), compacted)
