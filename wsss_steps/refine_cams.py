"""Refine the class activation maps of the training images: one link of a chain such as cam+pamr."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wsss_steps import methods
from wsss_steps.cli import main
from wsss_steps.data.manifest import Entry, read_manifest
from wsss_steps.formats.kinds.cams import CAMS
from wsss_steps.methods import per_image
from wsss_steps.methods.per_image import Arrays
from wsss_steps.processes import Later, then


def run(
    *,
    manifest: Path,
    cams: Path,
    needs: Mapping[str, Path] = methods.NO_NEEDS,
    output: Path,
    settings: dict[str, Any],
    device: str = "cpu",
    stamp: str = "",
) -> None:
    """Write the refined maps of every image of the train split: of the classes and the size of those in `cams`.

    `needs`: what the refiner reads beside the maps and the image. Refined maps need not have the maximum 1.
    """
    data = read_manifest(manifest)
    maker = methods.load("refiner", settings["method"]).maker
    refined = maker(**per_image.options(maker, settings | {"classes": data.classes, "device": device}, needs))

    def make(entry: Entry, given: Mapping[str, Arrays]) -> Arrays | Later[Arrays]:
        classes = given[CAMS.name]["class"]
        return then(refined(entry, given), lambda maps: {"cam": maps, "class": classes})

    sources = [(cams, CAMS), *per_image.stores(needs)]
    write = functools.partial(per_image.write, output, CAMS, data.split("train"), make, sources=sources)
    write(stamp=stamp, classes=data.classes)


if __name__ == "__main__":
    main(run)
