"""ResNet-50 of Keras, as TensorFlow.js stores it: float32 numbers one after the other, in the order of Keras's names.

What it computes is brought into the form of torchvision's ResNet: kernels (H, W, I, O) are turned, the first one from
BGR to RGB; biases of convolutions go into the mean that batch normalisation subtracts, and the difference of the two
epsilons, 1e-3 and 1e-5, into its variance. What is left, the stride in the first convolution of a block, is the
network's: `nets/backbones/kerasresnet.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torchvision
from torch import Tensor

from wsss_steps.errors import UserError
from wsss_steps.pretrained.table import Entry

EPSILON, OURS = 1e-3, 1e-5
NORMS = ("weight", "bias", "running_mean", "running_var")


def read(path: Path, _: Entry) -> dict[str, Tensor]:
    """The tensors under torchvision's names; a UserError if their number is not that of the file."""
    with torch.device("meta"):
        shapes = {name: tuple(value.shape) for name, value in torchvision.models.resnet50().state_dict().items()}
    order = [place for _, places in sorted(_by_keras_name(shapes)) for place in places]
    numbers = torch.from_numpy(np.fromfile(path, "<f4"))
    counts = [int(np.prod(shape)) for _, shape in order]
    if sum(counts) != len(numbers):
        raise UserError(f"{path}: expected {sum(counts):,} numbers of ResNet-50, found {len(numbers):,}")
    parts = zip(order, torch.split(numbers, counts), strict=True)
    return _as_torchvision({name: part.reshape(shape) for (name, shape), part in parts})


Place = tuple[str, tuple[int, ...]]  # our name, and the shape in Keras


def _by_keras_name(shapes: dict[str, tuple[int, ...]]) -> Iterator[tuple[str, list[Place]]]:
    """The tensors of each layer of Keras, by the name of that layer."""
    for name in (name.removesuffix(".weight") for name in shapes if name.endswith(".weight")):
        shape = shapes[f"{name}.weight"]
        if len(shape) == 1:
            yield _norm_of_keras(name), [(f"{name}.{part}", shape) for part in NORMS]
        else:
            turned = (*shape[2:], shape[1], shape[0])
            yield _layer_of_keras(name), [(f"{name}.weight", turned), (f"{name}.bias", shape[:1])]


def _layer_of_keras(name: str) -> str:
    """The name of a convolution, such as res2a_branch2b for layer1.0.conv2."""
    if "." not in name:
        return {"conv1": "conv1", "fc": "fc1000"}[name]
    layer, block, part, *_ = name.split(".")
    branch = "branch1" if part == "downsample" else f"branch2{'abc'[int(part[-1]) - 1]}"
    return f"res{int(layer[-1]) + 1}{'abcdef'[int(block)]}_{branch}"


def _norm_of_keras(name: str) -> str:
    """The name of a batch normalisation, such as bn2a_branch2b for layer1.0.bn2."""
    return "bn_conv1" if name == "bn1" else _layer_of_keras(name).replace("res", "bn")


def _as_torchvision(given: dict[str, Tensor]) -> dict[str, Tensor]:
    """Kernels turned, biases and epsilons in the batch normalisation."""
    found = {name: _turned(tensor) for name, tensor in given.items()}
    found["conv1.weight"] = found["conv1.weight"].flip(1)  # BGR to RGB
    for name in [name for name in given if name.endswith(".running_mean")]:
        norm = name.removesuffix(".running_mean")
        found[name] = found[name] - found.pop(f"{_convolution_before(norm)}.bias")
        found[f"{norm}.running_var"] = found[f"{norm}.running_var"] + (EPSILON - OURS)
    return {name: tensor.contiguous() for name, tensor in found.items()}


def _turned(tensor: Tensor) -> Tensor:
    """A kernel (H, W, I, O) or matrix (I, O) as torch has it, (O, I, H, W) or (O, I)."""
    return tensor.permute(3, 2, 0, 1) if tensor.ndim == 4 else tensor.T if tensor.ndim == 2 else tensor


def _convolution_before(norm: str) -> str:
    """The convolution whose output a batch normalisation takes."""
    return norm.replace("downsample.1", "downsample.0") if "downsample" in norm else norm.replace("bn", "conv")
