"""What all trainings with a backbone have in common: initial weights, optimiser, and the content of a checkpoint."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from wsss_steps import methods
from wsss_steps.data.augment import augment
from wsss_steps.errors import UserError
from wsss_steps.nets.frozen import FrozenClassifier
from wsss_steps.nets.layout import fast_layout
from wsss_steps.nets.precision import compute_in
from wsss_steps.pretrained.backbones import load_backbone
from wsss_steps.training import loop
from wsss_steps.training.resuming import Keeper

log = logging.getLogger(__name__)


def start(slot: str, settings: dict[str, Any], num_classes: int, weights: Path | None) -> tuple[ModuleType, Any, str]:
    """The method of `settings`, its network (with `backbone`) with initial weights, and the name of these weights."""
    method = methods.load(slot, settings["method"])
    torch.manual_seed(settings["seed"])
    network = method.build(num_classes, **methods.arguments(method.build, settings))
    initial = load_backbone(network.backbone, settings["backbone"], weights, getattr(network, "fc_layers", None))
    if initial == "random" and (settings["frozen_stages"] or settings["frozen_batch_norm"] != "none"):
        log.warning(
            "the backbone has random weights, yet parts are frozen: set frozen_stages: 0, frozen_batch_norm: none"
        )
    compute_in(network.backbone, settings["compute_precision"])
    return method, network, initial


def fit(
    network: Any,
    dataset: loop.SizedDataset,
    losses: loop.Losses,
    settings: dict[str, Any],
    *,
    device: str,
    keeper: Keeper,
    spread: nn.Module | None = None,
    **overrides: float,
) -> list[dict[str, float]]:
    """`loop.fit` with the optimiser and options of the settings; `overrides` are arguments of the optimiser."""
    optimisation = methods.arguments(loop.make_optimiser, settings) | overrides
    fc_layers = getattr(network, "fc_layers", None)
    pretrained = fc_layers.parameters() if fc_layers else ()
    optimiser = loop.make_optimiser(network, network.backbone, pretrained, **optimisation)
    options = methods.arguments(loop.fit, settings) | {"device": device, "keeper": keeper, "spread": spread}
    return loop.fit(network, dataset, losses, optimiser, **options)


def augmentation(settings: dict[str, Any]) -> dict[str, Any]:
    """Keyword arguments of `augment`, with the mean and standard deviation that the backbone expects."""
    backbone = settings["backbone"]
    return methods.arguments(augment, settings | {"mean": backbone["mean"], "std": backbone["std"]})


def judge(weights: Path, classes: Sequence[str], backbone: dict[str, Any], device: str) -> FrozenClassifier:
    """The trained classifier in the file `weights`, frozen, for images that are normalised as `backbone` expects.

    A UserError if it was trained for other classes than `classes`, or cannot be read.
    """
    network, known = methods.rebuild("classifier", weights, device)
    if known["classes"] != list(classes):
        raise UserError(f"{weights}: was trained for classes {known['classes']}, the data set has {list(classes)}")
    own = known["network"]["backbone"]
    frozen = FrozenClassifier(
        network, mean=backbone["mean"], std=backbone["std"], own_mean=own["mean"], own_std=own["std"]
    )
    fast_layout(frozen)
    return frozen.to(device)


def content(method: ModuleType, settings: dict[str, Any], classes: Sequence[str], initial: str) -> dict[str, Any]:
    """What a checkpoint says of its network: enough to rebuild it, and its initial weights."""
    return {
        "method": settings["method"],
        "num_classes": len(classes),
        "classes": list(classes),
        "network": methods.arguments(method.build, settings),
        "init_weights": initial,
        "compute_precision": settings["compute_precision"],
        "seed": settings["seed"],
    }
