"""The stamp that every artifact carries: what made it."""

from __future__ import annotations

import importlib.metadata
import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wsss_steps.provenance.digests import PACKAGE, file_digest

VERSIONED = ("torch", "torchvision", "timm", "numpy", "scipy", "scikit-image", "pydensecrf2", "h5py", "pillow")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that affect results."""
    found = {"python": platform.python_version()}
    for name in VERSIONED:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "absent"
    return found


def stamp(step: str, *, settings: Mapping[str, Any], code: str, device: str, inputs: Mapping[str, Path]) -> str:
    """The stamp as JSON with sorted keys: step, settings, seed, code, inputs, versions, device."""
    content = {
        "step": step.removeprefix(f"{PACKAGE}."),
        "settings": settings,
        "seed": settings.get("seed"),
        "code": code,
        "device": device,
        "inputs": {
            name: {"path": path.as_posix(), "sha256": file_digest(path)} for name, path in sorted(inputs.items())
        },
        "versions": versions(),
    }
    return json.dumps(content, sort_keys=True)
