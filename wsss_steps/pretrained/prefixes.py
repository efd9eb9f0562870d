"""How the names of a file and of a network are brought together, and what is told of the rest."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

import torch
from torch import Tensor

log = logging.getLogger(__name__)

COPIES = ("momentum_encoder", "encoder_k")  # moving averages that MoCo keeps beside the trained network


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
