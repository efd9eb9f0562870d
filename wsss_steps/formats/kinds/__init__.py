"""Kinds of HDF5 stores: `kinds/<kind>.py` defines what `<kind>` holds, and nothing else registers it.

(H, W) is the size of the image, (h, w) that of a grid; labels are 0 background, 1..C, 255 unlabelled.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DataSet:
    """What one data set of a store holds: numpy type, number of dimensions, meaning and unit."""

    dtype: str
    dimensions: int
    meaning: str
    unit: str = "1"
    scale: float = 1.0  # value = stored number * scale
    palette: bool = False
    one_per: str = ""
    """If given: of three dimensions, written as a group of two-dimensional ones, one per number in this data set."""


@dataclass(frozen=True)
class Kind:
    """A kind of store: its name, and its data sets for every image."""

    name: str
    data_sets: Mapping[str, DataSet]
    version: int = 1  # of the form of its data sets


def names() -> list[str]:
    """Names of the kinds that exist, sorted."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem != "__init__")


def find(name: str) -> Kind:
    """The kind of that name; if there is none, a ValueError that lists the known kinds."""
    if name not in names():
        raise ValueError(f"unknown kind of store '{name}'; known kinds: {', '.join(names())}")
    kind: Kind = getattr(importlib.import_module(f"{__name__}.{name}"), name.upper())
    return kind
