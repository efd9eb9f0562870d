"""Check the user's own superpixels of the training images, and copy them into a store."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from wsss_steps import methods
from wsss_steps.cli import main
from wsss_steps.data.manifest import read_manifest
from wsss_steps.data.originals import read_originals
from wsss_steps.formats.kinds.superpixels import SUPERPIXELS
from wsss_steps.methods import per_image


def run(*, manifest: Path, source: Path, output: Path, settings: dict[str, Any], stamp: str = "") -> None:
    """Write the superpixels of every image of the train split to the store `output`.

    source: folder or file of the user's. A UserError lists everything that is wrong with it.
    """
    entries = read_manifest(manifest).split("train")
    sizes = {name: (one.height, one.width) for name, one in read_originals(manifest).items()}
    maker = methods.load("superpixels", settings["method"]).maker
    superpixels = maker(entries, **per_image.options(maker, settings | {"source": source, "sizes": sizes}, {}))
    count = per_image.write(output, SUPERPIXELS, entries, superpixels, stamp=stamp)
    logging.getLogger(__name__).info("superpixels of %d images from %s", count, source)


if __name__ == "__main__":
    main(run)
