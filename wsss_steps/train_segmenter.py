"""Train the segmentation network on the seeds of the training images, or on the pseudo-labels of another network."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wsss_steps import methods
from wsss_steps.cli import main
from wsss_steps.data.datasets import SeedDataset, check_seeds
from wsss_steps.data.manifest import read_manifest
from wsss_steps.data.strong import StrongDataset
from wsss_steps.methods import growth, trainees
from wsss_steps.methods.trainees import Data, Job
from wsss_steps.training.watching import watched


def run(
    *,
    manifest: Path,
    seeds: Path,
    needs: Mapping[str, Path] = methods.NO_NEEDS,
    weights: Path | None = None,
    output: Path,
    history: Path,
    output_growth: Path | None = None,
    settings: dict[str, Any],
    device: str = "cpu",
    stamp: str = "",
) -> None:
    """Train on the seeds of the train split.

    Args:
        manifest: the data set.
        seeds: store of partial label maps, or a folder of label maps <id>.png: the pseudo-labels of another network.
        needs: what the method reads beside them: a store of superpixels, or of label images of some training images
            (strong_masks), or a trained classifier, which stays frozen.
        weights: initial weights of the backbone, if its settings name a file.
        output: weights (safetensors).
        history: CSV with one row per epoch: the loss of each input scale, and what else the method records.
        output_growth: store of the seeds of a few images as they grew in training; without images if the method's
            seeds do not grow.
        settings: `method` and its settings, the backbone written out.
        device: cpu or cuda.
        stamp: provenance.
    """

    def read() -> Data:
        data = read_manifest(manifest)
        entries, classes = data.split("train"), data.classes
        superpixels, classifier = needs.get("superpixels"), needs.get("classifier")
        check_seeds(entries, seeds, superpixels)
        augmented = {"augmentation": trainees.augmentation("segmenter", settings), "seed": settings["seed"]}
        given = {"seeds": seeds, "superpixels": superpixels, **augmented}
        if strong_masks := needs.get("strong_masks"):
            dataset: SeedDataset = StrongDataset(entries, len(classes), strong_masks=strong_masks, **given)
        else:
            dataset = SeedDataset(entries, len(classes), **given)
        if output_growth is not None:
            stack.enter_context(watched(growth.of(output_growth, settings, data, dataset, device=device, stamp=stamp)))
        judge = None if classifier is None else trainees.judge(classifier, classes, settings["backbone"], device)
        return Data(dataset, classes, given={"classifier": judge})

    with contextlib.ExitStack() as stack:
        trainees.train("segmenter", settings, read, Job(weights, output, history, device, stamp))


if __name__ == "__main__":
    main(run)
