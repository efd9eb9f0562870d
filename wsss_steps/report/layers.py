"""Kinds of layers in the gallery: how an artifact of an image becomes pictures that lie over its photograph.

To add one: a function that reads it, one that gives its panels, and a row in `KINDS`. The page draws whatever it finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wsss_steps.data.images import resize_nearest
from wsss_steps.data.manifest import Entry, GroundTruth, read_ground_truth
from wsss_steps.formats.kinds.cams import CAMS
from wsss_steps.formats.kinds.growth import GROWTH
from wsss_steps.formats.kinds.refined_saliency import REFINED_SALIENCY
from wsss_steps.formats.kinds.saliency import SALIENCY
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.formats.kinds.superpixels import SUPERPIXELS
from wsss_steps.formats.label_maps import LabelMaps
from wsss_steps.formats.labels import voc_palette
from wsss_steps.formats.stores import Store
from wsss_steps.ops import overlays
from wsss_steps.ops.labels import IGNORE

COLOURS: NDArray[np.uint8] = overlays.bright(np.array(voc_palette(), np.uint8).reshape(256, 3))
"""Of the classes, (256, 3)."""
SALIENT = (0, 205, 215)  # colour of objects without a class

Arrays = Mapping[str, NDArray[Any]]
Source = LabelMaps | Store | GroundTruth
Picture = tuple[NDArray[np.uint8], NDArray[np.uint8]]
"""Indices (H, W) and their palette (n, 4)."""


@dataclass(frozen=True)
class Given:
    """What the panels of an image are made with."""

    entry: Entry
    size: tuple[int, int]
    """Height and width of label maps as drawn, px."""
    map_side: int
    """Longest side of the picture of a map in [0, 1], px."""
    classes: Sequence[str]
    scores: Sequence[float] = ()
    """The classifier's, of the classes 1..C; none if they are not known."""


@dataclass(frozen=True)
class Panel:
    """One photograph with pictures over it."""

    pictures: Mapping[str, Picture]
    """By the parts of the kind."""
    suffix: str = ""
    """Of the names of its files, unique within the layer."""
    caption: str = ""
    label: int | None = None
    """The class that it is of, if it is of one."""
    score: float | None = None
    """The classifier's for that class."""


@dataclass(frozen=True)
class LayerKind:
    """How to open a source, read what it holds of an image (None: nothing), and draw that."""

    open: Callable[[Path], Source]
    read: Callable[[Any, Entry], Any]
    panels: Callable[[Any, Given], Iterator[Panel]]
    parts: Mapping[str, bool]
    """Suffixes of the files of a panel, from below to above, and whether the slider of opacity fades them."""
    labels: bool = False
    """Whether what is read is a label map (H, W), which can be compared with others."""
    of_all_images: bool = True
    """Whether a source must hold every image of its split."""


# ---- readers


def _label_map(maps: LabelMaps, entry: Entry) -> NDArray[np.uint8]:
    return maps.read(entry.id, (entry.height, entry.width))


def _truth(truth: GroundTruth, entry: Entry) -> NDArray[np.uint8] | None:
    return truth.labels(entry.id) if entry.id in truth.masks else None


def _arrays(store: Store, entry: Entry) -> dict[str, NDArray[Any]]:
    return store[entry.id]


def _unless_left_out(store: Store, entry: Entry) -> dict[str, NDArray[Any]] | None:
    return None if entry.id in store.left_out else store[entry.id]


def _if_recorded(store: Store, entry: Entry) -> dict[str, NDArray[Any]] | None:
    return store[entry.id] if entry.id in store.ids() else None


# ---- panels


def _of_labels(labels: NDArray[np.uint8], given: Given, colours: NDArray[np.uint8] = COLOURS) -> Iterator[Panel]:
    small = resize_nearest(labels, given.size)
    known = {label: colours[label].tolist() for label in range(1, len(given.classes) + 1)}
    inside = overlays.palette({**known, IGNORE: overlays.GREY}, 256)
    around = overlays.palette({**known, IGNORE: overlays.WHITE}, 256)
    yield Panel({"": (overlays.fill(small), inside), "-o": (overlays.outline(small), around)})


def _of_growth(arrays: Arrays, given: Given) -> Iterator[Panel]:
    """One panel per moment of the training (Kim 2022, dissertation, Fig. 3.4)."""
    for labels, epoch in zip(arrays["frames"], map(int, arrays["epochs"]), strict=True):
        (panel,) = _of_labels(labels, given)
        yield replace(panel, suffix=f"-e{epoch}", caption=f"{epoch} epoch{'s' if epoch != 1 else ''}")


def _of_objects(arrays: Arrays, given: Given) -> Iterator[Panel]:
    yield from _of_labels(arrays["refined"], given, np.full((256, 3), SALIENT, np.uint8))


def _of_erased(labels: NDArray[np.uint8], given: Given) -> Iterator[Panel]:
    """The photograph without its objects (Kim 2022, dissertation, Fig. 2.5): their pixels in the mean colour."""
    erased = overlays.is_object(resize_nearest(labels, given.size)).astype(np.uint8)
    yield Panel({"": (erased, overlays.palette({1: overlays.MEAN_COLOUR}, 2))})


def _of_regions(arrays: Arrays, given: Given) -> Iterator[Panel]:
    regions = arrays["superpixels"]
    count = int(regions.max(initial=1))
    small = resize_nearest(regions, given.size)
    lines = overlays.palette({overlays.LIGHT: overlays.WHITE, overlays.DARK: overlays.BLACK}, 3)
    pictures = {"": (overlays.order(small, count), overlays.order_palette()), "-o": (overlays.borders(small), lines)}
    yield Panel(pictures, caption=f"1 to {count}")


def _of_map(values: NDArray[np.float32], given: Given) -> dict[str, Picture]:
    height, width = values.shape
    scale = min(1.0, given.map_side / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = np.asarray(Image.fromarray(values).resize(size, Image.Resampling.BILINEAR))
    return {"": (overlays.heat(small), overlays.heat_palette())}


def _of_saliency(arrays: Arrays, given: Given) -> Iterator[Panel]:
    yield Panel(_of_map(arrays["saliency"], given))


def _of_cams(arrays: Arrays, given: Given) -> Iterator[Panel]:
    """One panel per class that the image is tagged with."""
    for label, values in zip(map(int, arrays["class"]), arrays["cam"], strict=True):
        score = float(given.scores[label - 1]) if given.scores else None
        yield Panel(_of_map(values, given), f"-c{label}", given.classes[label - 1], label, score)


# ---- kinds


def _store(kind: Any) -> Callable[[Path], Store]:
    return lambda path: Store(path, kind)


def _label_maps(path: Path) -> LabelMaps:
    return LabelMaps(path, SEEDS)


FILLED = {"": True, "-o": False}
KINDS = {
    "ground_truth": LayerKind(read_ground_truth, _truth, _of_labels, FILLED, labels=True, of_all_images=False),
    "cams": LayerKind(_store(CAMS), _arrays, _of_cams, {"": True}),
    "saliency": LayerKind(_store(SALIENCY), _unless_left_out, _of_saliency, {"": True}),
    "refined_saliency": LayerKind(_store(REFINED_SALIENCY), _unless_left_out, _of_objects, FILLED),
    "superpixels": LayerKind(_store(SUPERPIXELS), _arrays, _of_regions, FILLED),
    "labels": LayerKind(_label_maps, _label_map, _of_labels, FILLED, labels=True),
    "growth": LayerKind(_store(GROWTH), _if_recorded, _of_growth, FILLED, of_all_images=False),
    "masked": LayerKind(_label_maps, _label_map, _of_erased, {"": False}),
}
