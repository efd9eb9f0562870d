"""Make superpixel maps of the training images, from features or from colour."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wsss_steps import methods
from wsss_steps.cli import main
from wsss_steps.data.manifest import Entry, read_manifest
from wsss_steps.errors import UserError
from wsss_steps.formats.kinds.superpixels import SUPERPIXELS
from wsss_steps.methods import per_image
from wsss_steps.methods.per_image import Arrays
from wsss_steps.processes import Later, then

log = logging.getLogger(__name__)


def run(
    *,
    manifest: Path,
    weights: Path | None = None,
    needs: Mapping[str, Path] = methods.NO_NEEDS,
    output: Path,
    settings: dict[str, Any],
    device: str = "cpu",
    stamp: str = "",
) -> None:
    """Write the superpixels of every image of the train split to `output`.

    `weights`: initial weights of a network. `needs`: what the method reads, such as features. UserError if a store
    lacks an image, or its grid does not fit the image.
    """
    entries = read_manifest(manifest).split("train")
    maker = methods.load("superpixels", settings["method"]).maker
    superpixels = maker(**per_image.options(maker, settings | {"weights": weights, "device": device}, needs))
    counts: list[int] = []

    def counted(found: Arrays) -> Arrays:
        counts.append(len(found["seed_patches"]))
        return found

    def make(entry: Entry, given: Mapping[str, Arrays]) -> Arrays | Later[Arrays]:
        try:
            return then(superpixels(entry, given), counted)
        except UserError as error:
            raise UserError(f"image '{entry.id}': {error}") from None

    per_image.write(output, SUPERPIXELS, entries, make, sources=per_image.stores(needs), stamp=stamp)
    log.info(
        "%d images, %.2f superpixels each on average, %d to %d",
        len(counts),
        sum(counts) / max(1, len(counts)),
        min(counts, default=0),
        max(counts, default=0),
    )


if __name__ == "__main__":
    main(run)
