"""Weights of vision transformers: files of `fetch_weights`, `pretrain_keys`, DINO or timm."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timm
from torch import Tensor, nn

from wsss_steps.errors import UserError, all_wrong
from wsss_steps.formats.weights import kind_of_weights, read_weights
from wsss_steps.nets import vit as vits
from wsss_steps.pretrained.prefixes import fault_of, prefix_of, tell_left_out, without_prefix
from wsss_steps.pretrained.states import read_state, refuse_pages
from wsss_steps.pretrained.table import table
from wsss_steps.provenance.digests import file_digest

log = logging.getLogger(__name__)

Rgb = tuple[float, float, float]
MEAN: Rgb = (0.485, 0.456, 0.406)  # of ImageNet, which DINO trained on
STD: Rgb = (0.229, 0.224, 0.225)

OWN = "own"
"""Name of a network that `pretrain_keys` made: its file tells how to build it."""

KNOWN = list(dict.fromkeys(entry.net for entry in table().entries.values() if entry.use == "vit"))
"""The networks that the table has weights of, as timm names them."""

HEADS = {"head", "head_dist", "fc_norm"}  # parts of a file that keys do not need


@dataclass(frozen=True)
class Pretrained:
    """A vision transformer with weights, and the mean and standard deviation (of RGB / 255) that it expects.

    `vit` is one of `nets.vit`, or for DINOv3 timm's Eva.
    """

    vit: Any
    mean: Rgb
    std: Rgb


def load(name: str, path: Path) -> Pretrained:
    """The network `name` (one of `KNOWN`, or `own`) with the weights of the file `path`, in evaluation mode.

    The file is `.safetensors` or a `.pth` state dict, with the key names of DINO or timm; from a DINO training
    checkpoint the teacher is used. Weights of `pretrain_keys` describe their own network, and need the name `own`.

    Raises a UserError for an unknown name, a file that cannot be read, or weights that do not fit, which it lists.
    """
    if name != OWN and name not in KNOWN:
        raise UserError(f"unknown vision transformer '{name}'; known: {', '.join([*KNOWN, OWN])}")
    own = is_own(path)
    refuse_pages(path)
    if own != (name == OWN):
        found = (
            "weights of pretrain_keys, which need vit: own"
            if own
            else "other weights; vit: own is for weights of pretrain_keys"
        )
        raise UserError(f"{path}: expected weights for vit: {name}, found {found}")
    mean, std = MEAN, STD
    network: Any
    if own:
        state, content = read_weights(path, "vit")
        mean, std = tuple(content.pop("mean")), tuple(content.pop("std"))
        network = vits.build(vits.Shape(**content))
    else:
        state, network = read_state(path), timm.create_model(name, num_classes=0)
    fill(network, state, f"{path} for {name}")
    log.info("vision transformer %s with weights %s, sha256 %s", name, path, file_digest(path))
    return Pretrained(network.eval(), mean, std)


def is_own(path: Path) -> bool:
    """Whether `path` is a file that `pretrain_keys` wrote."""
    if not path.is_file():
        raise UserError(f"{path}: no such file (expected weights of a vision transformer)")
    return kind_of_weights(path) == "vit"


def is_head(name: str) -> bool:
    """Whether a weight of this name belongs to a head, with any prefix."""
    return not HEADS.isdisjoint(name.split("."))


def fill(network: nn.Module, state: Mapping[str, Tensor], what: str) -> None:
    """Copy `state` into `network`; a UserError lists every weight that does not fit.

    That is a weight that is missing, unknown, of another shape, not floating-point or not finite. Prefixes of wrappers
    are removed from the names; heads of DINO and classifiers are left out, and so are other prefixes, such as the
    momentum encoder and the predictor of MoCo v3.
    """
    expected = network.state_dict()
    prefix = prefix_of(state, expected)
    given = {name: tensor for name, tensor in without_prefix(state, prefix).items() if not is_head(name)}
    problems = [f"{name}: missing" for name in expected if name not in given]
    problems += [f"{name}: unknown to this network" for name in given if name not in expected]
    for name in (name for name in expected if name in given):
        wanted, found = tuple(expected[name].shape), tuple(given[name].shape)
        if wanted != found:
            problems.append(f"{name}: expected shape {wanted}, found {found}")
        # the stem's batch norm of an own network has an integer counter
        if expected[name].is_floating_point() and (fault := fault_of(given[name])):
            problems.append(f"{name}: {fault}")
    all_wrong(f"{what}: weights that do not fit", problems)
    network.load_state_dict({name: tensor.to(expected[name].dtype) for name, tensor in given.items()})
    tell_left_out(state.keys() - {prefix + name for name in given}, prefix, what)
