"""What a safetensors file holds, read from its header alone: nothing is loaded, and nothing in it is executed."""

from __future__ import annotations

import math
from pathlib import Path

from wsss_steps.errors import UserError


def tensors_of(path: Path) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Type (`F32`) and shape of every tensor by name, in the order of the names; a UserError if it cannot be read."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            parts = {name: file.get_slice(name) for name in sorted(file.keys())}
            return {name: (str(part.get_dtype()), tuple(part.get_shape())) for name, part in parts.items()}
    except FileNotFoundError:
        raise UserError(f"{path}: no such file (expected weights)") from None
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path}: not a readable safetensors file ({error})") from None


def count(shape: tuple[int, ...]) -> int:
    """How many numbers a tensor of that shape holds."""
    return math.prod(shape)
