"""Correct saliency maps by the class activation maps of the same images (Kim 2022, dissertation, section 2.3.2)."""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from wsss_steps import methods
from wsss_steps.cli import main
from wsss_steps.data.manifest import Entry, read_manifest
from wsss_steps.errors import all_wrong
from wsss_steps.formats.kinds.cams import CAMS
from wsss_steps.formats.kinds.refined_saliency import REFINED_SALIENCY
from wsss_steps.formats.kinds.saliency import SALIENCY
from wsss_steps.formats.stores import Store
from wsss_steps.methods import per_image
from wsss_steps.methods.per_image import Arrays
from wsss_steps.ops.labels import IGNORE
from wsss_steps.ops.resize import resize_maps

log = logging.getLogger(__name__)


def check(entries: list[Entry], cams: Store, saliency: Store) -> None:
    """Raise a UserError that lists every image that a store lacks, or holds with another size or number of classes."""
    problems = [
        f"{entry.id}: not in {store.path}" for store in (cams, saliency) for entry in entries if entry.id not in store
    ]
    for entry in entries:
        expected = (entry.height, entry.width)
        if entry.id in saliency and (found := saliency.shape(entry.id, "saliency")) != expected:
            problems.append(
                f"{entry.id}: saliency map of {found[0]} x {found[1]} px, expected {expected[0]} x {expected[1]}"
            )
        if entry.id in cams and (number := cams.shape(entry.id, "cam")[0]) != len(entry.tags):
            problems.append(f"{entry.id}: class activation maps of {number} classes, expected {len(entry.tags)}")
    all_wrong("images of the manifest that do not fit a store; make the store again from this manifest", problems)


def run(*, manifest: Path, cams: Path, saliency: Path, output: Path, settings: dict[str, Any], stamp: str = "") -> None:
    """Write the refined saliency map of every image of the train split, {0, 1, 255} (H, W).

    Args:
        manifest: the data set.
        cams: store of class activation maps of the present classes.
        saliency: store of saliency maps. Images listed there as left out become 255 everywhere.
        output: store of refined maps (HDF5); it lists the same images as left out.
        settings: of a seeds method that takes saliency maps.
        stamp: provenance.
    """
    data = read_manifest(manifest)
    entries = data.split("train")
    method = methods.load("seeds", settings["method"])
    options = methods.arguments(method.refined, settings)
    with Store(cams, CAMS) as maps, Store(saliency, SALIENCY) as salient:
        check(entries, maps, salient)
        unknown = set(salient.left_out)
    left_out = [entry.id for entry in entries if entry.id in unknown]
    pixels = np.zeros(256, np.int64)

    def make(entry: Entry, given: Mapping[str, Arrays]) -> Arrays:
        size = (entry.height, entry.width)
        if entry.id in unknown:
            result = np.full(size, IGNORE, np.uint8)
        else:
            result = method.refined(resize_maps(given["cams"]["cam"], size), given["saliency"]["saliency"], **options)
        pixels[:] += np.bincount(result.ravel(), minlength=256)
        return {"refined": result}

    sources = [(cams, CAMS), (saliency, SALIENCY)]
    write = functools.partial(per_image.write, output, REFINED_SALIENCY, entries, make, sources=sources)
    write(stamp=stamp, classes=data.classes, left_out=left_out)
    background, objects, unlabelled = (f"{pixels[value] / max(1, pixels.sum()):.1%}" for value in (0, 1, IGNORE))
    log.info("refined saliency: %s background, %s objects, %s unlabelled", background, objects, unlabelled)
    if left_out:
        log.warning(
            "%d images are left out of training, as their saliency maps are: %s", len(left_out), " ".join(left_out)
        )


if __name__ == "__main__":
    main(run)
