"""Dense CRF of the maps of an image's classes and a background."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from wsss_steps.data.images import read_image, resize_image
from wsss_steps.data.manifest import Entry
from wsss_steps.methods.per_image import Arrays
from wsss_steps.methods.refiner._shared import Make
from wsss_steps.ops import crf as dense


def maker(*, crf: Mapping[str, Any] | None, background_power: float) -> Make:
    """Probabilities of the classes after the CRF, on the grid of the maps."""
    preset = dense.preset_of(crf)

    def make(entry: Entry, given: Mapping[str, Arrays]) -> Float32[ndarray, "n h w"]:
        maps = given["cams"]["cam"]
        if not len(maps):
            return maps.copy()
        background = (1 - maps.max(axis=0, keepdims=True)) ** background_power
        image = resize_image(read_image(Path(entry.image)), (maps.shape[1], maps.shape[2]))
        found: Float32[ndarray, "n h w"] = dense.refine(image, np.concatenate([background, maps]), preset)[1:]
        return found

    return make
