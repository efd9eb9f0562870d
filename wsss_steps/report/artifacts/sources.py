"""Artifacts that hold something for each image, read alike: stores, label maps, ground truth, boxes, manifests."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsss_steps.data.boxes import read_boxes
from wsss_steps.data.manifest import read_ground_truth, read_manifest
from wsss_steps.errors import UserError
from wsss_steps.formats import kinds
from wsss_steps.formats.kinds import DataSet
from wsss_steps.formats.labels import read_labels
from wsss_steps.formats.stores import Store
from wsss_steps.report.artifacts import identify
from wsss_steps.report.artifacts.surroundings import Surroundings, unknown

Arrays = dict[str, NDArray[Any]]
LABELS = {"labels": DataSet("u1", 2, "label map, (H, W): 0 background, 1..C, 255 unlabelled", palette=True)}
TRUTH = {"labels": DataSet("u1", 2, "ground truth, (H, W): 0 background, 1..C, 255 void", palette=True)}
BOXES = {"boxes": DataSet("i4", 2, "a row per object: class, y_min, x_min, y_max, x_max (half-open), difficult")}


@dataclass(frozen=True)
class Source:
    """An artifact by image: `read(image_id)` gives its arrays, which `forms` describes.

    names: of the labels 0..C, if known. left_out: ids of images whose arrays say nothing. about: what it is, in words.
    """

    path: Path
    kind: str
    ids: Sequence[str]
    read: Callable[[str], Arrays]
    forms: Mapping[str, DataSet]
    names: Sequence[str] = ()
    left_out: Sequence[str] = field(default=())

    def name_of(self, label: int) -> str:
        """The name of a label; its number if that is not known."""
        return self.names[label] if 0 <= label < len(self.names) else f"class {label}"

    def chosen(self, images: Sequence[str]) -> list[str]:
        """`images`, or all if there are none; a UserError with the nearest ids for those that it lacks."""
        known = set(self.ids)
        for image_id in images:
            if image_id not in known:
                raise unknown(image_id, known, [self.path])
        return list(images) or list(self.ids)


def holds_images(kind: str) -> bool:
    """Whether an artifact of that kind can be opened as a `Source`."""
    return kind in (*kinds.names(), *OPENERS)


@contextlib.contextmanager
def opened(path: Path, of: Surroundings) -> Iterator[Source]:
    """The artifact `path`, open until the block ends; a UserError if it is of no such kind, or cannot be read."""
    kind = identify.identify(path)
    if kind in kinds.names():
        form = kinds.find(kind)
        with Store(path, form) as store:
            own = store.about()[1]
            names = ("background", *(own if own is not None else of.classes))
            known = names if len(names) > 1 else ()
            yield Source(path, kind, store.ids(), store.__getitem__, form.data_sets, known, store.left_out)
    elif kind in OPENERS:
        yield OPENERS[kind](path, of)
    else:
        raise UserError(f"{path}: expected something that holds images or maps, found a {kind}; {identify.known()}")


def _names(of: Surroundings) -> Sequence[str]:
    return ("background", *of.classes) if of.classes else ()


def _label_maps(path: Path, of: Surroundings) -> Source:
    def read(image_id: str) -> Arrays:
        return {"labels": read_labels(path / f"{image_id}.png")}

    ids = identify.label_maps_below(path)
    return Source(
        path, identify.LABELS, ids, lambda one: {"labels": read_labels(path / f"{one}.png")}, LABELS, _names(of)
    )


def _label_map(path: Path, of: Surroundings) -> Source:
    return Source(path, identify.LABEL_MAP, [path.stem], lambda _: {"labels": read_labels(path)}, LABELS, _names(of))


def _ground_truth(path: Path, of: Surroundings) -> Source:
    def read(image_id: str) -> Arrays:
        labels = of.truth(image_id)
        if labels is None:
            raise UserError(f"{truth.masks[image_id]}: no such label image (named by {path})")
        return {"labels": labels}

    truth = read_ground_truth(path)
    return Source(path, "ground_truth", sorted(truth.masks), read, TRUTH, _names(of))


def _boxes(path: Path, of: Surroundings) -> Source:
    found = read_boxes(path)

    def read(image_id: str) -> Arrays:
        rows = [(one.label, *one.box, one.difficult) for one in found[image_id]]
        return {"boxes": np.array(rows, np.int32).reshape(-1, 6)}

    return Source(path, "boxes", sorted(found), read, BOXES, _names(of))


def _manifest(path: Path, of: Surroundings) -> Source:
    found = read_manifest(path)
    ids = [entry.id for entry in found.entries]
    return Source(path, "manifest", ids, lambda _: {}, {}, ("background", *found.classes))


OPENERS: dict[str, Callable[[Path, Surroundings], Source]] = {
    identify.LABELS: _label_maps,
    identify.LABEL_MAP: _label_map,
    "ground_truth": _ground_truth,
    "boxes": _boxes,
    "manifest": _manifest,
}
