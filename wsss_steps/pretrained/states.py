"""Tensors by name from a file of weights, without running code from it."""

from __future__ import annotations

import pickle
import re
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from wsss_steps.errors import UserError

# keys under which training programs keep the weights
NESTS = ("teacher", "state_dict", "model_state_dict", "model", "network", "net", "module")
SUFFIXES = (".pth", ".pt", ".pth.tar")  # of torch.save
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
