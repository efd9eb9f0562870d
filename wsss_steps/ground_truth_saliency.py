"""Make saliency maps from the ground truth, for the upper bound of Table 2.3, rows C1 to C4 (Kim 2022, dissertation).

Results from these maps are not weakly supervised, and summary.csv says so. This is the only step that passes ground
truth on to a training.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsss_steps.cli import main
from wsss_steps.data.manifest import Entry, read_ground_truth, read_manifest
from wsss_steps.data.originals import at_working_size, read_originals
from wsss_steps.errors import all_wrong
from wsss_steps.formats.kinds.saliency import SALIENCY
from wsss_steps.methods import per_image
from wsss_steps.methods.per_image import Arrays
from wsss_steps.ops.labels import IGNORE
from wsss_steps.ops.superpixel_metrics import without_void


def objects(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """255 on pixels of classes, 0 on background; void pixels take the nearest other pixel's value, 0 if none exists."""
    known = without_void(labels)
    return np.where((known != 0) & (known != IGNORE), 255, 0).astype(np.uint8)


def run(*, manifest: Path, ground_truth: Path, output: Path, settings: dict[str, Any], stamp: str = "") -> None:
    """Write `output`, the store of saliency maps of the train split. UserError if an image has no ground truth."""
    data, truth = read_manifest(manifest), read_ground_truth(ground_truth)
    entries = data.split("train")
    truth = at_working_size(truth, entries, read_originals(manifest))
    missing = [entry.id for entry in entries if entry.id not in truth.masks]
    all_wrong(f"{ground_truth}: images without ground truth, which the saliency maps are made from", missing)

    def make(entry: Entry, _: Mapping[str, Arrays]) -> Arrays:
        return {"saliency": objects(truth.labels(entry.id))}

    per_image.write(output, SALIENCY, entries, make, stamp=stamp, classes=data.classes)


if __name__ == "__main__":
    main(run)
