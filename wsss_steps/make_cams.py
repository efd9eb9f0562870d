"""Make the class activation maps of the training images, for the classes they are tagged with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from wsss_steps import methods
from wsss_steps.cli import main
from wsss_steps.data.images import read_image
from wsss_steps.data.manifest import Entry, read_manifest
from wsss_steps.errors import UserError
from wsss_steps.formats.kinds.cams import CAMS
from wsss_steps.methods import per_image
from wsss_steps.methods.per_image import Arrays
from wsss_steps.nets.layout import fast_layout


def run(
    *, manifest: Path, classifier: Path, output: Path, settings: dict[str, Any], device: str = "cpu", stamp: str = ""
) -> None:
    """Write the maps of every image of the train split.

    The network and its input normalisation are read from the file `classifier`.
    """
    data = read_manifest(manifest)
    network, content = methods.rebuild("classifier", classifier, device)
    network = fast_layout(network)
    if content["classes"] != list(data.classes):
        raise UserError(
            f"{classifier}: was trained for classes {content['classes']}, the data set has {list(data.classes)}"
        )
    method = methods.load("cams", settings["method"])
    backbone = content["network"]["backbone"]
    options = methods.arguments(method.class_maps, settings | {"mean": backbone["mean"], "std": backbone["std"]})
    entries = data.split("train")

    def make(entry: Entry, _: Mapping[str, Arrays]) -> Arrays:
        present = np.array(entry.tags, np.uint8)
        return {"cam": method.class_maps(network, read_image(Path(entry.image)), present, **options), "class": present}

    per_image.write(output, CAMS, entries, make, lowers="scales", stamp=stamp, classes=data.classes)


if __name__ == "__main__":
    main(run)
