"""Train the segmentation network on the seeds of the training images, or on the pseudo-labels of another network."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wsss_steps import methods
from wsss_steps.cli import main
from wsss_steps.data.datasets import SeedDataset
from wsss_steps.data.manifest import Entry, read_manifest
from wsss_steps.errors import UserError, all_wrong
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.formats.kinds.superpixels import SUPERPIXELS
from wsss_steps.formats.label_maps import LabelMaps
from wsss_steps.methods import trainees
from wsss_steps.methods.trainees import Data, Job
from wsss_steps.ops.labels import IGNORE

log = logging.getLogger(__name__)


def check(entries: Sequence[Entry], seeds: Path, superpixels: Path | None) -> None:
    """Raise a UserError that lists every image that a store lacks, or says that no image has a seed of a class."""
    problems = []
    for path, kind in ((seeds, SEEDS), (superpixels, SUPERPIXELS)):
        if path is not None:
            with LabelMaps(path, kind) as maps:
                known = set(maps.ids())
            problems += [f"{entry.id}: not in {path}" for entry in entries if entry.id not in known]
    all_wrong("images of the manifest that a store lacks; make the store again from this manifest", problems)
    with LabelMaps(seeds, SEEDS) as maps:
        labels = (maps[entry.id] for entry in entries if entry.tags)
        if not any(((one > 0) & (one < IGNORE)).any() for one in labels):
            advice = "lower the foreground threshold or train the classifier more"
            raise UserError(f"{seeds}: no pixel of any image is the seed of a class; {advice}")


def run(
    *,
    manifest: Path,
    seeds: Path,
    needs: Mapping[str, Path] = methods.NO_NEEDS,
    weights: Path | None = None,
    output: Path,
    history: Path,
    settings: dict[str, Any],
    device: str = "cpu",
    stamp: str = "",
) -> None:
    """Train on the seeds of the train split.

    Args:
        manifest: the data set.
        seeds: store of partial label maps, or a folder of label maps <id>.png: the pseudo-labels of another network.
        needs: what the method reads beside them: a store of superpixels, or a trained classifier, which stays frozen.
        weights: initial weights of the backbone, if its settings name a file.
        output: weights (safetensors).
        history: CSV with one row per epoch: the loss of each input scale, and what else the method records.
        settings: `method` and its settings, the backbone written out.
        device: cpu or cuda.
        stamp: provenance.
    """

    def read() -> Data:
        data = read_manifest(manifest)
        entries, classes = data.split("train"), data.classes
        superpixels, classifier = needs.get("superpixels"), needs.get("classifier")
        check(entries, seeds, superpixels)
        augmented = {"augmentation": trainees.augmentation("segmenter", settings), "seed": settings["seed"]}
        dataset = SeedDataset(entries, len(classes), seeds=seeds, superpixels=superpixels, **augmented)
        judge = None if classifier is None else trainees.judge(classifier, classes, settings["backbone"], device)
        return Data(dataset, classes, given={"classifier": judge})

    trainees.train("segmenter", settings, read, Job(weights, output, history, device, stamp))


if __name__ == "__main__":
    main(run)
