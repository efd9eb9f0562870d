"""Mixers of training images: `mixing/<mixer>.py` says what an image keeps of itself, and nothing else registers it.

A mixer has one function, `kept`, whose parameters are keyword-only. It takes by name what it needs of the batch, the
draw and its own settings, and returns a mask M (B, H, W), bool: the mixed image i is image i where M_i is true and its
partner's elsewhere. `ops/mixed_batches.py` draws the partners and makes the mixed batch. What can be named:

images (B, 3, H, W); labels (B, H, W), 0 background, 1..C, 255 unlabelled; maps (B, n, H, W), score maps, rows alike in
    all images; tags (B, C), {0, 1}; inside (B, H, W), bool, the pixels that are no padding.
partners (B,): the index of each image's partner. generator: a CPU generator, or None for torch's global one.

A mixer with `ERASES = True` takes no partner: what an image does not keep becomes padding.

Free of torch, so that planning can list the mixers. Who loads one by name must have the module `ops.mixing.<mixer>`
in the code digest (`Choice.modules` in `workflow/choices.py`).
"""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType


def names() -> list[str]:
    """Names of the mixers that exist, sorted."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem != "__init__")


def load(name: str) -> ModuleType:
    """The module of one mixer; if there is none of that name, a ValueError that lists the known ones."""
    if name not in names():
        raise ValueError(f"unknown mixer '{name}'; known mixers: {', '.join(names())}")
    return importlib.import_module(f"{__name__}.{name}")
