"""Extract feature vectors of all patches of the training images, for superpixels and unsupervised saliency."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wsss_steps import methods
from wsss_steps.cli import main
from wsss_steps.data.images import read_image
from wsss_steps.data.manifest import read_manifest
from wsss_steps.formats.kinds.features import FEATURES
from wsss_steps.formats.stores import write_store
from wsss_steps.progress import track
from wsss_steps.training import devices

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

    def items() -> Iterator[tuple[str, dict[str, Any]]]:
        for entry in track(entries, len(entries), "images"):
            with devices.memory_of(entry, lowers="image_scale" if "image_scale" in settings else ""):
                found = extract(read_image(Path(entry.image)))
            yield entry.id, found

    count = write_store(output, FEATURES, items(), stamp=stamp)
    log.info("%s: %s features of %d images", output, settings["method"], count)


if __name__ == "__main__":
    main(run)
