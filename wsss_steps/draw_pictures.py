"""Draw the pictures of the report's gallery: photographs, and layers of every recipe that a browser lays over them."""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wsss_steps.cli import main
from wsss_steps.data.manifest import Entry, Manifest, read_manifest
from wsss_steps.data.originals import read_originals
from wsss_steps.errors import all_wrong
from wsss_steps.formats.files import IN_A_FOLDER, whole, write_json
from wsss_steps.formats.kinds.confusions import CONFUSIONS
from wsss_steps.formats.stores import Store
from wsss_steps.ops.overlays import WHITE
from wsss_steps.processes import Later, Workers
from wsss_steps.progress import track
from wsss_steps.report import layers, pictures, samples
from wsss_steps.report.measures import Layer, measures_of
from wsss_steps.report.pictures import Board, Row
from wsss_steps.report.scripts import data_script

log = logging.getLogger(__name__)

DATA = "data.js"
FILES = ("source", "confusions", "scores")


def with_paths(
    found: Sequence[Layer],
    sources: Sequence[Path],
    truths: Sequence[Path],
    tables: Sequence[Path],
    scores: Sequence[Path],
) -> tuple[Layer, ...]:
    """The layers with files in place of their numbers in the lists."""
    rows = []
    for layer in found:
        lists = (truths if layer["kind"] == "ground_truth" else sources, tables, scores)
        named = zip(FILES, lists, strict=True)
        rows.append({**layer, **{key: None if layer[key] is None else paths[layer[key]] for key, paths in named}})
    return tuple(rows)


def ranks_of(chosen: Sequence[Layer], split: str, pred_ignore: str) -> dict[str, float]:
    """By image id, mean IoU averaged over what the recipes end with on a split; of scored images alone."""
    found: dict[str, list[float]] = {}
    for layer in chosen:
        if layer["split"] == split and layer["final"] and layer["confusions"] is not None:
            with Store(layer["confusions"], CONFUSIONS) as store:
                for name in store.ids():
                    mean, _ = pictures.iou_of(store[name]["confusion"], pred_ignore)
                    found.setdefault(name, []).extend([] if mean is None else [mean])
    return {name: float(np.mean(values)) for name, values in found.items() if values}


def chosen_images(
    data: Sequence[Manifest], chosen: Sequence[Layer], settings: dict[str, Any]
) -> tuple[list[Entry], list[Row]]:
    """The images of the gallery, and of each split its name, number of images, and how they were chosen."""
    splits = {one.entries[0].split: list(one.entries) for one in data if one.entries}
    counts = samples.allotted(settings["images"], {name: len(entries) for name, entries in splits.items()})
    found, rows = [], []
    for name, entries in splits.items():
        few = len(entries) > counts[name]
        ranks = ranks_of(chosen, name, settings["pred_ignore"]) if few else {}
        images, how = samples.sample(entries, ranks, counts[name], settings["seed"])
        found += images
        rows.append({"name": name, "images": len(entries), "shown": len(images), "how": how})
    return found, rows


def check_present(entries: Sequence[Entry], chosen: Sequence[Layer]) -> None:
    """A UserError that lists every image that a layer lacks."""
    missing = []
    for layer in chosen:
        if not layers.KINDS[layer["kind"]].of_all_images:
            continue
        source = layers.KINDS[layer["kind"]].open(layer["source"])
        with source:  # type: ignore[union-attr]
            have = set(source.ids())  # type: ignore[union-attr]
        missing += [
            f"{one.id}: not in {layer['source']}"
            for one in entries
            if one.split == layer["split"] and one.id not in have
        ]
    all_wrong("images of the manifest that a layer of the gallery lacks; make it again from this manifest", missing)


def drawn(board: Board, entries: Sequence[Entry]) -> list[Row]:
    """Draw all images in as many processes as the job has threads; returns their rows, in order."""
    for name in [pictures.PHOTOGRAPHS, *map(pictures.folder_of, range(len(board.layers)))]:
        (board.folder / name).mkdir()
    with Workers(len(entries)) as workers:
        jobs: Iterator[Later[Row]] = (
            Later(functools.partial(pictures.draw, board, *item)) for item in enumerate(entries)
        )
        begun: Iterator[Callable[[], Row]] = map(workers.begin, jobs)
        try:
            return [result() for result in track(workers.in_order(begun), len(entries), "images")]
        finally:
            pictures.close()


def page_data(board: Board, data: Manifest, splits: list[Row], recipes: list[str], images: list[Row]) -> Row:
    """What page/gallery.js reads."""
    rows = [
        {
            **{key: layer[key] for key in ("kind", "row", "split", "recipes", "choice", "final")},
            "folder": pictures.folder_of(number),
            "parts": list(layers.KINDS[layer["kind"]].parts.items()),
            "scored": layer["confusions"] is not None,
        }
        for number, layer in enumerate(board.layers)
    ]
    return {
        "dataset": data.dataset,
        "classes": list(data.classes),
        "colours": [WHITE, *layers.COLOURS[1 : len(data.classes) + 1].tolist()],
        "splits": splits,
        "recipes": recipes,
        "layers": rows,
        "measures": [measure.row() for measure in board.measures],
        "images": images,
    }


def run(
    *,
    manifests: list[Path],
    ground_truths: list[Path],
    sources: list[Path],
    confusions: list[Path],
    scores: list[Path],
    output: Path,
    settings: dict[str, Any],
    stamp: str = "",
) -> None:
    """Write the folder `output`: photographs, a folder of pictures per layer, and `data.js`.

    `settings`: those of `DrawPictures`, `pred_ignore` of `evaluate`, `recipes` (names), and `layers`, as
    `workflow/pictures.py` describes them: `source`, `confusions` and `scores` of a layer are places in the lists of
    files. `manifests` has one file per split. UserError if a source lacks an image.
    """
    data = [read_manifest(path) for path in manifests]
    found = with_paths(settings["layers"], sources, ground_truths, confusions, scores)
    entries, splits = chosen_images(data, found, settings)
    check_present(entries, found)
    given = {key: settings[key] for key in ("side", "map_side", "quality", "pred_ignore")}
    with whole(output) as folder:
        folder.mkdir()
        write_json(folder / IN_A_FOLDER, json.loads(stamp or "{}"))
        originals = {name: one for path in manifests for name, one in read_originals(path).items()}
        board = Board(folder, data[0].classes, found, tuple(measures_of(found)), **given, originals=originals)
        rows = drawn(board, entries)
        content = page_data(board, data[0], splits, settings["recipes"], rows)
        (folder / DATA).write_text(data_script("gallery", content), encoding="ascii")
    for split in splits:
        log.info("%s: %s", split["name"], split["how"])


if __name__ == "__main__":
    main(run)
