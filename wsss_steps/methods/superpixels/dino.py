"""Superpixels discovered from patch features (Kim 2022, dissertation, section 3.3.1 and Table 3.1)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from wsss_steps.data.images import read_image
from wsss_steps.data.manifest import Entry
from wsss_steps.errors import UserError
from wsss_steps.formats.kinds.features import FEATURES
from wsss_steps.methods.per_image import Arrays
from wsss_steps.ops import crf as dense
from wsss_steps.ops.superpixels import as_ids, compact, discover, upsample
from wsss_steps.processes import Later


def maker(
    *, tau: float, order: Literal["lowest", "highest"], crf: Mapping[str, Any] | None
) -> Callable[[Entry, Mapping[str, Arrays]], Arrays | Later[Arrays]]:
    """Superpixels of an image from its features.

    Ids follow the order of discovery. A superpixel without pixels, because its patches are smaller than one or because
    the CRF gave its pixels to others, gets no id and no seed patch.
    """
    preset = dense.preset_of(crf)

    def make(entry: Entry, given: Mapping[str, Arrays]) -> Arrays | Later[Arrays]:
        if FEATURES.name not in given:
            raise UserError("expected features, found none: say where they are with --needs features=PATH")
        features, extent = given[FEATURES.name]["features"], given[FEATURES.name]["extent"]
        rows, columns, dims = features.shape
        patches, seeds = discover(features.reshape(-1, dims), tau, order)
        size, span = (entry.height, entry.width), (float(extent[0]), float(extent[1]))
        labels, kept = compact(upsample(patches.reshape(rows, columns), span, size))
        seeds = seeds[kept]

        def compacted(refined: NDArray[Any]) -> Arrays:
            labels, kept = compact(refined)
            return {"superpixels": as_ids(labels), "seed_patches": seeds[kept]}

        if preset is None:
            return {"superpixels": as_ids(labels), "seed_patches": seeds}
        refined = functools.partial(dense.refine_labels, read_image(Path(entry.image)), labels, len(seeds), preset)
        return Later(refined, compacted)

    return make
