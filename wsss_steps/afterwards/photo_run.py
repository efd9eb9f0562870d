"""`segment`: all photographs that are named, from the first file to the list of those that could not be segmented."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from wsss_steps.afterwards import photographs, results, runs, tags
from wsss_steps.afterwards.networks import Trained, load
from wsss_steps.afterwards.overlays import overlay
from wsss_steps.afterwards.results import LABELS, OVERLAYS, SCORES, Made, Results
from wsss_steps.afterwards.segmenting import Canvas, Job, Options, Segmenting
from wsss_steps.data.images import opened
from wsss_steps.errors import UserError, all_wrong
from wsss_steps.formats import pictures
from wsss_steps.nets.families import family_of
from wsss_steps.progress import track
from wsss_steps.provenance.digests import code_digest, file_digest
from wsss_steps.provenance.stamp import stamp
from wsss_steps.settings import crf
from wsss_steps.settings.steps import Predict
from wsss_steps.training import devices

log = logging.getLogger(__name__)
STEP = "segment"


@dataclass(frozen=True)
class Request:
    """What the user asked for.

    words: photographs, folders, patterns. changes: settings that replace those of the run, `crf` by the name of a
    preset. tags: as `tags.tags_of` reads them; without any, all classes compete.
    """

    words: tuple[str, ...]
    model: Path
    out: Path
    changes: Mapping[str, Any]
    tile: int | None
    overlap: int
    device: str
    tags: str | None = None
    overlay: bool = True
    scores: bool = False
    replace: bool = False


def segment(request: Request) -> str:
    """Segment; returns what was done, in words. At the end a UserError lists the photographs that failed."""
    with devices.leased(request.device) as device:
        trained = load(request.model, device)
        found, others = photographs.find(request.words, request.out)
        named = photographs.named(found, results.names_in(request.out))
        known = tags.tags_of(request.tags, named, trained.classes) if request.tags is not None else {}
        options = _options(request)
        kinds = (LABELS, *([OVERLAYS] if request.overlay else []), *([SCORES] if request.scores else []))
        for suffix, count in sorted(others.items()):
            log.info("passed over %d files %s, which cannot be read: save them as JPEG", count, suffix)
        about = _stamp(request, trained, options, device)
        with results.opened(request.out, kinds, trained.classes, about, replace=request.replace) as folder:
            rows, wrong = _looked_at(named, known, trained)
            waiting = [row for row in rows if not folder.has(row)]
            jobs = [Job(row.name, named[row.name].path, known.get(row.name)) for row in waiting]
            wrong += _done(
                jobs, {row.name: row for row in waiting}, folder, Segmenting(trained, options, request.scores)
            )
    done = f"{len(rows) - len(waiting)} were done before; " if len(rows) > len(waiting) else ""
    all_wrong(
        f"photographs that could not be segmented; the other {len(named) - len(wrong)} are in {request.out}", wrong
    )
    return f"{len(named)} photographs: {done}label maps in {request.out / LABELS}"


def _options(request: Request) -> Options:
    """The settings of the run, and those that replace them; said in a line of the log."""
    if request.tile is not None and not 0 <= request.overlap < request.tile:
        raise UserError(f"--overlap: expected 0 to {request.tile - 1} px, less than --tile, found {request.overlap}")
    settings, source = runs.of_run(request.model)
    settings |= _checked(request.changes)
    because = f"as the run did, says {source}" if source else "defaults: no predictions of a run lie beside the network"
    log.info("%s (%s)", _said(settings), because)
    max_side = settings.pop("max_side")
    return Options(settings, max_side, request.tile, request.overlap)


def _checked(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that the user gave, the dense CRF in numbers; a UserError for one that `predict` would refuse."""
    of_prediction = {name: value for name, value in changes.items() if name in runs.OF_PREDICTION}
    try:
        checked = Predict(**of_prediction).model_dump(mode="json")
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(f"--{'.'.join(map(str, first['loc']))}: {first['msg']}, found {first['input']}") from None
    found = {name: checked[name] for name in of_prediction}
    return {**changes, **found} | ({"crf": crf.numbers(found["crf"])} if "crf" in found else {})


def _said(settings: Mapping[str, Any]) -> str:
    """The settings in words."""
    names = [name for name in crf.names() if crf.numbers(name) == settings["crf"]]
    words = [
        f"scales {', '.join(f'{scale:g}' for scale in settings['scales'])}",
        f"{'with' if settings['flip'] else 'without'} mirror images",
        f"dense CRF: {names[0] if names else 'with numbers of its own'}",
        f"read at {settings['max_side']} px at most" if settings["max_side"] else "read at full size",
    ]
    return "; ".join(words)


def _stamp(request: Request, trained: Trained, options: Options, device: str) -> str:
    """What makes the results: `crf` in numbers, the digest of the code, the checksum of the network."""
    tiled = {"max_side": options.max_side, "tile": options.tile, "overlap": options.overlap}
    content = trained.content
    family = family_of(content["network"]["backbone"]["net"])
    modules = [f"methods.{trained.slot}.{content['method']}", f"nets.backbones.{family}"]
    code = code_digest("afterwards.segmenting", modules)
    inputs = {"segmenter": request.model}
    return stamp(STEP, settings=options.prediction | tiled, code=code, device=device, inputs=inputs)


def _looked_at(
    named: Mapping[str, photographs.Found], known: Mapping[str, tags.Tags], trained: Trained
) -> tuple[list[Made], list[str]]:
    """A row for each photograph that can be opened, and what is wrong with the others."""
    rows, wrong = [], []
    for name, one in track(named.items(), len(named), "photographs looked at"):
        try:
            with opened(one.path) as image:
                height, width = pictures.upright_size(image)
            listed = ";".join(trained.classes[tag - 1] for tag in known[name]) if name in known else "any"
            rows.append(Made(name, one.place, file_digest(one.path), height, width, listed))
        except UserError as error:
            wrong.append(str(error))
    return rows, wrong


def _done(jobs: list[Job], rows: Mapping[str, Made], folder: Results, segmenting: Segmenting) -> list[str]:
    """Segment and write; returns the problems."""
    wrong = []
    for canvas in track(segmenting.of_all(jobs), len(jobs), "photographs"):
        name = canvas.job.name
        if not canvas.problem:
            _write(canvas, folder, segmenting.trained)
            folder.made[name] = rows[name]
        else:
            wrong.append(canvas.problem)
    return wrong


def _write(canvas: Canvas, folder: Results, trained: Trained) -> None:
    """Write the results of one photograph, the label map last."""
    name, labels = canvas.job.name, canvas.label_map()
    if canvas.scores is not None:
        folder.write_scores(name, canvas.scores, canvas.labels, trained.classes)
    if OVERLAYS in folder.kinds:
        folder.write_overlay(name, overlay(canvas.image, labels, trained.names))
    folder.write_labels(name, labels)
