"""A record of how the seeds of a few training images grow while a segmenter is trained (Kim 2022, Fig. 3.4)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int32, Int64, UInt8
from numpy import ndarray
from torch import Tensor, nn

from wsss_steps import methods
from wsss_steps.data.chosen import choose
from wsss_steps.data.datasets import SeedDataset
from wsss_steps.data.images import normalise, read_image
from wsss_steps.data.manifest import Entry, Manifest
from wsss_steps.formats.kinds.growth import GROWTH
from wsss_steps.formats.stores import write_store
from wsss_steps.nets.segmentation import SegmentationNetwork
from wsss_steps.training.ranks import leads
from wsss_steps.training.resuming import random_states, set_random_states

IMAGES = 6  # recorded at most; not a setting, since it decides no number of the training
Grown = Callable[..., Int64[Tensor, "1 h w"]]


def moments(epochs: int) -> list[int]:
    """Finished epochs at which seeds are recorded: 0, 1, 2, 4, 8 and so on, and the last; they grow most at first."""
    return [0, *(2**power for power in range(epochs.bit_length()) if 2**power < epochs), epochs]


class Growth:
    """Watches one training (see `training.watching`), and writes the store `output` of seeds as they grew.

    Args:
        output: the store.
        grown: the method's function of that name, with its settings; None if its seeds do not grow, and the store is
            to hold no image.
        dataset: the training images.
        entries: those that are recorded: whole, without augmentation, by the network in evaluation mode.
        classes: their names, without background.
        epochs: how many the training has.
        device: cpu or cuda.
        stamp: provenance.
    """

    def __init__(
        self,
        output: Path,
        grown: Grown | None,
        dataset: SeedDataset,
        entries: Sequence[Entry],
        *,
        classes: Sequence[str],
        epochs: int,
        device: str,
        stamp: str,
    ) -> None:
        self.output, self.grown, self.dataset, self.classes = output, grown, dataset, classes
        self.entries = [] if grown is None else list(entries)
        self.moments, self.device, self.stamp = moments(epochs), device, stamp
        self.epochs: list[int] = []
        self.frames: list[list[Tensor]] = []  # of each moment, (h, w) of each image on the grid of the logits

    def look(self, network: SegmentationNetwork, epoch: int) -> None:
        """Add the frames of a moment, when it has come."""
        if epoch in self.moments and epoch not in self.epochs:
            with unnoticed(network):
                self.frames.append([self._frame(network, entry) for entry in self.entries])
            self.epochs.append(epoch)

    def _frame(self, network: SegmentationNetwork, entry: Entry) -> Tensor:
        """The seeds of an image as `network` grows them, (h, w) uint8."""
        assert self.grown is not None
        batch = {name: tensor.to(self.device) for name, tensor in whole_image(self.dataset, entry).items()}
        labels = self.grown(network(batch["images"]), batch, (entry.height, entry.width), network.stride)
        return labels[0].to(torch.uint8).cpu()

    def end(self, network: SegmentationNetwork) -> None:
        """Write the store; of several processes, only the leader does."""
        epochs = np.array(self.epochs, np.int32)
        arrays = [self._arrays(number, network.stride, epochs) for number in range(len(self.entries))]
        items = zip([entry.id for entry in self.entries], arrays, strict=True)
        if leads():
            write_store(self.output, GROWTH, items, stamp=self.stamp, classes=list(self.classes))

    def _arrays(self, number: int, stride: int, epochs: Int32[ndarray, " T"]) -> dict[str, ndarray[Any, Any]]:
        """What the store holds of an image."""
        entry = self.entries[number]
        grids = np.stack([frame[number].numpy() for frame in self.frames])
        return {"frames": enlarged(grids, (entry.height, entry.width), stride), "epochs": epochs}

    def state(self) -> dict[str, Any]:
        """The frames so far."""
        return {"epochs": self.epochs, "frames": self.frames}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue with the frames of `state`."""
        self.epochs, self.frames = state["epochs"], state["frames"]


def of(
    output: Path, settings: dict[str, Any], data: Manifest, dataset: SeedDataset, *, device: str, stamp: str
) -> Growth:
    """The watcher of the training of a segmenter with `settings`."""
    method, entries = methods.load("segmenter", settings["method"]), choose(data, "train", IMAGES)
    grown = methods.bound(method.grown, settings) if hasattr(method, "grown") else None
    about = {"classes": data.classes, "epochs": settings["epochs"]}
    return Growth(output, grown, dataset, entries, **about, device=device, stamp=stamp)


@contextlib.contextmanager
def unnoticed(network: nn.Module) -> Iterator[None]:
    """The network in evaluation mode, without gradients; afterwards its modes and all generators are as before."""
    modes, states = [(module, module.training) for module in network.modules()], random_states()
    try:
        with torch.no_grad():
            network.eval()
            yield
    finally:
        for module, mode in modes:
            module.training = mode
        set_random_states(states)


def whole_image(dataset: SeedDataset, entry: Entry) -> dict[str, Tensor]:
    """A batch of one training image as it is: without resizing, crop or changed colours."""
    image, normal = read_image(Path(entry.image)), dataset.augmentation
    maps = {name: torch.from_numpy(array.astype(np.int64)) for name, (array, _) in dataset.label_maps(entry).items()}
    pixels = torch.from_numpy(image).permute(2, 0, 1)
    tensors = {"images": torch.from_numpy(normalise(image, normal["mean"], normal["std"])), "pixels": pixels, **maps}
    tensors |= {
        "tags": dataset.tags[dataset.entries.index(entry)],
        "inside": torch.ones(image.shape[:2], dtype=torch.bool),
    }
    return {name: tensor[None] for name, tensor in tensors.items()}


def enlarged(grids: UInt8[ndarray, "T h w"], size: tuple[int, int], stride: int) -> UInt8[ndarray, "T H W"]:
    """Maps of cells of `stride` px at the `size` of the image."""
    cells = np.ones((stride, stride), np.uint8)
    return np.kron(grids, cells)[:, : size[0], : size[1]]
