"""Seeds from one dense CRF of a saliency map and the maps: saliency says where objects are, the maps which they are.

Both are unary terms, so that the CRF corrects the outlines of the saliency map; `saliency_class` takes it as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float, Integer, UInt8

from wsss_steps.methods.seeds.crf import seeds as of_maps
from wsss_steps.ops import crf as dense
from wsss_steps.ops.labels import IGNORE

LEAST = 0.02  # nothing is more certain: a saliency or map of 0 or 1 would leave the CRF nothing to correct
FAINT = 1e-3  # added to every map, so that where all are 0 all classes are equally probable


def probabilities(
    maps: Float[np.ndarray, "n H W"],
    saliency: Float[np.ndarray, "H W"],
    *,
    saliency_power: float,
    background_power: float,
    object_power: float,
) -> Float[np.ndarray, "labels H W"]:
    """Background (1 - s)(1 - m)^b, class c s m^o (M_c + .001) / sum_k (M_k + .001), m the largest map; not normalised.

    Args:
        maps: one map per class, in 0..1.
        saliency: in 0..1; s is saliency^saliency_power, the saliency at least 0.02 and at most 0.98.
        saliency_power: below 1 for maps that miss more than they spill.
        background_power: b, how much a strong map speaks against the background; 0: not at all.
        object_power: o, how much a faint map speaks against every class; 0: not at all.
    """
    salient = np.clip(saliency, LEAST, 1 - LEAST) ** saliency_power
    strongest = np.minimum(maps.max(axis=0, initial=0), 1 - LEAST)
    background = (1 - salient) * (1 - strongest) ** background_power
    share = (maps + FAINT) / (maps + FAINT).sum(axis=0)
    return np.concatenate([background[None], salient * np.maximum(strongest, LEAST) ** object_power * share])


def seeds(
    maps: Float[np.ndarray, "n H W"],
    classes: Integer[np.ndarray, " n"],
    *,
    image: UInt8[np.ndarray, "H W 3"],
    saliency: Float[np.ndarray, "H W"],
    saliency_power: float,
    background_power: float,
    object_power: float,
    agree_power: float | None,
    crf: Mapping[str, Any] | None,
) -> UInt8[np.ndarray, "H W"]:
    """Label map of one image; an image without classes is background.

    Every pixel is labelled without an `agree_power`. With it, only where the seeds `crf` of the maps alone, with that
    power of their background, have the same label.
    """
    powers = {"saliency_power": saliency_power, "background_power": background_power, "object_power": object_power}
    unary = probabilities(maps, saliency, **powers)
    label: UInt8[np.ndarray, "H W"] = np.array([0, *classes], np.uint8)[
        dense.strongest(image, unary, dense.preset_of(crf))
    ]
    if agree_power is None:
        return label
    alone = of_maps(maps, classes, image=image, background_power=agree_power, sure=0, crf=crf)
    return np.where(label == alone, label, np.uint8(IGNORE))
