"""Weights that a choice names from the table of weights: which, what they decide of its settings. Free of torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wsss_steps.errors import UserError
from wsss_steps.pretrained.table import Entry, named, table
from wsss_steps.settings.base import IMAGENET_MEAN, IMAGENET_STD, Backbone
from wsss_steps.settings.features import KeyFeatures

DINO, IMAGENET = "dino", "imagenet"
FILE = "<results>/weights/{name}.safetensors"
DEFAULT_VIT = KeyFeatures.model_fields["vit"].default


def artifact_of(weights: str) -> str | None:
    """The file of weights of a name among the results, which `fetch_weights` makes, or None without such a name."""
    return FILE.format(name=weights) if named(weights) else None


def of_settings(settings: Mapping[str, Any]) -> Entry | None:
    """The entry that all settings of a choice name, or None; `dino` is that of the vision transformer."""
    weights = _weights(settings)
    return table().for_net("vit", settings["vit"]) if weights == DINO and "vit" in settings else named(weights)


def behind(settings: Mapping[str, Any]) -> Entry | None:
    """The same, and also the file that torchvision loads for `imagenet`."""
    backbone = settings.get("backbone", {})
    plain = table().for_net("torchvision", backbone["net"]) if backbone.get("weights") == IMAGENET else None
    return plain or of_settings(settings)


def trained_on(settings: Mapping[str, Any]) -> str:
    """What the initial weights of a choice were trained on, as far as that is known; empty if not, or without any."""
    found = behind(settings)
    known = "ImageNet tags" if _weights(settings) == IMAGENET else ""
    return found.trained_on if found else known


def _weights(settings: Mapping[str, Any]) -> str:
    return str(settings.get("backbone", settings).get("weights", "none"))


def completed_backbone(found: Backbone) -> Backbone:
    """A backbone with mean and std of the weights that it names.

    A UserError if these are weights of another network, or it has another mean or std of its own.
    """
    entry = named(found.weights)
    if entry is None:
        return found
    _check_net(entry, found.net)
    given = {"mean": (found.mean, IMAGENET_MEAN, entry.mean), "std": (found.std, IMAGENET_STD, entry.std)}
    for key, (value, default, expected) in given.items():
        if value not in (default, expected):
            raise UserError(f"weights {entry.name}: expected {key} {list(expected)}, found {list(value)}; leave it out")
    return found.model_copy(update={"mean": entry.mean, "std": entry.std})


def completed_vit(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of `keys` with the network of the weights that they name, if they say no other; else a UserError."""
    entry = named(str(settings["weights"]))
    if entry is None:
        return dict(settings)
    _check_net(entry, entry.net if settings["vit"] == DEFAULT_VIT else settings["vit"], use="vit")
    return {**settings, "vit": entry.net}


def check_saliency(weights: str) -> None:
    """A UserError if weights for something else than saliency are named."""
    if entry := named(weights):
        _check_net(entry, entry.net, use="saliency")


def _check_net(entry: Entry, net: str, use: str = "backbone") -> None:
    fitting = [one.name for one in table().entries.values() if one.use == use]
    if entry.use != use:
        raise UserError(f"weights {entry.name} are for {entry.net}: expected one of {', '.join(fitting)}")
    if entry.net != net:
        raise UserError(f"weights {entry.name} are for the network {entry.net}, found {net}")
