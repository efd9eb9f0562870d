"""What all trainings with a backbone have in common: initial weights, optimiser, and the content of a checkpoint."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from wsss_steps import methods
from wsss_steps.data.augment import augment
from wsss_steps.nets.frozen import FrozenClassifier
from wsss_steps.nets.layout import fast_layout
from wsss_steps.nets.precision import compute_in
from wsss_steps.pretrained.backbones import load_backbone
from wsss_steps.training import loop, resuming
from wsss_steps.training.optimisers import make_optimiser, poly_schedule

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Data:
    """What a network learns from, and how its training differs from others.

    dataset: items by (epoch, index). classes: their names. given: further arguments of the method's losses. optimiser:
    arguments of the optimiser, instead of those of the settings. shared: name of the part of the network that several
    processes share; by default, all of it. content: what the checkpoint says beside what every checkpoint does.
    """

    dataset: loop.SizedDataset
    classes: Sequence[str]
    given: Mapping[str, Any] = field(default_factory=dict)
    optimiser: Mapping[str, float] = field(default_factory=dict)
    shared: str = ""
    content: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """Where a training starts from, what it writes, and where it computes.

    weights: initial weights of the backbone, if its settings name a file. output: weights (safetensors). history: CSV
    with one row per epoch. device: cpu or cuda. stamp: provenance.
    """

    weights: Path | None
    output: Path
    history: Path
    device: str
    stamp: str


def train(slot: str, settings: dict[str, Any], read: Callable[[], Data], job: Job) -> None:
    """Train a network of `slot` from its initial weights, or from where an interrupted training of it stopped.

    Args:
        slot: classifier, segmenter or saliency; also the kind of the weights file.
        settings: `method` and its settings, the backbone written out.
        read: reads the data, after it is known that there is something to train.
        job: files, device, stamp.
    """
    with resuming.kept(job.output, job.history, stamp=job.stamp, device=job.device) as keeper:
        if keeper.made:
            return
        data = read()
        method, network, initial = start(slot, settings, len(data.classes), job.weights)
        losses = methods.bound(method.losses, settings | dict(data.given))
        after_step = methods.bound(method.after_step, settings) if hasattr(method, "after_step") else None
        rows = fit(network, data, losses, settings, device=job.device, keeper=keeper, after_step=after_step)
        about = content(method, settings, data.classes, initial) | dict(data.content)
        loop.write(job.output, job.history, slot, network, rows, content=about, stamp=job.stamp)


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
    network: Any, data: Data, losses: loop.Losses, settings: dict[str, Any], **options: Any
) -> list[dict[str, float]]:
    """`loop.fit` with `options`, and with the optimiser, schedule and options of the settings."""
    optimisation = methods.arguments(make_optimiser, settings) | dict(data.optimiser)
    fc_layers = getattr(network, "fc_layers", None)
    pretrained = fc_layers.parameters() if fc_layers else ()
    optimiser = make_optimiser(network, network.backbone, pretrained, **optimisation)
    spread = getattr(network, data.shared) if data.shared else None
    schedule = poly_schedule(**methods.arguments(poly_schedule, settings))
    options |= methods.arguments(loop.fit, settings) | {"spread": spread}
    return loop.fit(network, data.dataset, losses, optimiser, schedule, **options)


def augmentation(slot: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Keyword arguments of `augment`, with the mean and standard deviation that the backbone expects.

    Batches carry raw pixels if the module of the method says NEEDS_PIXELS = True. It is said there, not in its
    settings, since it is a part of the method's code, whose digest it changes.
    """
    backbone = settings["backbone"]
    pixels = getattr(methods.load(slot, settings["method"]), "NEEDS_PIXELS", False)
    given = {"mean": backbone["mean"], "std": backbone["std"], "with_pixels": pixels}
    return methods.arguments(augment, settings | given)


def judge(weights: Path, classes: Sequence[str], backbone: dict[str, Any], device: str) -> FrozenClassifier:
    """The trained classifier in the file `weights`, frozen, for images that are normalised as `backbone` expects.

    A UserError if it was trained for other classes than `classes`, or cannot be read.
    """
    network, known = methods.rebuild("classifier", weights, device, classes)
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
