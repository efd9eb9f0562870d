"""Train the network of a refiner of class activation maps: on the maps before it, or on seeds made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wsss_steps.cli import main
from wsss_steps.data.datasets import SeedDataset, TagDataset, check_seeds
from wsss_steps.data.manifest import Manifest, read_manifest
from wsss_steps.data.map_dataset import MapDataset, check_maps
from wsss_steps.errors import UserError
from wsss_steps.methods import trainees
from wsss_steps.methods.trainees import Data, Job


def dataset_of(data: Manifest, seeds: Path | None, cams: Path | None, settings: dict[str, Any]) -> TagDataset:
    """The training images with what teaches, one of seeds and maps, once it is known to be there."""
    entries, count = data.split("train"), len(data.classes)
    augmented = {"augmentation": trainees.augmentation("refiner", settings), "seed": settings["seed"]}
    if seeds is not None and cams is None:
        check_seeds(entries, seeds, None)
        return SeedDataset(entries, count, seeds=seeds, superpixels=None, **augmented)
    if cams is not None and seeds is None:
        check_maps(entries, cams)
        return MapDataset(entries, count, cams=cams, **augmented)
    raise UserError(f"expected either seeds or maps to learn from, found {'both' if seeds else 'neither'}")


def run(
    *,
    manifest: Path,
    seeds: Path | None = None,
    cams: Path | None = None,
    weights: Path | None = None,
    output: Path,
    history: Path,
    settings: dict[str, Any],
    device: str = "cpu",
    stamp: str = "",
) -> None:
    """Train on the train split.

    seeds: a store of partial label maps; or else cams: the store of maps that are refined. weights: initial weights of
    the backbone, if its settings name a file. history: a CSV with one row per epoch.
    """

    def read() -> Data:
        data = read_manifest(manifest)
        return Data(dataset_of(data, seeds, cams, settings), data.classes)

    trainees.train("refiner", settings, read, Job(weights, output, history, device, stamp))


if __name__ == "__main__":
    main(run)
