"""All pictures of one image in the gallery, and what the page says of it. Free of torch: processes import it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from wsss_steps.data.images import read_image, resize_image, resize_nearest
from wsss_steps.data.manifest import Entry
from wsss_steps.data.originals import Originals, as_original
from wsss_steps.formats.image_scores import read_image_scores
from wsss_steps.formats.indexed import write_indexed
from wsss_steps.formats.kinds.confusions import CONFUSIONS
from wsss_steps.formats.stores import Store
from wsss_steps.ops import evaluation
from wsss_steps.report.layers import KINDS, Given, Panel
from wsss_steps.report.measures import Layer, Measure

PHOTOGRAPHS = "photographs"  # folder beside those of the layers
OPENED: dict[tuple[str, str], Any] = {}  # sources of this process, which draws many images

Row = dict[str, Any]


@dataclass(frozen=True)
class Board:
    """What the pictures of all images have in common."""

    folder: Path
    classes: tuple[str, ...]
    layers: tuple[Layer, ...]
    """As `workflow/pictures.py` describes them, their files as paths."""
    measures: tuple[Measure, ...]
    side: int
    map_side: int
    quality: int
    pred_ignore: str
    """Whether unlabelled pixels count against IoU, as in `evaluate`."""
    originals: Originals = field(default_factory=dict)
    """Of the images of which a copy is read: folders of label maps have the size of the original."""


def folder_of(layer: int) -> str:
    """The folder of the pictures of a layer."""
    return f"{layer:02d}"


def draw(board: Board, number: int, entry: Entry) -> Row:
    """Write the pictures of an image, named by its `number` in the gallery; returns its row of the page's data."""
    size = _draw_photograph(board, number, entry)
    panels: list[Any] = []
    scored: list[Any] = []
    maps: dict[int, Any] = {}
    for index, layer in enumerate(board.layers):
        if layer["split"] != entry.split:
            continue
        kind = KINDS[layer["kind"]]
        sized = as_original(entry, board.originals) if layer["source"].is_dir() else entry
        found = kind.read(_opened(layer["kind"], layer["source"]), sized)
        if found is None:
            continue
        maps |= {index: resize_nearest(found, (entry.height, entry.width))} if kind.labels else {}
        given = Given(entry, label_size(size, board.side), board.map_side, board.classes, _scores(board, layer, entry))
        panels.append([index, [_drawn(board, index, number, panel) for panel in kind.panels(found, given)]])
        scored += [[index, *iou] for iou in _ious(board, layer, entry)]
    return {
        "id": entry.id,
        "split": entry.split,
        "size": list(size),
        "tags": list(entry.tags),
        "truth": _truth_of(board, maps),
        "panels": panels,
        "iou": scored,
        "values": [measure.of(maps) for measure in board.measures],
    }


def label_size(size: tuple[int, int], side: int) -> tuple[int, int]:
    """Height and width of the label maps over a photograph of `size`: so many times as large as `side` allows.

    So their outlines are thin on small images as well, which a browser enlarges.
    """
    times = max(1, side // max(size))
    return size[0] * times, size[1] * times


def close() -> None:
    """Close the sources that this process has opened."""
    for source in OPENED.values():
        if hasattr(source, "close"):
            source.close()
    OPENED.clear()


def _opened(kind: str, path: Path) -> Any:
    if (kind, str(path)) not in OPENED:
        OPENED[kind, str(path)] = KINDS[kind].open(path)
    return OPENED[kind, str(path)]


def _draw_photograph(board: Board, number: int, entry: Entry) -> tuple[int, int]:
    """Write the photograph; returns its height and width as shown."""
    scale = min(1.0, board.side / max(entry.height, entry.width))
    size = max(1, round(entry.height * scale)), max(1, round(entry.width * scale))
    photograph = resize_image(read_image(Path(entry.image)), size)
    target = board.folder / PHOTOGRAPHS / f"{number:06d}.jpg"
    Image.fromarray(photograph).save(target, format="JPEG", quality=board.quality)
    return size


def _drawn(board: Board, layer: int, number: int, panel: Panel) -> list[Any]:
    """Write the pictures of a panel; returns suffix, caption, class and score, as far as there are any."""
    for part, (indices, palette) in panel.pictures.items():
        write_indexed(board.folder / folder_of(layer) / f"{number:06d}{panel.suffix}{part}.png", indices, palette)
    score = None if panel.score is None else round(panel.score, 3)
    row: list[Any] = [panel.suffix, panel.caption, panel.label, score]
    while row and row[-1] in (None, ""):
        row.pop()
    return row


def _scores(board: Board, layer: Layer, entry: Entry) -> tuple[float, ...]:
    """The classifier's scores of an image; none if they are not known."""
    path = layer["scores"]
    if path is None:
        return ()
    if ("scores", str(path)) not in OPENED:
        OPENED["scores", str(path)] = read_image_scores(path, board.classes)
    found: tuple[float, ...] = OPENED["scores", str(path)].get(entry.id, ())
    return found


def _ious(board: Board, layer: Layer, entry: Entry) -> Iterator[list[Any]]:
    """Mean IoU of an image, and [class, IoU] of each class in its prediction or truth; nothing if it is not scored."""
    path = layer["confusions"]
    if path is None:
        return
    if ("confusions", str(path)) not in OPENED:
        OPENED["confusions", str(path)] = Store(path, CONFUSIONS)
    store = OPENED["confusions", str(path)]
    if entry.id in store:
        yield iou_of(store[entry.id]["confusion"], board.pred_ignore)


def iou_of(confusion: np.ndarray, pred_ignore: str) -> list[Any]:
    """Mean IoU of an image, None if there is nothing to measure, and [class, IoU] of each class, from its confusion.

    Classes are those in its truth or prediction, background too: of one image, others would say nothing.
    """
    found = evaluation.measures(confusion, pred_ignore=pred_ignore, absent="nan_skip")
    known = [[label, round(float(value), 4)] for label, value in enumerate(found.iou) if not math.isnan(value)]
    return [None if math.isnan(found.miou) else round(found.miou, 4), known]


def _truth_of(board: Board, maps: Mapping[int, np.ndarray]) -> list[int] | None:
    """The classes in the ground truth of an image; None if it has none."""
    for index, labels in maps.items():
        if board.layers[index]["kind"] == "ground_truth":
            return [label for label in map(int, np.unique(labels)) if 1 <= label <= len(board.classes)]
    return None
