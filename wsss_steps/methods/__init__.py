"""The registry of methods: `methods/<slot>/<method>.py` is the method `<method>` of the slot `<slot>`, and nothing else registers it."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

SLOTS = ("classifier", "cams", "features", "superpixels", "seeds", "segmenter")


def names(slot: str) -> list[str]:
    """Names of the methods that exist in `slot`, sorted."""
    if slot not in SLOTS:
        raise ValueError(f"unknown slot '{slot}'; known slots: {', '.join(SLOTS)}")
    folder = Path(__file__).parent / slot
    return sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")


def load(slot: str, method: str) -> ModuleType:
    """The module of one method; a ValueError that lists the methods that exist if there is none of that name."""
    if method not in names(slot):
        raise ValueError(f"unknown {slot} method '{method}'; known methods: {', '.join(names(slot))}")
    return importlib.import_module(f"{__name__}.{slot}.{method}")


def arguments(function: Callable[..., Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """The part of `settings` that `function` names among its keyword-only parameters: how settings die at the border.

    A method's settings are one flat table; each of its functions takes by name what it needs and no more.
    """
    parameters = inspect.signature(function).parameters.values()
    wanted = {parameter.name for parameter in parameters if parameter.kind is inspect.Parameter.KEYWORD_ONLY}
    return {name: value for name, value in settings.items() if name in wanted}
