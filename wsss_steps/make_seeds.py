"""Make partial label maps ("seeds") of the training images from their class activation maps."""

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
from wsss_steps.data.images import read_image
from wsss_steps.data.manifest import Entry, read_manifest
from wsss_steps.errors import UserError
from wsss_steps.formats.kinds.cams import CAMS
from wsss_steps.formats.kinds.saliency import SALIENCY
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.formats.stores import Store
from wsss_steps.methods import per_image
from wsss_steps.methods.per_image import Arrays
from wsss_steps.ops.labels import IGNORE
from wsss_steps.ops.resize import resize_maps
from wsss_steps.processes import Later, then

log = logging.getLogger(__name__)


class Coverage:
    """Counts, over all images, how many pixels are background, a class, or unlabelled."""

    def __init__(self) -> None:
        self.images = self.untagged = self.without_class = 0
        self.background = self.foreground = self.unlabelled = 0

    def add(self, labels: NDArray[np.uint8], tagged: bool) -> None:
        """Count one image."""
        counts = np.bincount(labels.ravel(), minlength=256)
        foreground = int(counts[1:IGNORE].sum())
        self.images += 1
        self.untagged += not tagged
        self.without_class += tagged and not foreground
        self.background += int(counts[0])
        self.foreground += foreground
        self.unlabelled += int(counts[IGNORE])

    def __str__(self) -> str:
        total = max(1, self.background + self.foreground + self.unlabelled)
        background, foreground, unlabelled = (
            f"{count / total:.1%}" for count in (self.background, self.foreground, self.unlabelled)
        )
        return (
            f"seeds of {self.images} images: {background} of the pixels background, {foreground} classes, "
            f"{unlabelled} unlabelled; {self.without_class} tagged images have no pixel of a class, "
            f"{self.untagged} images have no tag and are background"
        )


def maps_of(entry: Entry, stored: Arrays, path: Path) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Maps (n, H, W) and class ids (n,) of one image; strided maps are brought to the size of the image, bilinearly."""
    maps, classes = stored["cam"], stored["class"]
    if tuple(classes.tolist()) != entry.tags:
        found = f"classes {classes.tolist()}, the manifest's tags are {list(entry.tags)}"
        raise UserError(f"{path}: image '{entry.id}' has maps of {found}; make the maps again from this manifest")
    return resize_maps(maps, (entry.height, entry.width)), classes


def map_of(entry: Entry, kind: str, stored: Arrays) -> NDArray[Any]:
    """The map (H, W) of one image, the first data set of its kind; a UserError if it has not the image's size."""
    found = next(iter(stored.values()))
    if found.shape != (entry.height, entry.width):
        size = f"expected {(entry.height, entry.width)} of image '{entry.id}', found {found.shape}"
        raise UserError(f"{kind} of another size than the image: {size}; make the store again")
    return found


def without_saliency(needs: Mapping[str, Path]) -> frozenset[str]:
    """Ids of the images that a needed store of saliency maps lists as left out: their maps say nothing."""
    if SALIENCY.name not in needs:
        return frozenset()
    with Store(needs[SALIENCY.name], SALIENCY) as store:
        return frozenset(store.left_out)


def run(
    *,
    manifest: Path,
    cams: Path,
    needs: Mapping[str, Path] = methods.NO_NEEDS,
    output: Path,
    settings: dict[str, Any],
    stamp: str = "",
) -> None:
    """Make the seeds of all images of the train split.

    Args:
        manifest: the data set.
        cams: store of class activation maps.
        needs: stores that the method reads beside them, such as superpixels, saliency or refined_saliency. Images that
            the store of saliency maps lists as left out become 255 everywhere.
        output: store of seeds (HDF5).
        settings: `method` and its settings.
        stamp: provenance.
    """
    data = read_manifest(manifest)
    entries = data.split("train")
    module = methods.load("seeds", settings["method"])
    options = per_image.options(module.seeds, settings | {"image": None}, needs)
    coverage, unknown = Coverage(), without_saliency(needs)

    def make(entry: Entry, given: Mapping[str, Arrays]) -> Arrays | Later[Arrays]:
        if entry.id in unknown:
            return counted(entry, np.full((entry.height, entry.width), IGNORE, np.uint8))
        others = {kind: map_of(entry, kind, stored) for kind, stored in given.items() if kind != CAMS.name}
        others |= {"image": read_image(Path(entry.image))} if "image" in options else {}
        call = functools.partial(module.seeds, *maps_of(entry, given[CAMS.name], cams), **{**options, **others})
        return then(Later(call) if options.get("crf") else call(), functools.partial(counted, entry))

    def counted(entry: Entry, labels: NDArray[np.uint8]) -> Arrays:
        coverage.add(labels, bool(entry.tags))
        return {"seeds": labels}

    sources = [(cams, CAMS), *per_image.stores(needs)]
    per_image.write(output, SEEDS, entries, make, sources=sources, stamp=stamp, classes=data.classes)
    log.info("%s", coverage)
    if left_out := [entry.id for entry in entries if entry.id in unknown]:
        log.warning("%d images without a usable saliency map have no seeds: %s", len(left_out), " ".join(left_out))


if __name__ == "__main__":
    main(run)
