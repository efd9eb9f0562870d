"""Compare the predictions of one stage with the ground truth: one confusion matrix per image, and the score.

For class activation maps the background threshold with the best mIoU on the ground truth is chosen, and the score
says so.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsss_steps.cli import main
from wsss_steps.data.class_maps import read_cam
from wsss_steps.data.manifest import Entry, GroundTruth, read_ground_truth, read_manifest
from wsss_steps.data.originals import at_working_size, read_originals
from wsss_steps.errors import all_wrong
from wsss_steps.formats.files import VERSION, write_json
from wsss_steps.formats.kinds.cams import CAMS
from wsss_steps.formats.kinds.confusions import CONFUSIONS
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.formats.label_maps import LabelMaps
from wsss_steps.formats.stores import Store, write_store
from wsss_steps.ops import evaluation
from wsss_steps.ops.bootstrap import bootstrap_miou
from wsss_steps.progress import track

log = logging.getLogger(__name__)

FOR_SCORE, FOR_THRESHOLD = "evaluation", "evaluation and choice of the threshold"
Labels = NDArray[np.uint8]
Count = Callable[[Entry], NDArray[np.int64]]


def labels_of(source: LabelMaps | Store, entry: Entry, threshold: float | None) -> Labels:
    """The labels (H, W) of one image: those of label maps, or of class maps at a threshold."""
    if isinstance(source, LabelMaps):
        return source[entry.id]
    if threshold is None:
        raise ValueError("class maps have labels at a threshold only, found none")
    return evaluation.cam_labels(*read_cam(source, entry), threshold)


def counted(entries: Sequence[Entry], count: Count, what: str) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Image id and count of every entry; at the end, a UserError that lists all entries that could not be counted."""
    problems = []
    for entry in track(entries, len(entries), what):
        try:
            yield entry.id, count(entry)
        except ValueError as error:  # another size, or values that are no class
            problems.append(f"{entry.id}: {error}")
    all_wrong("predictions that do not fit the ground truth", problems)


def check_present(entries: Sequence[Entry], source: LabelMaps | Store) -> None:
    """A UserError if a prediction is missing: a score over the others would look like one over all."""
    have = set(source.ids())
    missing = [entry.id for entry in entries if entry.id not in have]
    all_wrong(f"{source.path}: images without a prediction, of {len(entries)}", missing)


def best_threshold(
    entries: Sequence[Entry], truth: GroundTruth, store: Store, classes: int, settings: dict[str, Any]
) -> tuple[float, list[dict[str, float | None]]]:
    """The threshold with the highest mIoU (the lowest of ties), and the mIoU at each."""
    values = sorted(set(settings["thresholds"]))
    thresholds = np.array(values, np.float32)

    def count(entry: Entry) -> NDArray[np.int64]:
        maps, present = read_cam(store, entry)
        return evaluation.cam_confusions(truth.labels(entry.id), maps, present, thresholds, classes)

    total = np.zeros((len(thresholds), classes + 1, classes + 2), np.int64)
    for _, confusions in counted(entries, count, "thresholds"):
        total += confusions
    scores = [evaluation.measures(confusion, **policies(settings)).miou for confusion in total]
    sweep = [{"threshold": value, "miou": number(score)} for value, score in zip(values, scores, strict=True)]
    return values[int(np.argmax(scores))], sweep


def policies(settings: dict[str, Any]) -> dict[str, str]:
    """The settings that define the measures."""
    return {"pred_ignore": settings["pred_ignore"], "absent": settings["absent"]}


def number(value: float) -> float | None:
    """None for NaN, which JSON lacks."""
    return None if math.isnan(value) else float(value)


def score_of(confusions: NDArray[np.int64], classes: Sequence[str], settings: dict[str, Any]) -> dict[str, Any]:
    """The content of a score, from the confusion matrices of its images (N, C + 1, C + 2)."""
    total = confusions.sum(axis=0, dtype=np.int64)
    found = evaluation.measures(total, **policies(settings))
    low, high = bootstrap_miou(confusions, draws=settings["bootstrap"], seed=settings["seed"], **policies(settings))
    covered, precise, coverage, precision = evaluation.coverage_and_precision(total)
    names = ["background", *classes]
    per_class = [
        {
            "class": name,
            "iou": number(found.iou[index]),
            "fp": number(found.fp[index]),
            "fn": number(found.fn[index]),
            "coverage": number(covered[index]),
            "precision": number(precise[index]),
            "pixels": int(total[index].sum()),
        }
        for index, name in enumerate(names)
    ]
    unseen = (total.sum(axis=1) == 0) & (total[:, :-1].sum(axis=0) == 0)
    return {
        "miou": number(found.miou),
        "ci_low": number(low),
        "ci_high": number(high),
        "fp": number(found.mean_fp),
        "fn": number(found.mean_fn),
        "pixel_acc": number(found.pixel_accuracy),
        "coverage": number(coverage),
        "precision": number(precision),
        "images": len(confusions),
        "absent_classes": [name for name, missing in zip(names, unseen, strict=True) if missing],
        "per_class": per_class,
        "policies": policies(settings),
    }


def scored_entries(entries: list[Entry], truth: GroundTruth, split: str) -> list[Entry]:
    """The entries that have ground truth: all, none, or the `scored_list` (`prepare_masks` checks that)."""
    scored = [entry for entry in entries if entry.id in truth.masks]
    if not scored:
        log.warning("no image of split '%s' has ground truth: the score is empty", split)
    return scored


def run(
    *,
    manifest: Path,
    ground_truth: Path,
    predictions: Path,
    output: Path,
    score: Path,
    settings: dict[str, Any],
    stamp: str = "",
) -> None:
    """Score `predictions`; `settings` are those of `Evaluate`, and `stage`, `kind` and `split`.

    `predictions` is a store (`kind`: cams or seeds) or a folder of label images `<id>.png` (label_maps). Writes
    `output`, a store with one confusion matrix per image, and `score`, JSON with fractions in [0, 1], null where there
    is nothing to measure (everywhere if no image of the split has ground truth). UserError if a prediction is missing
    or does not fit. Stores are scored at the size at which images are read, label maps at that of the image.
    """
    stage, kind, split = settings["stage"], settings["kind"], settings["split"]
    data, truth = read_manifest(manifest), read_ground_truth(ground_truth)
    entries, classes = scored_entries(data.split(split), truth, split), len(data.classes)
    if kind != "label_maps":  # these alone have the size of the user's file
        truth = at_working_size(truth, entries, read_originals(manifest))
    opened: LabelMaps | Store = Store(predictions, CAMS) if kind == "cams" else LabelMaps(predictions, SEEDS)
    with opened as source:
        check_present(entries, source)
        threshold: float | None = None
        sweep: list[dict[str, float | None]] = []
        if isinstance(source, Store) and entries:
            threshold, sweep = best_threshold(entries, truth, source, classes, settings)

        def count(entry: Entry) -> NDArray[np.int64]:
            return evaluation.confusion(truth.labels(entry.id), labels_of(source, entry, threshold), classes)

        confusions = dict(counted(entries, count, "images"))
    items = ((name, {"confusion": table}) for name, table in confusions.items())
    write_store(output, CONFUSIONS, items, stamp=stamp, classes=list(data.classes))
    stacked = np.array(list(confusions.values()), np.int64).reshape(-1, classes + 1, classes + 2)
    content = {
        "format": "wsss/score",
        "version": VERSION,
        "stage": stage,
        "split": split,
        **score_of(stacked, data.classes, settings),
        "threshold": threshold,
        "gt_used_for": "nothing" if not entries else FOR_THRESHOLD if sweep else FOR_SCORE,
        "sweep": sweep,
        "provenance": json.loads(stamp or "{}"),
    }
    write_json(score, content)
    log.info("%s, %s: mIoU %s over %d images", stage, split, content["miou"], len(entries))


if __name__ == "__main__":
    main(run)
