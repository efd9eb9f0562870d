"""Dense CRF of the maps of an image's classes and a background."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from wsss_steps.data.images import read_image, resize_image
from wsss_steps.data.manifest import Entry
from wsss_steps.methods.per_image import Arrays
from wsss_steps.ops import crf as dense
from wsss_steps.processes import Later, then

Maps = Float32[ndarray, "n h w"]


def maker(
    *, crf: Mapping[str, Any] | None, background_power: float
) -> Callable[[Entry, Mapping[str, Arrays]], Maps | Later[Maps]]:
    """Probabilities of the classes after the CRF, on the grid of the maps."""
    preset = dense.preset_of(crf)

    def make(entry: Entry, given: Mapping[str, Arrays]) -> Maps | Later[Maps]:
        maps = given["cams"]["cam"]
        if not len(maps):
            return maps.copy()
        background = (1 - maps.max(axis=0, keepdims=True)) ** background_power
        image = resize_image(read_image(Path(entry.image)), (maps.shape[1], maps.shape[2]))
        call = functools.partial(dense.refine, image, np.concatenate([background, maps]), preset)
        return then(Later(call) if preset else call(), lambda planes: planes[1:])

    return make
