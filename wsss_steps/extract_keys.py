"""Extract feature vectors of all patches of the training images, for superpixels and unsupervised saliency."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wsss_steps import methods
from wsss_steps.cli import main
from wsss_steps.data.images import read_image
from wsss_steps.data.manifest import Entry, read_manifest
from wsss_steps.formats.kinds.features import FEATURES
from wsss_steps.methods import per_image
from wsss_steps.methods.per_image import Arrays

log = logging.getLogger(__name__)


def run(
    *,
    manifest: Path,
    weights: Path | None = None,
    output: Path,
    settings: dict[str, Any],
    device: str = "cpu",
    stamp: str = "",
) -> None:
    """Write the features of every image of the train split."""
    entries = read_manifest(manifest).split("train")
    method = methods.load("features", settings["method"])
    extract = method.extractor(weights, device, **methods.arguments(method.extractor, settings))

    def make(entry: Entry, _: Mapping[str, Arrays]) -> Arrays:
        arrays: Arrays = extract(read_image(Path(entry.image)))
        return arrays

    lowers = "image_scale" if "image_scale" in settings else ""
    count = per_image.write(output, FEATURES, entries, make, lowers=lowers, stamp=stamp)
    log.info("%s: %s features of %d images", output, settings["method"], count)


if __name__ == "__main__":
    main(run)
