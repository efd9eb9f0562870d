"""Segment photographs with a trained network, by the functions of the step `predict`, large ones in tiles."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from wsss_steps import methods, predict
from wsss_steps.afterwards.networks import Trained
from wsss_steps.afterwards.tiles import Tile, common_step, tiles
from wsss_steps.data.images import read_image, resize_image
from wsss_steps.data.manifest import Entry
from wsss_steps.data.originals import resized_labels, working_size
from wsss_steps.errors import UserError
from wsss_steps.methods import per_image
from wsss_steps.nets.inference import label_logits
from wsss_steps.ops import crf as dense
from wsss_steps.processes import Workers, then

T = TypeVar("T")
Pixels = NDArray[np.uint8]
LOWERS = "--tile"  # the option that lowers the memory per image
NOTHING: Pixels = np.zeros((0, 0), np.uint8)


@dataclass(frozen=True)
class Job:
    """A photograph to segment: the name of its results, its file, and the classes 1..C that may appear, or None."""

    name: str
    path: Path
    tags: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Options:
    """How to segment. `prediction`: the settings of `predict`, but for split and tags, which are those of a job.

    max_side: px; larger photographs are read at that size. tile, overlap: px; with tile None all are read at once.
    """

    prediction: dict[str, Any]
    max_side: int | None
    tile: int | None
    overlap: int


@dataclass
class Canvas:
    """A photograph that is being segmented, tile by tile.

    image: (H, W, 3) as it is read; size: height and width of the photograph, px. found: (H, W), the label map so far;
    scores: (n, H, W), probabilities of `labels` before the dense CRF in 1/255, if they are kept. problem: what went
    wrong, after which the rest is left out.
    """

    job: Job
    image: Pixels = field(default_factory=lambda: NOTHING)
    size: tuple[int, int] = (0, 0)
    labels: Sequence[int] = ()
    found: Pixels = field(default_factory=lambda: NOTHING)
    scores: Pixels | None = None
    problem: str = ""
    left: int = 1

    def label_map(self) -> Pixels:
        """The labels at the size of the photograph."""
        return resized_labels(self.found, self.size)

    def attempt(self, function: Callable[[], T]) -> T | None:
        """What `function` returns; None, and the problem is noted, for a UserError or if memory runs out."""
        entry = Entry(self.job.name, "", str(self.job.path), self.image.shape[0], self.image.shape[1], ())
        if self.problem:
            return None
        try:
            with per_image.memory_of(entry, LOWERS):
                return function()
        except UserError as error:
            self.problem = str(error)
            return None


@dataclass(frozen=True)
class Segmenting:
    """Segments photographs with one network; `with_scores` says whether their probabilities are kept."""

    trained: Trained
    options: Options
    with_scores: bool = False

    def of_all(self, jobs: Sequence[Job]) -> Iterator[Canvas]:
        """Every photograph when it is done, in order; dense CRFs are computed in as many processes as are allowed."""
        with Workers(len(jobs)) as workers:
            for canvas, finish in workers.in_order(self._parts(jobs, workers)):
                canvas.attempt(finish)
                canvas.left -= 1
                if not canvas.left:
                    yield canvas

    def _parts(self, jobs: Sequence[Job], workers: Workers) -> Iterator[tuple[Canvas, Callable[[], None]]]:
        """The tiles of all photographs: what is begun of each, and the function that puts its result on the canvas."""
        for job in jobs:
            canvas = Canvas(job)
            found = canvas.attempt(functools.partial(self._read, canvas)) or []
            canvas.left = max(1, len(found))
            if not found:
                yield canvas, _nothing
            for tile in found:
                yield canvas, canvas.attempt(functools.partial(self._begin, canvas, tile, workers)) or _nothing

    def _read(self, canvas: Canvas) -> list[Tile]:
        """Read the photograph; its tiles."""
        image = read_image(canvas.job.path)
        canvas.size = (image.shape[0], image.shape[1])
        canvas.image = resize_image(image, working_size(*canvas.size, self.options.max_side))
        tags = canvas.job.tags
        canvas.labels = range(len(self.trained.names)) if tags is None else [0, *tags]
        shape = canvas.image.shape[:2]
        canvas.found = np.zeros(shape, np.uint8)
        canvas.scores = np.zeros((len(canvas.labels), *shape), np.uint8) if self.with_scores else None
        step = common_step(self.trained.network.stride, self.options.prediction["scales"])
        return list(tiles(canvas.image.shape[:2], self.options.tile, self.options.overlap, step))

    def _begin(self, canvas: Canvas, tile: Tile, workers: Workers) -> Callable[[], None]:
        """Begin a tile; the function waits for its labels and puts what is kept of them on the canvas."""
        rows, columns = tile
        image = np.ascontiguousarray(canvas.image[rows.read, columns.read])
        settings = self.options.prediction
        logits = self.trained.logits(image, **methods.arguments(label_logits, settings))
        if canvas.scores is not None:
            shares = torch.softmax(logits[list(canvas.labels)], dim=0)[:, rows.kept, columns.kept]
            canvas.scores[:, rows.target, columns.target] = (shares * 255).round().to(torch.uint8).cpu().numpy()
        preset, competing = dense.preset_of(settings["crf"]), methods.arguments(predict.label_maps, settings)
        maps = predict.label_maps(logits, image, canvas.labels, preset, **competing)

        def put(maps: per_image.Arrays) -> None:
            canvas.found[rows.target, columns.target] = maps["after_crf"][rows.kept, columns.kept]

        return workers.begin(then(maps, put))


def _nothing() -> None:
    """Of a photograph with a problem."""
