"""Train the classifier on image-level tags; the class activation maps come from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wsss_steps.cli import main
from wsss_steps.data.datasets import TagDataset
from wsss_steps.data.manifest import read_manifest
from wsss_steps.methods import trainees
from wsss_steps.methods.trainees import Data, Job


def run(
    *,
    manifest: Path,
    weights: Path | None = None,
    output: Path,
    history: Path,
    settings: dict[str, Any],
    device: str = "cpu",
    stamp: str = "",
) -> None:
    """Train on the tags of the train split.

    weights: initial weights of the backbone, if its settings name a file. history: a CSV with one row per epoch.
    """

    def read() -> Data:
        data = read_manifest(manifest)
        augmented = {"augmentation": trainees.augmentation("classifier", settings), "seed": settings["seed"]}
        dataset = TagDataset(data.split("train"), len(data.classes), **augmented)
        bug = {"momentum": settings["weight_decay"]} if settings.get("legacy_irn_momentum") else {}
        # several processes share the backbone, not the head: its output may not have the images first
        return Data(dataset, data.classes, optimiser=bug, shared="backbone")

    trainees.train("classifier", settings, read, Job(weights, output, history, device, stamp))


if __name__ == "__main__":
    main(run)
