"""U²-Net as published: ONNX files, with the batch normalisation in the convolutions, and files of torch, with both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import onnx
import torch
from google.protobuf.message import DecodeError
from onnx import numpy_helper
from torch import Tensor, nn

from wsss_steps.errors import UserError
from wsss_steps.nets.u2net import VARIANTS, U2Net
from wsss_steps.pretrained.states import read_state
from wsss_steps.pretrained.table import Entry

Pair = tuple[Tensor, Tensor]  # weight (N, K, 3, 3) and bias (N,) of a convolution
EPSILON = 1e-5  # of the batch normalisation


def read(path: Path, _: Entry | None = None) -> dict[str, Tensor]:
    """The tensors of `nets.u2net.U2Net`, of the variant that fits, or a UserError.

    Both kinds of files list the convolutions in the order in which the network computes them.
    """
    pairs = list(_of_onnx(path) if path.suffix == ".onnx" else _of_torch(read_state(path)))
    shapes = [tuple(weight.shape) for weight, _ in pairs]
    for variant in VARIANTS:
        with torch.device("meta"):
            modules = {name: one for name, one in U2Net(variant).named_modules() if isinstance(one, nn.Conv2d)}
        if [tuple(one.weight.shape) for one in modules.values()] == shapes:
            named = zip(modules, pairs, strict=True)
            return {f"{name}.{part}": value for name, pair in named for part, value in zip(PARTS, pair, strict=True)}
    raise UserError(f"{path}: expected the convolutions of {' or '.join(VARIANTS)}, found {len(pairs)} others")


PARTS = ("weight", "bias")


def _of_onnx(path: Path) -> Iterator[Pair]:
    """The initial values of the convolutions of a graph, in its order."""
    try:
        graph = onnx.load(path, load_external_data=False).graph
    except DecodeError as error:
        raise UserError(f"{path}: not a readable ONNX file ({error})") from None
    values = {value.name: value for value in graph.initializer}
    for node in graph.node:
        if node.op_type == "Conv" and len(node.input) == 3 and values.keys() >= set(node.input[1:]):
            weight, bias = (numpy_helper.to_array(values[name]).copy() for name in node.input[1:])
            yield torch.from_numpy(weight), torch.from_numpy(bias)


def _of_torch(state: dict[str, Tensor]) -> Iterator[Pair]:
    """Each convolution, with the batch normalisation behind it, if it has one."""
    for name in (name.removesuffix(".weight") for name, value in state.items() if value.ndim == 4):
        norm = name.replace("conv_s1", "bn_s1")
        pair = state[f"{name}.weight"], state[f"{name}.bias"]
        yield _folded(*pair, *(state[f"{norm}.{part}"] for part in NORM)) if norm in _parents(state) else pair


NORM = ("weight", "bias", "running_mean", "running_var")


def _parents(names: Iterable[str]) -> set[str]:
    return {name.rpartition(".")[0] for name in names if name.endswith(".running_var")}


def _folded(weight: Tensor, bias: Tensor, scale: Tensor, shift: Tensor, mean: Tensor, variance: Tensor) -> Pair:
    """A convolution that computes what it and the batch normalisation behind it do: s (W x + b - m) + t."""
    factor = scale / (variance + EPSILON).sqrt()
    return weight * factor[:, None, None, None], (bias - mean) * factor + shift
