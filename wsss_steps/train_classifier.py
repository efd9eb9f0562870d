"""Train the classifier on image-level tags; the class activation maps come from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from wsss_steps import methods
from wsss_steps.cli import main
from wsss_steps.data.datasets import TagDataset
from wsss_steps.data.manifest import read_manifest
from wsss_steps.methods import trainees
from wsss_steps.training import loop, resuming


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
    with resuming.kept(output, history, stamp=stamp, device=device) as keeper:
        if keeper.made:
            return
        data = read_manifest(manifest)
        num_classes = len(data.classes)
        method, network, initial = trainees.start("classifier", settings, num_classes, weights)
        augmented = {"augmentation": trainees.augmentation(settings), "seed": settings["seed"]}
        dataset = TagDataset(data.split("train"), num_classes, **augmented)
        bug = {"momentum": settings["weight_decay"]} if settings.get("legacy_irn_momentum") else {}

        def losses(network: nn.Module, batch: loop.Batch) -> dict[str, torch.Tensor]:
            parts: dict[str, torch.Tensor] = method.losses(network, batch, **methods.arguments(method.losses, settings))
            return parts

        part = {"spread": network.backbone}  # not the head: its output may not have the images first
        rows = trainees.fit(network, dataset, losses, settings, device=device, keeper=keeper, **part, **bug)
        content = trainees.content(method, settings, data.classes, initial)
        loop.write(output, history, "classifier", network, rows, content=content, stamp=stamp)


if __name__ == "__main__":
    main(run)
