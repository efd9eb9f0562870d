"""Write the seeds of every training image as a label map: the pseudo-labels of a recipe without a segmenter."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wsss_steps.cli import main
from wsss_steps.data.manifest import Entry, read_manifest
from wsss_steps.data.originals import at_original_size, read_originals
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.methods import per_image
from wsss_steps.methods.per_image import Arrays


def run(*, manifest: Path, seeds: Path, output: Path, settings: dict[str, Any], stamp: str = "") -> None:
    """Write the seeds of the train split as indexed PNG `<id>.png`, at the size of the image; 255 stays unlabelled.

    Args:
        manifest: the data set.
        seeds: store of label maps.
        output: folder of `<id>.png`.
        settings: none.
        stamp: provenance, written beside the label maps as `provenance.json`.
    """
    entries, originals = read_manifest(manifest).split("train"), read_originals(manifest)

    def label_map(entry: Entry, given: Mapping[str, Arrays]) -> Arrays:
        return at_original_size({"labels": given["seeds"]["seeds"]}, entry, originals)

    count = per_image.write_label_maps({"labels": output}, entries, label_map, sources=[(seeds, SEEDS)], stamp=stamp)
    logging.getLogger(__name__).info("%d label maps in %s", count, output)


if __name__ == "__main__":
    main(run)
