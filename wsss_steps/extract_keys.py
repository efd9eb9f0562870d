"""Extract feature vectors of all patches of the training images, for superpixels and unsupervised saliency."""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wsss_steps import methods
from wsss_steps.cli import main
from wsss_steps.data.manifest import read_manifest
from wsss_steps.formats.kinds.features import FEATURES
from wsss_steps.methods import per_image

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
    """Write the features of every image of the train split.

    `weights`: initial weights of a network. `needs`: what the method reads besides them and the images.
    """
    entries = read_manifest(manifest).split("train")
    maker = methods.load("features", settings["method"]).maker
    make = maker(**per_image.options(maker, settings | {"weights": weights, "device": device}, needs))
    write = functools.partial(per_image.write, output, FEATURES, entries, make, sources=per_image.stores(needs))
    count = write(lowers="image_scale" if "image_scale" in settings else "", stamp=stamp)
    log.info("%s: %s features of %d images", output, settings["method"], count)


if __name__ == "__main__":
    main(run)
