"""The state of an interrupted training: any nesting of dicts, lists, tuples, numbers and tensors, in one file.

Tensors are stored as safetensors, their nesting as JSON in the header: reading executes nothing. Numbers are restored
bit for bit, and tensors with their strides, on which the rounding of a sum may depend.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wsss_steps.errors import UserError
from wsss_steps.formats.weights import read_weights, write_weights

KIND = "training_state"
SIMPLE = (str, int, float, bool, type(None))


def write_state(target: Path, state: Mapping[str, Any], *, fingerprint: str) -> None:
    """Write a state atomically: until it is complete, the previous file stays. An error if it cannot be written."""
    from safetensors import SafetensorError

    tensors, tree = flatten(state)
    content = {"fingerprint": fingerprint, "tree": json.dumps(tree)}
    content["checksum"] = checksum(tensors, **content)
    try:
        write_weights(target, KIND, tensors, content=content, stamp="")
    except SafetensorError as error:
        raise OSError(str(error)) from None


def state_digest(state: Mapping[str, Any]) -> str:
    """SHA-256 of a state."""
    tensors, tree = flatten(state)
    return checksum(tensors, tree=json.dumps(tree))


def read_state(path: Path, *, fingerprint: str) -> dict[str, Any]:
    """Read a state; a UserError if it is damaged, or if it was written with another fingerprint."""
    try:
        tensors, content = read_weights(path, KIND)
        tree, found = content["tree"], content["fingerprint"]
        whole = checksum(tensors, tree=tree, fingerprint=found) == content["checksum"]
    except (KeyError, TypeError) as error:
        raise UserError(f"{path}: expected a training state, found a damaged one ({error})") from None
    if not whole:
        raise UserError(f"{path}: expected checksum {content['checksum'][:16]}, found another: the file is damaged")
    if found != fingerprint:
        raise UserError(
            f"{path}: is of other settings, code, versions, data or initial weights "
            f"(expected fingerprint {fingerprint[:16]}, found {found[:16]})"
        )
    state: dict[str, Any] = rebuild(json.loads(tree), tensors)
    return state


def checksum(tensors: Mapping[str, Any], **texts: str) -> str:
    """SHA-256 over names, types, shapes and bytes of tensors, and over texts."""
    import torch

    digest = hashlib.sha256(json.dumps(texts, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()


def flatten(state: Any) -> tuple[dict[str, Any], Any]:
    """The tensors of `state`, named by their place in it, and the rest as JSON-serialisable data."""
    import torch

    tensors: dict[str, Any] = {}

    def visit(value: Any, place: str) -> Any:
        if isinstance(value, SIMPLE):
            return value
        if isinstance(value, torch.Tensor):
            tensors[place] = value
            return {"tensor": place, "stride": value.stride()}
        if isinstance(value, Mapping):
            return {"dict": [[key, visit(inner, f"{place}/{key}")] for key, inner in value.items()]}
        if isinstance(value, (list, tuple)):
            inside = [visit(inner, f"{place}/{index}") for index, inner in enumerate(value)]
            return {"tuple" if isinstance(value, tuple) else "list": inside}
        raise TypeError(f"{place}: expected numbers, texts, tensors and nestings of them, found {type(value).__name__}")

    return tensors, visit(state, "")


def rebuild(tree: Any, tensors: Mapping[str, Any]) -> Any:
    """The inverse of `flatten`."""
    import torch

    if not isinstance(tree, dict):
        return tree
    if "tensor" in tree:
        stored, stride = tensors[tree["tensor"]], tree["stride"]
        if 0 in stride:
            return stored.clone()
        return torch.empty_strided(tuple(stored.shape), stride, dtype=stored.dtype).copy_(stored)
    if "dict" in tree:
        return {key: rebuild(inner, tensors) for key, inner in tree["dict"]}
    kind = tuple if "tuple" in tree else list
    return kind(rebuild(inner, tensors) for inner in tree[kind.__name__])
