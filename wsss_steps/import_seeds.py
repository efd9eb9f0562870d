"""Check the user's own seeds or pseudo-labels of the training images, and copy them into a store."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wsss_steps import methods
from wsss_steps.cli import main
from wsss_steps.data.manifest import Entry, read_manifest
from wsss_steps.data.originals import read_originals
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.methods import per_image
from wsss_steps.methods.per_image import Arrays


def run(*, manifest: Path, source: Path, output: Path, settings: dict[str, Any], stamp: str = "") -> None:
    """Write the labels of every image of the train split to the store `output`.

    source: folder or file of the user's. A UserError lists everything that is wrong with it.
    """
    data = read_manifest(manifest)
    entries = data.split("train")
    sizes = {name: (one.height, one.width) for name, one in read_originals(manifest).items()}
    maker = methods.load("seeds", settings["method"]).maker
    given = settings | {"source": source, "classes": data.classes, "sizes": sizes}
    labels_of = maker(entries, **per_image.options(maker, given, {}))

    def make(entry: Entry, sources: Mapping[str, Arrays]) -> Arrays:
        return {"seeds": labels_of(entry, sources)}

    count = per_image.write(output, SEEDS, entries, make, stamp=stamp, classes=data.classes)
    logging.getLogger(__name__).info("labels of %d images from %s", count, source)


if __name__ == "__main__":
    main(run)
