"""Initial weights of backbones: by name from torchvision or timm, or from a file."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from wsss_steps.errors import UserError
from wsss_steps.nets.backbones import Backbone
from wsss_steps.nets.fc_layers import FcLayers
from wsss_steps.pretrained import cache
from wsss_steps.pretrained.prefixes import fault_of, prefix_of, tell_left_out, without_prefix
from wsss_steps.pretrained.states import read_state
from wsss_steps.pretrained.table import table
from wsss_steps.provenance import digests

log = logging.getLogger(__name__)

HEADS = ("head.", "fc.", "classifier.", "fc6.", "fc7.", "fc8.")  # of other networks: never part of our backbones
FC_KEYS = {"fc6": ("fc6", "classifier.0"), "fc7": ("fc7", "classifier.3")}  # names from Caffe and from torchvision
FC_PARTS = ("weight", "bias")
FEW = 5  # keys shown of each kind of misfit


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
    """Name and weights of an ImageNet classifier, which are fetched once into the cache of torchvision or timm."""
    if entry := table().for_net("torchvision", net):
        return f"torchvision {entry.file}", read_state(cache.fetched(entry))
    if not net.startswith("timm:"):
        raise UserError(f"backbone {net} has no ImageNet weights; set its weights to none or to a file")
    from wsss_steps.pretrained import timm_weights  # here, since timm takes a second and a half, and is rarely needed

    return timm_weights.imagenet(net.removeprefix("timm:"), options)


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
