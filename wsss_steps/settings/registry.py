"""The settings of every method by slot, found by name: a class of `settings/<slot>.py` with a field `method`."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

from wsss_steps.settings.base import Settings


def _methods_of(module: str) -> tuple[type[Settings], ...]:
    """The settings of methods that a module defines, in its order."""
    defined = vars(importlib.import_module(f"wsss_steps.settings.{module}")).values()
    classes = [value for value in defined if inspect.isclass(value) and value.__module__.endswith(f".{module}")]
    return tuple(cls for cls in classes if issubclass(cls, Settings) and "method" in cls.model_fields)


def _find() -> dict[str, tuple[type[Settings], ...]]:
    """The settings of all methods by slot, the slots in the order of the alphabet."""
    here = Path(__file__)
    modules = sorted(path.stem for path in here.parent.glob("*.py") if path.name not in ("__init__.py", here.name))
    return {module: found for module in modules if (found := _methods_of(module))}


METHODS = _find()
"""Slot -> the settings of its methods."""
