"""Score the images of a split by a trained classifier, for the report's gallery: no other step reads the scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from wsss_steps import methods
from wsss_steps.cli import main
from wsss_steps.data.images import normalise, read_image
from wsss_steps.data.manifest import Entry, read_manifest
from wsss_steps.formats.image_scores import write_image_scores
from wsss_steps.methods.per_image import memory_of
from wsss_steps.progress import track


@torch.inference_mode()
def probabilities(network: nn.Module, entry: Entry, backbone: dict[str, Any], device: str) -> list[float]:
    """Probability of each class 1..C by the whole image at its own size, as `evaluate_classifier` reads it."""
    image = normalise(read_image(Path(entry.image)), backbone["mean"], backbone["std"])
    with memory_of(entry):
        scores: list[float] = network(torch.from_numpy(image)[None].to(device))[0].double().sigmoid().tolist()
    return scores


def rows(
    network: nn.Module, entries: Sequence[Entry], backbone: dict[str, Any], device: str
) -> Iterator[tuple[str, list[float]]]:
    """Image id and probabilities of every entry."""
    for entry in track(entries, len(entries), "images"):
        yield entry.id, probabilities(network, entry, backbone, device)


def run(
    *, manifest: Path, classifier: Path, output: Path, settings: dict[str, Any], device: str = "cpu", stamp: str = ""
) -> None:
    """Write the probabilities of the split in `settings` as a table (`formats/image_scores.py`)."""
    data = read_manifest(manifest)
    network, content = methods.rebuild("classifier", classifier, device, data.classes)
    backbone = content["network"]["backbone"]
    write_image_scores(output, data.classes, rows(network, data.split(settings["split"]), backbone, device))


if __name__ == "__main__":
    main(run)
