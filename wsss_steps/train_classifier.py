"""Train the classifier of image-level tags, from which the class activation maps come."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from wsss_steps import methods, resuming, trainees, training
from wsss_steps.cli import main
from wsss_steps.data.datasets import TagDataset
from wsss_steps.data.images import normalise, read_image
from wsss_steps.data.manifest import Entry, read_manifest, tag_matrix
from wsss_steps.ops.tag_scores import tag_scores

log = logging.getLogger(__name__)


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
    """Train on the tags of the split train; the tags of the split val are only counted at the end, they choose nothing.

    weights: initial weights of the backbone, if its settings name a file. history: a CSV with one row per epoch.
    """
    with resuming.kept(output, history, stamp=stamp, device=device) as keeper:
        if keeper.made:
            return
        data = read_manifest(manifest)
        backbone, num_classes = settings["backbone"], len(data.classes)
        method, network, initial = trainees.start("classifier", settings, num_classes, weights)
        augmented = {"augmentation": trainees.augmentation(settings), "seed": settings["seed"]}
        dataset = TagDataset(data.split("train"), num_classes, **augmented)
        bug = {"momentum": settings["weight_decay"]} if settings.get("legacy_irn_momentum") else {}

        def losses(network: nn.Module, batch: training.Batch) -> dict[str, torch.Tensor]:
            parts: dict[str, torch.Tensor] = method.losses(network, batch, **methods.arguments(method.losses, settings))
            return parts

        part = {"spread": network.backbone}  # heads give several maps at once, which are no images
        rows = trainees.fit(network, dataset, losses, settings, device=device, keeper=keeper, **part, **bug)
        val = [entry for entry in data.entries if entry.split == "val"]
        scores = judge(network, val, num_classes, backbone, device)
        told = ", ".join(f"{name} {value:.3f}" for name, value in scores.items())
        log.info("tags of the split val: %s", told or "there are none")
        content = trainees.content(method, settings, data.classes, initial) | {"tag_scores": scores}
        training.write(output, history, "classifier", network, rows, content=content, stamp=stamp)


def judge(
    network: nn.Module, entries: Sequence[Entry], num_classes: int, backbone: dict[str, Any], device: str
) -> dict[str, float]:
    """`tag_scores` of the tags whose probability exceeds 0.5, on whole images; empty without `entries`."""
    if not entries:
        return {}
    network.eval()
    predicted = []
    with torch.inference_mode():
        for entry in entries:
            image = normalise(read_image(Path(entry.image)), backbone["mean"], backbone["std"])
            predicted.append((network(torch.from_numpy(image)[None].to(device))[0] > 0).cpu().numpy())
    return tag_scores(np.stack(predicted), tag_matrix(entries, num_classes) > 0)


if __name__ == "__main__":
    main(run)
