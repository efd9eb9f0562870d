"""Networks of the methods that are trained, and batches of the drawn images to train them on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from contracts import world as worlds
from contracts.cases import Method
from contracts.world import ARRAYS, CLASSES, DRAWN, class_maps, colours, regions
from numpy.typing import NDArray
from torch import Tensor, nn

from wsss_steps import methods
from wsss_steps.methods import trainees
from wsss_steps.nets.frozen import FrozenClassifier
from wsss_steps.ops.labels import IGNORE
from wsss_steps.training.loop import RECORDED

Batch = dict[str, Tensor]


@dataclass(frozen=True)
class Trainee:
    """A network of a method with random weights, and its losses of a batch."""

    network: Any
    losses: Callable[[nn.Module, Batch], dict[str, Tensor]]

    def loss(self, batch: Batch) -> Tensor:
        """What is minimised."""
        torch.manual_seed(0)  # some draw at random
        return minimised(self.losses(self.network, batch))


def start(method: Method, settings: Mapping[str, Any], device: str = "cpu") -> Trainee:
    """The network of a method as its training starts it, with random weights."""
    torch.manual_seed(0)
    network = method.module.build(len(classes_of(method)), **methods.arguments(method.module.build, settings))
    network = network.to(device)
    given = {**settings, **({"classifier": judge().to(device)} if "classifier" in method.cls.needs else {})}
    options = methods.arguments(method.module.losses, given)
    return Trainee(network, lambda network, batch: method.module.losses(network, batch, **options))


def trained(method: Method, settings: Mapping[str, Any], steps: int, batch: Batch | None = None) -> Trainee:
    """The same after some steps on the drawn images."""
    trainee, batch = start(method, settings), batch or batch_of(method)
    optimiser = torch.optim.SGD(trainee.network.parameters(), lr=0.05, momentum=0.9)
    for _ in range(steps):
        optimiser.zero_grad()
        trainee.loss(batch).backward()
        optimiser.step()
    return trainee


def classes_of(method: Method) -> tuple[str, ...]:
    """What a network tells apart."""
    return ("salient",) if method.slot == "saliency" else CLASSES


def minimised(parts: Mapping[str, Tensor]) -> Tensor:
    """The sum of the parts of a loss that are minimised."""
    return torch.stack([part for name, part in parts.items() if not name.startswith(RECORDED)]).sum()


def batch_of(method: Method) -> Batch:
    """The drawn images with all that a batch of the slot has; seeds say nothing of the right quarter."""
    pixels = [colours(rectangles) for rectangles in DRAWN.values()]
    truth = torch.stack([torch.from_numpy(regions(rectangles)) for rectangles in DRAWN.values()]).long()
    raw = torch.stack([torch.from_numpy(one.transpose(2, 0, 1).copy()) for one in pixels])
    tags = torch.zeros(len(pixels), len(CLASSES))
    for row, rectangles in enumerate(DRAWN.values()):
        tags[row, [number - 1 for number in rectangles]] = 1
    seeds = truth.clone()
    seeds[:, :, 24:] = IGNORE
    ids = [torch.from_numpy(ARRAYS["superpixels"](one, ())["superpixels"].astype("int64")) for one in pixels]
    every = {
        "images": raw.float() / 255,
        "inside": torch.ones_like(truth, dtype=torch.bool),
        "tags": tags,
        "seeds": seeds,
        "maps": torch.stack(
            [every_map(one, tuple(rectangles)) for one, rectangles in zip(pixels, DRAWN.values(), strict=True)]
        ),
        "superpixels": torch.stack(ids) if "superpixels" in method.cls.needs else torch.zeros_like(truth),
        "strong_masks": torch.where(torch.arange(len(truth))[:, None, None] < 1, truth, IGNORE),
        "masks": (truth > 0).long(),
        "pixels": raw,
    }
    return {name: every[name] for name in names_of(method)}


def every_map(pixels: NDArray[np.uint8], tags: tuple[int, ...]) -> Tensor:
    """Maps (C, H, W), 0 of the classes without a tag."""
    maps = torch.zeros(len(CLASSES), *pixels.shape[:2])
    maps[[tag - 1 for tag in tags]] = torch.from_numpy(class_maps(pixels, tags))
    return maps


def names_of(method: Method) -> list[str]:
    """What a batch of the slot has, and raw pixels and label images where the method asks: docs/add_a_method.md."""
    of_slot = {"classifier": ["tags"], "saliency": ["masks"]}
    of_slot |= {"refiner": ["tags", taught_by(method)], "segmenter": ["tags", "seeds", "superpixels"]}
    asked = ["strong_masks"] if "strong_masks" in method.cls.needs else []
    asked += ["pixels"] if getattr(method.module, "NEEDS_PIXELS", False) else []
    return ["images", "inside", *of_slot[method.slot], *asked]


def taught_by(method: Method) -> str:
    """The part of a batch that teaches."""
    of_refiner = {"seeds": "seeds", "cams": "maps"}[method.cls.learns_from]
    return {"classifier": "tags", "saliency": "masks", "segmenter": "seeds", "refiner": of_refiner}[method.slot]


def judge() -> FrozenClassifier:
    """A small classifier with random weights, frozen."""
    torch.manual_seed(7)
    options = {"output_stride": 8, "dilated": True, "frozen_stages": 0, "frozen_batch_norm": "none"}
    network = methods.load("classifier", "plain").build(len(CLASSES), backbone=worlds.PLAIN, **options)
    same = {"mean": (0.0,) * 3, "std": (1.0,) * 3, "own_mean": (0.0,) * 3, "own_std": (1.0,) * 3}
    return FrozenClassifier(network, **same)


def content_of(method: Method, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What its checkpoint says."""
    return trainees.content(method.module, dict(settings), classes_of(method), "random")
