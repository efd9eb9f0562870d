"""Find what is good and bad in a run without any ground truth, from tags, label maps and classifier scores alone."""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsss_steps.cli import main
from wsss_steps.data.manifest import Manifest, read_manifest, tag_matrix
from wsss_steps.errors import all_wrong
from wsss_steps.formats.files import VERSION, read_json, write_json
from wsss_steps.processes import Later, Workers
from wsss_steps.progress import track
from wsss_steps.report import label_warnings, tag_warnings
from wsss_steps.report.counted import Maps, counted
from wsss_steps.report.tables import labelled
from wsss_steps.report.tag_warnings import Tags
from wsss_steps.report.warnings import KIND, in_order, printed
from wsss_steps.settings.warnings import FindWarnings

log = logging.getLogger(__name__)
TRAIN = "train"
PER_CLASS = {"per_class", "mistakes"}  # which scores lack that older versions of this program made


def read_maps(
    paths: Sequence[Path], about: Sequence[Mapping[str, Any]], data: Mapping[str, Manifest], names: Sequence[str]
) -> Iterator[Maps]:
    """The label maps that `about` describes, counted in as many processes as allowed; `names` are those of all runs."""
    entries = {split: given.split(split) for split, given in data.items()}
    classes, images = data[TRAIN].classes, {split: [one.id for one in given] for split, given in entries.items()}
    calls: list[Later[NDArray[np.int64]]] = [
        Later(functools.partial(counted, path, images[one["split"]], len(classes)))
        for path, one in zip(paths, about, strict=True)
    ]
    with Workers(sum(len(images[one["split"]]) for one in about)) as workers:
        begun: Iterator[Callable[[], NDArray[np.int64]]] = (workers.begin(call) for call in calls)
        found = track(workers.in_order(begun), len(calls), "label maps")
        for one, counts in zip(about, found, strict=True):
            split, recipes = one["split"], tuple(names[run] for run in one["runs"])
            tags = tag_matrix(entries[split], len(classes)) > 0 if one["tagged"] else None
            yield Maps(one["stage"], split, recipes, classes, images[split], counts(), tags)


def read_scores(
    paths: Sequence[Path], about: Sequence[Mapping[str, Any]], names: Sequence[str]
) -> list[tuple[tuple[str, ...], dict[str, Any]]]:
    """The recipes and the content of each score of predicted tags; a UserError that lists the wrong ones."""
    found = [read_json(path, "tag_score") for path in paths]
    wrong = [
        f"{path}: expected scores of each class of split {one['split']}, found split {score['split']}"
        + ("" if score.keys() >= PER_CLASS else ", over all classes alone; delete the file to have it made again")
        for path, one, score in zip(paths, about, found, strict=True)
        if score["split"] != one["split"] or not score.keys() >= PER_CLASS
    ]
    all_wrong("scores of other splits, or of an older version", wrong)
    return [(tuple(names[run] for run in one["runs"]), score) for one, score in zip(about, found, strict=True)]


def numbers_of(recipe: str, maps: Sequence[Maps], scores: Sequence[tuple[tuple[str, ...], Any]]) -> dict[str, Any]:
    """What `warnings.json` says of one recipe: its pseudo-labels, seeds, predictions and predicted tags."""
    own = {(one.stage, one.split): one.numbers() for one in maps if recipe in one.recipes}
    seeds = own.get(("seeds", TRAIN))
    labels = own.get(("pseudo_labels", TRAIN), seeds) or {"what": None, "classes": []}
    predictions = {split: found for (stage, split), found in own.items() if stage == "segmentation_crf"}
    names = ("split", "images", "f1", "precision", "recall", "per_class")
    tags = [{name: score[name] for name in names} for recipes, score in scores if recipe in recipes]
    coverage = None if seeds is None or seeds["unlabelled"] is None else round(1 - seeds["unlabelled"], 6)
    return {**labels, "coverage": coverage, "seeds": seeds, "predictions": predictions, "tags": tags}


def run(
    *,
    manifests: list[Path],
    maps: list[Path],
    scores: list[Path],
    output: Path,
    settings: dict[str, Any],
    stamp: str = "",
) -> None:
    """Write `output`, JSON: the limits, the warnings, most important first, and the numbers of every recipe.

    Args:
        manifests: of the training images, then of each held-out split.
        maps: folders of label maps, or stores of seeds.
        scores: of predicted tags.
        output: the file.
        settings: those of `FindWarnings`; `runs`: {"recipe", "random_seed"} of each; `splits`: of each manifest;
            `maps`: of each {"stage", "split", "tagged", "runs"}, the runs by number; `scores`: of each {"split",
            "runs"}.
        stamp: provenance.

    A UserError if an image has no label map, or a bad one.
    """
    data = {name: read_manifest(path) for name, path in zip(settings["splits"], manifests, strict=True)}
    names = [labelled(one["recipe"], one["random_seed"]) for one in settings["runs"]]
    limits = {name: settings[name] for name in FindWarnings.model_fields}
    tags = Tags.of(data[TRAIN])
    read = list(read_maps(maps, settings["maps"], data, names))
    scored = read_scores(scores, settings["scores"], names)
    found = [
        *tag_warnings.of_tags(tags, limits),
        *(one for given in read for one in label_warnings.of_maps(given, limits)),
        *(one for given in scored for one in tag_warnings.of_score(*given, limits)),
    ]
    content = {
        "format": f"wsss/{KIND}",
        "version": VERSION,
        "limits": limits,
        "warnings": [one.content() for one in in_order(found)],
        "tags": tags.numbers(),
        "recipes": {name: numbers_of(name, read, scored) for name in names},
        "provenance": json.loads(stamp or "{}"),
    }
    write_json(output, content)
    log.info("%s", printed(output))


if __name__ == "__main__":
    main(run)
