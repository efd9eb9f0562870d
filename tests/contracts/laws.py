"""The contracts as functions of a method, for methods that are not in the registry."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from contracts import (
    test_cams,
    test_classifier,
    test_declared,
    test_devices,
    test_image_by_image,
    test_saliency,
    test_superpixels,
    test_trained,
)
from contracts.cases import Method

SUITES: Mapping[str, tuple[ModuleType, ...]] = {
    "cams": (test_image_by_image, test_cams, test_declared, test_devices),
    "classifier": (test_trained, test_classifier, test_declared, test_devices),
    "saliency": (test_image_by_image, test_saliency, test_declared, test_devices),
    "superpixels": (test_image_by_image, test_superpixels, test_declared, test_devices),
}
Law = Callable[[Method], None]


def laws(slot: str, fixtures: Mapping[str, Any], folder: Path) -> dict[str, Law]:
    """The contracts of a slot, by what they say; those of GPUs apart. folder: for files of theirs."""
    found, known = {}, {*fixtures, "method", "tmp_path"}
    for suite in SUITES[slot]:
        for name, contract in vars(suite).items():
            wanted = list(inspect.signature(contract).parameters) if name.startswith("test_") else []
            if {"method"} <= set(wanted) <= known and "gpu" not in name:
                found[name.removeprefix("test_")] = _law(contract, wanted, fixtures, folder / name)
    return found


def _law(contract: Callable[..., None], wanted: list[str], fixtures: Mapping[str, Any], folder: Path) -> Law:
    def run(method: Method) -> None:
        folder.mkdir(parents=True)
        given = {**fixtures, "method": method, "tmp_path": folder}
        contract(**{name: given[name] for name in wanted})

    return run


def broken(method: Method, known: Mapping[str, Law]) -> set[str]:
    """The contracts that a method breaks."""
    found = set()
    for name, law in known.items():
        try:
            law(method)
        except AssertionError:
            found.add(name)
    return found
