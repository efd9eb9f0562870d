"""Make saliency maps of the training images: given ones, from a detector, or from features without any label."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsss_steps import methods
from wsss_steps.cli import main
from wsss_steps.data.manifest import Entry, read_manifest
from wsss_steps.formats.kinds.saliency import SALIENCY
from wsss_steps.formats.stores import write_store
from wsss_steps.progress import track
from wsss_steps.training import devices

log = logging.getLogger(__name__)

SALIENT = 127  # of 255: values above count as salient


def _items(
    entries: Sequence[Entry], maps: Iterator[NDArray[Any]], left_out: set[str], coverage: list[float], lowers: str
) -> Iterator[tuple[str, dict[str, NDArray[Any]]]]:
    """The items of the store; appends each image's salient share to `coverage` (-1 if all zero), unless left out."""
    for entry in track(entries, len(entries), "saliency maps"):
        with devices.memory_of(entry, lowers):
            saliency = next(maps)
        levels = np.rint(saliency * 255).astype(np.uint8) if saliency.dtype.kind == "f" else saliency
        if entry.id not in left_out:
            coverage.append(float((levels > SALIENT).mean()) if levels.any() else -1.0)
        yield entry.id, {"saliency": levels}


def run(
    *, manifest: Path, source: Path, output: Path, settings: dict[str, Any], device: str = "cpu", stamp: str = ""
) -> None:
    """Write the saliency map of every image of the train split; those left out have a map of zeros and are listed.

    source: a folder of maps (method given), the weights of a detector, or a store of features (unsupervised). UserError
    if a map, or what it is made from, is missing.
    """
    data = read_manifest(manifest)
    entries = data.split("train")
    method = methods.load("saliency", settings["method"])
    left_out, maps = method.maps(
        entries, source, device, **methods.arguments(method.maps, settings | {"whole": not data.shard})
    )
    coverage: list[float] = []
    lowers = "image_scale of the features" if "features" in settings else ""
    items = _items(entries, maps, set(left_out), coverage, lowers)
    write_store(output, SALIENCY, items, stamp=stamp, left_out=left_out)
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
