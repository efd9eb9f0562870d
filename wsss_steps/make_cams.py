"""Make the class activation maps of the training images, for the classes they are tagged with."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from wsss_steps import methods
from wsss_steps.cli import main
from wsss_steps.data.manifest import Entry, read_manifest
from wsss_steps.formats.kinds.cams import CAMS
from wsss_steps.methods import per_image
from wsss_steps.methods.per_image import Arrays


def run(
    *,
    manifest: Path,
    needs: Mapping[str, Path] = methods.NO_NEEDS,
    output: Path,
    settings: dict[str, Any],
    device: str = "cpu",
    stamp: str = "",
) -> None:
    """Write the maps of every image of the train split, by the method's `maker`; `needs`: such as the classifier."""
    data = read_manifest(manifest)
    maker = methods.load("cams", settings["method"]).maker
    maps = maker(**per_image.options(maker, settings | {"classes": data.classes, "device": device}, needs))

    def make(entry: Entry, sources: Mapping[str, Arrays]) -> Arrays:
        return {"cam": maps(entry, sources), "class": np.array(entry.tags, np.uint8)}

    write = functools.partial(per_image.write, output, CAMS, data.split("train"), make, sources=per_image.stores(needs))
    write(lowers="scales" if "scales" in settings else "", stamp=stamp, classes=data.classes)


if __name__ == "__main__":
    main(run)
