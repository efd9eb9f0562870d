"""A trained network that segments, in plain Python: from a file of weights to the scores of an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from wsss_steps import predict
from wsss_steps.data.images import normalise
from wsss_steps.errors import UserError
from wsss_steps.formats.weights import kind_of_weights, read_weights_content
from wsss_steps.nets.inference import label_logits
from wsss_steps.nets.segmentation import SegmentationNetwork

SEGMENTING = ("segmenter", "classifier")  # kinds of weights; of classifiers, those of a single-stage network


@dataclass(frozen=True)
class Trained:
    """A network in evaluation mode on `device`.

    slot: of the method that trained it. content: what its file says of it.
    """

    network: SegmentationNetwork
    slot: str
    content: dict[str, Any]
    device: str

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes 1..C."""
        return tuple(self.content["classes"])

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the labels 0..C."""
        return ("background", *self.classes)

    @property
    def colours(self) -> dict[str, list[float]]:
        """Mean and standard deviation, of R, G and B in 0..1, by which the network's images are normalised."""
        backbone = self.content["network"]["backbone"]
        return {"mean": list(backbone["mean"]), "std": list(backbone["std"])}

    def normalised(self, image: UInt8[np.ndarray, "H W 3"]) -> Float[Tensor, "1 3 H W"]:
        """An RGB image as the network reads it."""
        return torch.as_tensor(normalise(image, **self.colours))[None].to(self.device)

    def logits(
        self,
        image: UInt8[np.ndarray, "H W 3"],
        *,
        scales: Sequence[float] = (1.0,),
        flip: bool = False,
        merge: Literal["max", "mean"] = "max",
    ) -> Float[Tensor, "L H W"]:
        """Logits of the labels 0..C at the size of an RGB image, merged as `predict` does."""
        pixels = self.normalised(image)
        options: dict[str, Any] = {"scales": scales, "flip": flip, "merge": merge}
        return label_logits(self.network, pixels, self.network.stride, **options)


def load(weights: str | Path, device: str = "cpu") -> Trained:
    """The network in the file `weights`, which `train_segmenter` wrote, or `train_classifier` of a single-stage method.

    device: cpu or cuda. A UserError if the file is missing, damaged, or of a network that does not segment.
    """
    path = Path(weights)
    slot = _kind(path)
    network, content = predict.segmenting(path, device, read_weights_content(path, slot)["classes"])
    return Trained(network.eval(), slot, content, device)


def _kind(path: Path) -> str:
    """The kind of the weights, if a network of that kind may segment; else a UserError."""
    if not path.is_file():
        raise UserError(f"{path}: no such file (expected the weights of a segmenter, segmenter.safetensors of a run)")
    kind = kind_of_weights(path)
    if kind not in SEGMENTING:
        found = f"weights of a {kind}" if kind else "a file that is no checkpoint of this workflow"
        raise UserError(f"{path}: expected the weights of a segmenter, segmenter.safetensors of a run, found {found}")
    return kind
