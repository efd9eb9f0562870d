"""Numbers by which the gallery sorts its images, besides IoU: shares of pixels, from the label maps of an image.

To add one: a function of label maps, a row in `MEASURES`, and a line in `measures_of` that says of which layers.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsss_steps.ops.labels import IGNORE
from wsss_steps.ops.overlays import differing, is_object

Labels = NDArray[np.uint8]
Layer = Mapping[str, Any]
"""As `workflow/pictures.py` describes it."""


def _labelled(labels: Labels) -> float:
    return float((labels != IGNORE).mean())


def _objects(labels: Labels) -> float:
    return float(is_object(labels).mean())


@dataclass(frozen=True)
class Measure:
    """A share of pixels, in [0, 1], of some layers of an image."""

    kind: str
    """A key of `MEASURES`."""
    title: str
    split: str
    layers: tuple[int, ...]

    def of(self, maps: Mapping[int, Labels]) -> float | None:
        """The share, from the label maps by the number of their layer; None if one is missing."""
        if not all(layer in maps for layer in self.layers):
            return None
        return round(MEASURES[self.kind][1](*(maps[layer] for layer in self.layers)), 4)

    def row(self) -> dict[str, Any]:
        """What the page knows of it."""
        return {**asdict(self), "group": MEASURES[self.kind][0]}


MEASURES: dict[str, tuple[str, Callable[..., float]]] = {
    "disagreement": ("share of pixels on which two recipes disagree", differing),
    "crf": ("share of pixels that the dense CRF changed", differing),
    "labelled": ("share of pixels with a label", _labelled),
    "objects": ("share of pixels of objects", _objects),
}
"""The groups of the measures, in the order of the page, and their functions."""


def name_of(layer: Layer) -> str:
    """The recipes that a layer is of."""
    return ", ".join(layer["recipes"])


def measures_of(layers: Sequence[Layer]) -> list[Measure]:
    """The measures that the layers allow."""
    found = [*_of_pairs(layers), *_of_single(layers)]
    return sorted(found, key=lambda one: list(MEASURES).index(one.kind))


def _of_pairs(layers: Sequence[Layer]) -> Iterator[Measure]:
    finals = [(number, layer) for number, layer in enumerate(layers) if layer["final"]]
    for (one, first), (two, second) in itertools.combinations(finals, 2):
        if first["split"] == second["split"]:
            title = f"{name_of(first)} and {name_of(second)}: {first['row']}"
            yield Measure("disagreement", title, first["split"], (one, two))
    for number, layer in enumerate(layers):
        if layer["before"] is not None:
            yield Measure("crf", f"{name_of(layer)}: {layer['row']}", layer["split"], (layer["before"], number))


def _of_single(layers: Sequence[Layer]) -> Iterator[Measure]:
    for number, layer in enumerate(layers):
        if layer["row"] == "seeds":
            yield Measure("labelled", f"{name_of(layer)}: seeds", layer["split"], (number,))
        if layer["final"]:
            yield Measure("objects", f"{name_of(layer)}: {layer['row']}", layer["split"], (number,))
