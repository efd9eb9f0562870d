"""Train the network of a refiner of class activation maps, on seeds that were made of the maps before it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wsss_steps.cli import main
from wsss_steps.data.datasets import SeedDataset, check_seeds
from wsss_steps.data.manifest import read_manifest
from wsss_steps.methods import trainees
from wsss_steps.methods.trainees import Data, Job


def run(
    *,
    manifest: Path,
    seeds: Path,
    weights: Path | None = None,
    output: Path,
    history: Path,
    settings: dict[str, Any],
    device: str = "cpu",
    stamp: str = "",
) -> None:
    """Train on the seeds of the train split, a store of partial label maps.

    weights: initial weights of the backbone, if its settings name a file. history: a CSV with one row per epoch.
    """

    def read() -> Data:
        data = read_manifest(manifest)
        entries = data.split("train")
        check_seeds(entries, seeds, None)
        augmented = {"augmentation": trainees.augmentation("refiner", settings), "seed": settings["seed"]}
        dataset = SeedDataset(entries, len(data.classes), seeds=seeds, superpixels=None, **augmented)
        return Data(dataset, data.classes)

    trainees.train("refiner", settings, read, Job(weights, output, history, device, stamp))


if __name__ == "__main__":
    main(run)
