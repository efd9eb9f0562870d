"""Compare the tags that a trained classifier predicts with those of a split, for the record only."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from wsss_steps import methods
from wsss_steps.cli import main
from wsss_steps.data.images import normalise, read_image
from wsss_steps.data.manifest import Entry, read_manifest, tag_matrix
from wsss_steps.formats.files import VERSION, write_json
from wsss_steps.ops.tag_scores import scores_per_class, tag_scores
from wsss_steps.progress import track

log = logging.getLogger(__name__)


def predicted_tags(
    network: nn.Module, entries: list[Entry], backbone: dict[str, Any], device: str
) -> NDArray[np.bool_]:
    """Whether the probability of each class exceeds 0.5, (N, C), on whole images."""
    rows = []
    with torch.inference_mode():
        for entry in track(entries, len(entries), "images"):
            image = normalise(read_image(Path(entry.image)), backbone["mean"], backbone["std"])
            rows.append((network(torch.from_numpy(image)[None].to(device))[0] > 0).cpu().numpy())
    return np.stack(rows)


def mistakes(
    entries: Sequence[Entry], predicted: NDArray[np.bool_], tags: NDArray[np.bool_], classes: Sequence[str]
) -> list[dict[str, Any]]:
    """The images whose tags are predicted wrongly: id, the classes that are `wrong`, and those that are `missed`."""

    def named(row: NDArray[np.bool_]) -> list[str]:
        return [name for name, found in zip(classes, row, strict=True) if found]

    pairs = zip(entries, predicted & ~tags, tags & ~predicted, strict=True)
    return [
        {"image": entry.id, "wrong": named(wrong), "missed": named(missed)}
        for entry, wrong, missed in pairs
        if wrong.any() or missed.any()
    ]


def run(
    *, manifest: Path, classifier: Path, score: Path, settings: dict[str, Any], device: str = "cpu", stamp: str = ""
) -> None:
    """Write the `tag_scores` of the split in `settings`, over all classes and of each, as JSON: fractions in [0, 1]."""
    data = read_manifest(manifest)
    entries = data.split(settings["split"])
    network, content = methods.rebuild("classifier", classifier, device, data.classes)
    predicted = predicted_tags(network, entries, content["network"]["backbone"], device)
    tags = tag_matrix(entries, len(data.classes)) > 0
    scores, per_class = tag_scores(predicted, tags), scores_per_class(predicted, tags)
    log.info("tags of split %s: %s", settings["split"], ", ".join(f"{name} {one:.3f}" for name, one in scores.items()))
    write_json(
        score,
        {
            "format": "wsss/tag_score",
            "version": VERSION,
            "split": settings["split"],
            "images": len(entries),
            **scores,
            "per_class": [{"class": name, **one} for name, one in zip(data.classes, per_class, strict=True)],
            "mistakes": mistakes(entries, predicted, tags, data.classes),
            "provenance": json.loads(stamp or "{}"),
        },
    )


if __name__ == "__main__":
    main(run)
