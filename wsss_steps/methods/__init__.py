"""The registry of methods: `methods/<slot>/<method>.py` is `<method>` of `<slot>`, and nothing else registers it."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from wsss_steps.errors import UserError
from wsss_steps.formats.weights import read_weights

NO_NEEDS: Mapping[str, Path] = MappingProxyType({})


def slots() -> list[str]:
    """Names of the slots that exist, sorted: the folders beside this file."""
    return sorted(path.name for path in Path(__file__).parent.iterdir() if any(path.glob("*.py")))


def names(slot: str) -> list[str]:
    """Names of the methods that exist in `slot`, sorted."""
    if slot not in slots():
        raise ValueError(f"unknown slot '{slot}'; known slots: {', '.join(slots())}")
    folder = Path(__file__).parent / slot
    return sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))


def load(slot: str, method: str) -> ModuleType:
    """The module of one method; if there is none of that name, a ValueError that lists the known methods."""
    if method not in names(slot):
        raise ValueError(f"unknown {slot} method '{method}'; known methods: {', '.join(names(slot))}")
    return importlib.import_module(f"{__name__}.{slot}.{method}")


def arguments(function: Callable[..., Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """The part of `settings` that `function` has as keyword-only parameters.

    A method's settings are one flat table; each of its functions takes by name only what it needs.
    """
    parameters = inspect.signature(function).parameters.values()
    wanted = {parameter.name for parameter in parameters if parameter.kind is inspect.Parameter.KEYWORD_ONLY}
    return {name: value for name, value in settings.items() if name in wanted}


def bound(function: Callable[..., Any], settings: Mapping[str, Any]) -> Callable[..., Any]:
    """`function` with its part of `settings` (see `arguments`)."""
    return functools.partial(function, **arguments(function, settings))


def rebuild(
    slot: str, weights: Path, device: str = "cpu", classes: Sequence[str] | None = None
) -> tuple[Any, dict[str, Any]]:
    """The trained network of `slot` in the file `weights`, on `device`, in evaluation mode; and the file's `content`.

    A UserError if the file is of another kind, its method no longer exists or builds another network, or it was trained
    for others than `classes`, if they are given.
    """
    state, content = read_weights(weights, slot)
    try:
        network = load(slot, content["method"]).build(content["num_classes"], **content["network"])
        network.load_state_dict(state)
    except (ValueError, TypeError, RuntimeError) as error:
        raise UserError(
            f"{weights}: was written by another version of this program ({error}); delete it to have it made again"
        ) from None
    if classes is not None and content["classes"] != list(classes):
        raise UserError(f"{weights}: was trained for classes {content['classes']}, the data set has {list(classes)}")
    return network.to(device).eval(), content
