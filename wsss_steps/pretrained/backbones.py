"""Initial weights of backbones: by name from torchvision or timm, or from a file."""

from __future__ import annotations

import logging
import pickle
import re
import struct
import zipfile
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import timm
import torch
import torchvision
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from wsss_steps.errors import UserError
from wsss_steps.nets.backbones import Backbone
from wsss_steps.nets.fc_layers import FcLayers
from wsss_steps.provenance import digests

log = logging.getLogger(__name__)

# keys under which training programs keep the weights
NESTS = ("teacher", "state_dict", "model_state_dict", "model", "network", "net", "module")
SUFFIXES = (".pth", ".pt", ".pth.tar")  # of torch.save
COPIES = ("momentum_encoder", "encoder_k")  # moving averages that MoCo keeps beside the trained network
HEADS = ("head.", "fc.", "classifier.", "fc6.", "fc7.", "fc8.")  # of other networks: never part of our backbones
FC_KEYS = {"fc6": ("fc6", "classifier.0"), "fc7": ("fc7", "classifier.3")}  # names from Caffe and from torchvision
FC_PARTS = ("weight", "bias")
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
# Beginnings of files that a failed download may leave instead of weights, and what to do about them.
NO_WEIGHTS = {
    re.compile(rb"(\xef\xbb\xbf)?\s*<(!doctype|!--|html|head|\?xml)", re.IGNORECASE): "a web page (HTML or XML), not "
    "weights: its address gave a page to be clicked through, or one that tells an error; download the file itself",
    re.compile(rb"version https://git-lfs"): "a git-lfs pointer, which only names the weights; get the file itself: "
    "`git lfs pull` in the repository that it comes from",
}
DOWNLOAD_ERRORS = (OSError, RuntimeError)  # network, disk, and a checksum that differs


def load_backbone(
    backbone: Backbone, spec: Mapping[str, Any], path: Path | None, fc_layers: FcLayers | None = None
) -> str:
    """Load initial weights into `backbone` and return their name.

    Args:
        backbone: loaded in place.
        spec: a backbone's settings as a dict; `net`, `weights` and `options` are read.
        path: the weights file if `weights` names one.
        fc_layers: layers of the head that are loaded too if the file has them with the right shape, as fc6 and fc7, or
            classifier.0 and classifier.3, beside the backbone's keys. DeepLab's VGG16 has them as convolutions of 1024
            channels; torchvision's, with 4096, are left out, and the log says so.

    Raises:
        UserError: with advice, if the weights cannot be downloaded or read, or do not fit.
    """
    weights = str(spec["weights"])
    if weights == "none":
        return "random"
    if weights == "imagenet":
        name, state = _imagenet(str(spec["net"]), dict(spec["options"]))
    else:
        file = path or Path(weights)
        state = read_state(file)
        name = f"{file.name} sha256:{digests.file_digest(file)}"
    layers = fc_layers or FcLayers({})
    fit_state(backbone, state, f"{name} into {spec['net']}", layers)
    return f"{name} with {' and '.join(layers.filled)}" if layers.filled else name


def _imagenet(net: str, options: dict[str, Any]) -> tuple[str, Mapping[str, Tensor]]:
    """Name and weights of an ImageNet classifier, which torchvision or timm downloads once into its cache."""
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
    """Tensors by key from a .safetensors, .pth, .pt or .pth.tar file, also nested in a training checkpoint.

    Runs no code from the file. A UserError if it is missing, or no readable weights file.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such weights file")
    refuse_pages(path)
    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except SafetensorError as error:
            raise UserError(f"{path}: not a readable safetensors file ({error})") from None
    if not path.name.endswith(SUFFIXES):
        raise UserError(f"{path}: expected a weights file .safetensors, .pth, .pt or .pth.tar, found '{path.suffix}'")
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
    state = _tensors(content) if isinstance(content, dict) else {}
    if not state:
        raise UserError(f"{path}: expected a dictionary of tensors by name, found {type(content).__name__} without any")
    return state


def _tensors(content: Mapping[Any, Any]) -> dict[str, Tensor]:
    """Tensors by key, including those of inner dictionaries: conv1.weight in `backbone` is backbone.conv1.weight."""
    found = dict[str, Tensor]()
    for key, value in content.items():
        inner = {f"{key}.{name}": part for name, part in value.items()} if isinstance(value, dict) else {key: value}
        found |= {str(name): part for name, part in inner.items() if isinstance(part, Tensor)}
    return found


def refuse_pages(path: Path) -> None:
    """Raise a UserError if the file is a web page or a git-lfs pointer, as failed downloads leave."""
    with path.open("rb") as file:
        start = file.read(200)
    for pattern, what in NO_WEIGHTS.items():
        if pattern.match(start):
            raise UserError(f"{path}: is {what}")


def fit_state(backbone: Backbone, state: Mapping[str, Tensor], what: str, fc_layers: FcLayers) -> None:
    """Load `state` into the backbone's network, and into `fc_layers` as far as they fit.

    Keys without the network's prefix in the file belong to other networks and are left out. A UserError lists what is
    missing, unexpected, of another shape, not floating-point or not finite; then nothing is loaded.
    """
    target = backbone.net.state_dict()
    prefix = prefix_of(state, target)
    found = without_prefix(state, prefix)
    given = _fitting(fc_layers, found, what)
    fc_keys = {f"{key}.{part}" for key in given.values() for part in FC_PARTS}
    problems = _misfits(target, found, heads=(*HEADS, *backbone.heads), further=fc_keys)
    if problems:
        if "missing" in problems:  # perhaps it is there under another name
            problems["under other prefixes"] = sorted(state.keys() - {prefix + key for key in found})
        lines = [
            f"{len(keys)} {kind}: {', '.join(keys[:FEW])}{' ...' if len(keys) > FEW else ''}"
            for kind, keys in problems.items()
            if keys
        ]
        raise UserError("\n  ".join([f"weights do not fit, {what}:", *lines]))
    backbone.net.load_state_dict({key: found.get(key, value) for key, value in target.items()})
    for name, key in given.items():
        fc_layers.fill(name, {part: found[f"{key}.{part}"] for part in FC_PARTS})
    tell_left_out(state.keys() - {prefix + key for key in target.keys() | fc_keys}, prefix, what)


def _misfits(
    target: Mapping[str, Tensor], found: Mapping[str, Tensor], *, heads: tuple[str, ...], further: Collection[str]
) -> dict[str, list[str]]:
    """Why `found` cannot be loaded into `target`, by kind of problem; `further` keys are used elsewhere."""
    # old files lack counters, and nothing here uses them
    counters = {key for key in target if key.endswith("num_batches_tracked")}
    shared = sorted(target.keys() & found.keys())
    kinds = {
        "missing": sorted(target.keys() - found.keys() - counters),
        "unexpected": sorted(key for key in found.keys() - target.keys() if not key.startswith(heads)),
        "of another shape": [
            f"{key}: expected {tuple(target[key].shape)}, found {tuple(found[key].shape)}"
            for key in shared
            if target[key].shape != found[key].shape
        ],
        "of unusable numbers": [
            f"{key}: {fault}"
            for key in (*shared, *sorted(further))
            if key not in counters and (fault := fault_of(found[key]))
        ],
    }
    return {kind: keys for kind, keys in kinds.items() if keys}


def _fitting(fc_layers: FcLayers, found: Mapping[str, Tensor], what: str) -> dict[str, str]:
    """Key in the file of each layer, up to the first that is missing or has another shape (which is logged).

    Later layers are useless, since they were trained on the output of that one.
    """
    fitting = dict[str, str]()
    for name, layers in fc_layers.layers.items():
        key = next((key for key in FC_KEYS[name] if f"{key}.weight" in found), None)
        if key is None:
            break
        expected = {part: tuple(tensor.shape) for part, tensor in layers[0].state_dict().items()}
        shapes = {part: tuple(found[f"{key}.{part}"].shape) for part in FC_PARTS if f"{key}.{part}" in found}
        if shapes != expected:
            log.info("%s: %s is left out, expected %s, found %s; it starts at random", what, key, expected, shapes)
            break
        fitting[name] = key
    return fitting


def fault_of(tensor: Tensor) -> str:
    """Why a tensor cannot be a weight; empty if it can."""
    if not tensor.is_floating_point():
        return f"expected floating point, found {str(tensor.dtype).removeprefix('torch.')}"
    broken = tensor.numel() - int(torch.isfinite(tensor.float()).sum())
    return f"{broken} of {tensor.numel()} are NaN or infinite" if broken else ""


def prefix_of(state: Mapping[str, Tensor], target: Collection[str]) -> str:
    """The prefix that wrappers put before the network's keys, as in module.backbone.conv1.weight; may be empty.

    It is the prefix with which most keys of `target` are found. Among ties, moving averages of a network come last, and
    shorter prefixes first.
    """
    prefixes = {""}
    for key in state:
        words = key.split(".")
        prefixes |= {".".join(words[:at]) + "." for at in range(1, len(words)) if ".".join(words[at:]) in target}

    def rank(prefix: str) -> tuple[int, bool, int, str]:
        count = sum(prefix + name in state for name in target)
        return -count, not set(COPIES).isdisjoint(prefix.split(".")), len(prefix), prefix

    return min(prefixes, key=rank)


def without_prefix(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The part of `state` with `prefix`, which is removed from the keys."""
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}


def tell_left_out(keys: Iterable[str], prefix: str, what: str) -> None:
    """Log the parts of a file that are not used, each with its number of tensors."""
    own = prefix.split(".")[:-1]
    parts = Counter[str]()
    for key in keys:
        words = key.split(".")
        same = next((at for at, (word, other) in enumerate(zip(words, own, strict=False)) if word != other), len(own))
        parts[".".join(words[: same + 1])] += 1
    if parts:
        log.info("%s: left out %s", what, ", ".join(f"{part} ({count})" for part, count in sorted(parts.items())))
