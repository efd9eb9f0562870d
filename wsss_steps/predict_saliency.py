"""Make saliency maps of the training images: given ones, from a detector, or from features without any label."""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsss_steps import methods
from wsss_steps.cli import main
from wsss_steps.data.manifest import Entry, read_manifest
from wsss_steps.formats.kinds.saliency import SALIENCY
from wsss_steps.methods import per_image
from wsss_steps.methods.per_image import Arrays
from wsss_steps.processes import Later, then

log = logging.getLogger(__name__)

SALIENT = 127  # of 255: values above count as salient


def run(
    *,
    manifest: Path,
    source: Path | None = None,
    needs: Mapping[str, Path] = methods.NO_NEEDS,
    output: Path,
    settings: dict[str, Any],
    device: str = "cpu",
    stamp: str = "",
) -> None:
    """Write the saliency map of every image of the train split; those left out have a map of zeros and are listed.

    source: a folder of maps (method given), or the weights of a detector. needs: what the method reads, such as
    features. UserError if a map, or what it is made from, is missing.
    """
    data = read_manifest(manifest)
    entries = data.split("train")
    method = methods.load("saliency", settings["method"])
    options = settings | {"source": source, "device": device, "whole": not data.shard}
    left_out, saliency_of = method.maker(entries, **per_image.options(method.maker, options, needs))
    coverage: list[float] = []
    unusable = set(left_out)

    def make(entry: Entry, given: Mapping[str, Arrays]) -> Arrays | Later[Arrays]:
        def counted(saliency: NDArray[Any]) -> Arrays:
            levels = np.rint(saliency * 255).astype(np.uint8) if saliency.dtype.kind == "f" else saliency
            if entry.id not in unusable:  # -1 marks a map that is all zero
                coverage.append(float((levels > SALIENT).mean()) if levels.any() else -1.0)
            return {"saliency": levels}

        return then(saliency_of(entry, given), counted)

    sources = per_image.stores(needs)
    lowers = "image_scale of the features" if "features" in needs else ""
    write = functools.partial(per_image.write, output, SALIENCY, entries, make, sources=sources)
    write(lowers=lowers, stamp=stamp, left_out=left_out)
    shares = [max(0.0, share) for share in coverage] or [0.0]
    log.info(
        "%d saliency maps; salient (above %d) are %.1f %% of the pixels on average, %.1f to %.1f %%; %d all zero; "
        "%d images left out",
        len(entries),
        SALIENT,
        100 * float(np.mean(shares)),
        100 * min(shares),
        100 * max(shares),
        sum(share < 0 for share in coverage),
        len(left_out),
    )


if __name__ == "__main__":
    main(run)
