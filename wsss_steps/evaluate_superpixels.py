"""Undersegmentation error, achievable accuracy, boundary recall and precision of superpixels against the ground truth.

The ground truth only scores finished superpixels: no method reads the output of this step.
"""

from __future__ import annotations

import json
import logging
import math
from pathlib import Path
from typing import Any

from wsss_steps import progress
from wsss_steps.cli import main
from wsss_steps.data.manifest import Entry, GroundTruth, read_ground_truth, read_manifest
from wsss_steps.data.originals import at_working_size, read_originals
from wsss_steps.errors import UserError, all_wrong
from wsss_steps.formats.files import VERSION, write_json
from wsss_steps.formats.kinds.superpixels import SUPERPIXELS
from wsss_steps.formats.stores import Store
from wsss_steps.methods import arguments
from wsss_steps.ops.superpixel_metrics import Counts, boundary_counts, region_counts

log = logging.getLogger(__name__)

MEASURES = {
    "UE": "undersegmentation error",
    "ASA": "achievable accuracy",
    "BR": "boundary recall",
    "BP": "boundary precision",
}


def _ratio(counts: Counts) -> float | None:
    """Numerator over denominator; None if the denominator is 0."""
    return counts[0] / counts[1] if counts[1] else None


def _score(counts: list[Counts]) -> dict[str, Any]:
    """Mean over the images where the measure is defined, their number, and the value over all pixels pooled."""
    defined = [value for one in counts if (value := _ratio(one)) is not None]
    pooled = sum(one[0] for one in counts), sum(one[1] for one in counts)
    return {
        "mean": math.fsum(defined) / len(defined) if defined else None,
        "images": len(defined),
        "pooled": _ratio(pooled),
    }


def _counted(
    entries: list[Entry], truth: GroundTruth, store: Store, settings: dict[str, Any]
) -> tuple[dict[str, list[Counts]], int]:
    """The counts of every measure for every image, and the total number of superpixels."""
    counts: dict[str, list[Counts]] = {name: [] for name in MEASURES}
    number = 0
    for entry in progress.track(entries, len(entries), "images"):
        found, labels = store[entry.id]["superpixels"], truth.labels(entry.id)
        if found.shape != labels.shape:
            sizes = f"expected superpixels of size {labels.shape} as the ground truth, found {found.shape}"
            raise UserError(f"image '{entry.id}': {sizes}")
        boundaries = boundary_counts(found, labels, **arguments(boundary_counts, settings))
        for name, one in zip(MEASURES, region_counts(found, labels) + boundaries, strict=True):
            counts[name].append(one)
        number += int(found.max())
    return counts, number


def run(
    *,
    manifest: Path,
    ground_truth: Path,
    superpixels: Path,
    score: Path,
    settings: dict[str, Any],
    stamp: str = "",
) -> None:
    """Score the superpixels of the train split on its images that have ground truth, as JSON.

    `scores` has, for each measure, its mean over the images where it is defined, their number, and its value over all
    pixels pooled; null if it is defined nowhere. UserError if superpixels are missing or of another size.
    """
    truth = read_ground_truth(ground_truth)
    entries = [entry for entry in read_manifest(manifest).split("train") if entry.id in truth.masks]
    truth = at_working_size(truth, entries, read_originals(manifest))
    if not entries:
        raise UserError(f"{ground_truth}: no ground truth for any image of split 'train'")
    with Store(superpixels, SUPERPIXELS) as store:
        missing = [entry.id for entry in entries if entry.id not in store]
        all_wrong(f"{superpixels}: images without superpixels", missing)
        counts, number = _counted(entries, truth, store, settings)
    scores = {name: _score(ones) for name, ones in counts.items()}
    content = {
        "format": "wsss/superpixel_score",
        "version": VERSION,
        "split": "train",
        "images": len(entries),
        "superpixels_per_image": number / len(entries),
        "scores": scores,
        "gt_used_for": "evaluation",
        "settings": settings,
        "provenance": json.loads(stamp or "{}"),
    }
    write_json(score, content)
    log.info("%d images, %.2f superpixels each on average", len(entries), number / len(entries))
    for name, meaning in MEASURES.items():
        value = scores[name]["mean"]
        text = "-" if value is None else f"{value:.4f}"
        convention = f", boundary: {settings['boundary']}" if name in ("BR", "BP") else ""
        log.info("%-3s %s  %s (mean over %d images%s)", name, text, meaning, scores[name]["images"], convention)


if __name__ == "__main__":
    main(run)
