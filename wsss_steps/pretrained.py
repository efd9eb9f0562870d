"""Initial weights of backbones: by name from torchvision or timm, or from a file."""

from __future__ import annotations

import pickle
import struct
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import timm
import torch
import torchvision
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from wsss_steps import provenance
from wsss_steps.errors import UserError
from wsss_steps.nets.backbones import Backbone

NESTS = (
    "teacher",
    "state_dict",
    "model_state_dict",
    "model",
    "network",
    "net",
)  # keys under which training programs keep the weights
HEADS = ("head.", "fc.", "classifier.")  # of other networks: never part of a backbone of ours
FEW = 5  # keys shown of each kind of misfit
# What torch.load raises on damaged files.
DAMAGED = (
    RuntimeError,
    EOFError,
    zipfile.BadZipFile,
    ValueError,
    LookupError,
    AssertionError,
    AttributeError,
    TypeError,
    struct.error,
)
DOWNLOAD_ERRORS = (OSError, RuntimeError)  # network, disk, and a checksum that differs


def load_backbone(backbone: Backbone, spec: Mapping[str, Any], path: Path | None) -> str:
    """Load initial weights into `backbone` and say in words which they were.

    spec: a backbone's settings as a dict; of it `net`, `weights` and `options` are read. path: the weights file if
    `weights` names one. A UserError, with the way out, if the weights cannot be had, read, or do not fit.
    """
    weights = str(spec["weights"])
    if weights == "none":
        return "random"
    if weights == "imagenet":
        name, state = _imagenet(str(spec["net"]), dict(spec["options"]))
    else:
        file = path or Path(weights)
        state = read_state(file)
        name = f"{file.name} sha256:{provenance.file_digest(file)}"
    fit_state(backbone, state, f"{name} into {spec['net']}")
    return name


def _imagenet(net: str, options: dict[str, Any]) -> tuple[str, Mapping[str, Tensor]]:
    """Name and weights of ImageNet classification, downloaded once by torchvision or timm into their caches."""
    try:
        if net.startswith("timm:"):
            model: Any = timm.create_model(net.removeprefix("timm:"), pretrained=True, **options)
            return f"timm {model.pretrained_cfg['architecture']}.{model.pretrained_cfg['tag']}", model.state_dict()
        if net == "small":
            raise UserError("backbone small has no ImageNet weights; set its weights to none or to a file")
        chosen = torchvision.models.get_model_weights(net)["IMAGENET1K_V1"]
        return f"torchvision {Path(chosen.url).name}", chosen.get_state_dict(progress=False, check_hash=True)
    except DOWNLOAD_ERRORS as error:
        raise UserError(
            f"ImageNet weights of {net} could not be downloaded ({type(error).__name__}: {str(error)[:200]}); "
            "fetch a .safetensors or .pth file on a machine with internet and give its path as the backbone's `weights`"
        ) from None


def read_state(path: Path) -> dict[str, Tensor]:
    """Tensors by key of a .safetensors, .pth or .pt file; nested dictionaries of training programs are opened.

    Runs no code of the file.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such weights file")
    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except SafetensorError as error:
            raise UserError(f"{path}: not a readable safetensors file ({error})") from None
    if path.suffix not in (".pth", ".pt"):
        raise UserError(f"{path}: expected a weights file .safetensors, .pth or .pt, found '{path.suffix}'")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise UserError(
            f"{path}: holds more than plain tensors, and reading that could run code hidden in the file; "
            "in the program that made it, save `network.state_dict()` with torch.save or safetensors"
        ) from None
    except DAMAGED as error:
        raise UserError(f"{path}: not a readable file of torch.save ({error})") from None
    while isinstance(content, dict) and (
        nest := next((key for key in NESTS if isinstance(content.get(key), dict)), None)
    ):
        content = content[nest]
    state = (
        {key: value for key, value in content.items() if isinstance(value, Tensor)} if isinstance(content, dict) else {}
    )
    if not state:
        raise UserError(f"{path}: expected a dictionary of tensors by name, found {type(content).__name__} without any")
    return state


def fit_state(backbone: Backbone, state: Mapping[str, Tensor], what: str) -> None:
    """Load `state` into the backbone's network; a UserError lists what is missing, unexpected or of another shape."""
    target = backbone.net.state_dict()
    found = without_prefix(state, target)
    counters = {
        key for key in target if key.endswith("num_batches_tracked")
    }  # old files lack them, and nothing here reads them
    heads = (*HEADS, *backbone.heads)
    missing = sorted(target.keys() - found.keys() - counters)
    unexpected = sorted(key for key in found.keys() - target.keys() if not key.startswith(heads))
    other = sorted(
        f"{key}: expected {tuple(target[key].shape)}, found {tuple(found[key].shape)}"
        for key in target.keys() & found.keys()
        if target[key].shape != found[key].shape
    )
    kinds = {"missing": missing, "unexpected": unexpected, "of another shape": other}
    problems = [
        f"{len(keys)} {kind}: {', '.join(keys[:FEW])}{' ...' if len(keys) > FEW else ''}"
        for kind, keys in kinds.items()
        if keys
    ]
    if problems:
        raise UserError("\n  ".join([f"weights do not fit, {what}:", *problems]))
    backbone.net.load_state_dict({key: found.get(key, value) for key, value in target.items()})


def without_prefix(state: Mapping[str, Tensor], target: Collection[str]) -> dict[str, Tensor]:
    """`state` without what wrappers put before the network's keys, as in module.backbone.conv1.weight.

    That is the prefix before whose cut the most keys of `target` stand; none if there is a tie.
    """
    prefixes = {""} | {key.removesuffix(name) for key in state for name in target if key.endswith(f".{name}")}
    best = max(sorted(prefixes, key=len), key=lambda prefix: sum(prefix + name in state for name in target))
    return {key.removeprefix(best): value for key, value in state.items()}
