"""Network weights as safetensors, with what is needed to rebuild the network."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from wsss_steps.errors import UserError
from wsss_steps.formats.files import VERSION, whole


def write_weights(target: Path, kind: str, state: Mapping[str, Any], *, content: Mapping[str, Any], stamp: str) -> None:
    """Write network weights as safetensors, with `content` (what is needed to rebuild the network) and the stamp.

    All metadata is one JSON text under one key, since safetensors writes several keys in random order, and equal runs
    must give equal bytes.
    """
    from safetensors.torch import save

    header = {"format": f"wsss/{kind}", "version": VERSION, "content": content, "provenance": json.loads(stamp or "{}")}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    with whole(target) as temporary:
        temporary.write_bytes(save(tensors, metadata={"wsss": json.dumps(header, sort_keys=True)}))


def read_weights(path: Path, kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Weights and their `content`; a UserError if the file is of another kind or version, or damaged."""
    with _open_weights(path, kind, "pt") as (file, content):
        return {name: file.get_tensor(name) for name in file.keys()}, content  # noqa: SIM118


def read_weights_content(path: Path, kind: str) -> dict[str, Any]:
    """Only the `content`, from the header of the file, without loading weights or torch."""
    with _open_weights(path, kind, "numpy") as (_, content):
        return content


def read_weights_stamp(path: Path) -> dict[str, Any]:
    """The stamp of weights of any kind; empty if the file is missing, damaged or not ours."""
    stamp: dict[str, Any] = _header(path).get("provenance", {})
    return stamp


def kind_of_weights(path: Path) -> str:
    """What network the weights are of, `classifier` or another; empty if the file is missing, damaged or not ours."""
    return str(_header(path).get("format", "")).removeprefix("wsss/")


def _header(path: Path) -> dict[str, Any]:
    """What the file says of itself; empty if it is missing, damaged or not ours."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            header: dict[str, Any] = json.loads((file.metadata() or {}).get("wsss", "{}"))
            return header
    except (OSError, SafetensorError):
        return {}


@contextlib.contextmanager
def _open_weights(path: Path, kind: str, framework: str) -> Iterator[tuple[Any, dict[str, Any]]]:
    """The open safetensors file and the `content` in its header."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework=framework) as file:
            header = json.loads((file.metadata() or {}).get("wsss", "{}"))
            found = (header.get("format"), header.get("version"))
            if found != (f"wsss/{kind}", VERSION):
                raise UserError(
                    f"{path}: expected weights wsss/{kind} version {VERSION}, found {found[0]} version {found[1]}"
                )
            yield file, header["content"]
    except FileNotFoundError:
        raise UserError(f"{path}: no such file (expected {kind} weights)") from None
    except SafetensorError as error:
        raise UserError(f"{path}: not a readable safetensors file ({error}); delete it to have it made again") from None
