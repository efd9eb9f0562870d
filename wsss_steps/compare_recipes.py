"""Compare recipes over random seeds: means, paired differences, scores per class and by object size."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wsss_steps.cli import main
from wsss_steps.errors import all_wrong
from wsss_steps.formats.files import write_text
from wsss_steps.formats.kinds.confusions import CONFUSIONS
from wsss_steps.formats.stores import Store
from wsss_steps.ops.evaluation import triples
from wsss_steps.report import experiments, markdown
from wsss_steps.report.tables import read, write

log = logging.getLogger(__name__)

ROUNDING = 1e-6  # of the mIoU in summary.csv


@dataclass(frozen=True)
class Counts:
    """What one store counts: of each image, `evaluation.triples`, and the pixels of each class in the ground truth."""

    ids: list[str]
    classes: list[str]
    triples: NDArray[np.float64]
    truth: NDArray[np.int64]


def read_counts(path: Path, pred_ignore: str) -> Counts:
    """The counts in a store of confusion matrices, which are larger; classes with background first."""
    with Store(path, CONFUSIONS) as store:
        ids, classes = store.ids(), ["background", *(store.about()[1] or [])]
        found = [store[image_id]["confusion"] for image_id in ids]
    confusions = np.array(found, np.int64).reshape(-1, len(classes), len(classes) + 1)
    return Counts(ids, classes, triples(confusions, pred_ignore).astype(np.float64), confusions.sum(axis=2))


def groups(summary: pd.DataFrame, confusions: list[Path], settings: dict[str, Any]) -> Iterator[experiments.Scored]:
    """What the rows of each stage and split got right, one after the other: their counts are large."""
    together = summary.reset_index(drop=True).groupby(["stage", "split"], sort=False)
    for _, rows in together:
        yield scored(rows, [confusions[number] for number in rows.index], settings)


def scored(rows: pd.DataFrame, paths: list[Path], settings: dict[str, Any]) -> experiments.Scored:
    """What the rows of one stage and split, each with its store, got right.

    A UserError if the stores hold other images, or do not give the mIoU that the rows have.
    """
    numbers = {path: number for number, path in enumerate(dict.fromkeys(paths))}
    stores = [read_counts(path, settings["pred_ignore"]) for path in numbers]
    first, place = stores[0], rows.iloc[0]
    problems = [
        f"{path}: expected the {len(first.ids)} images of {paths[0]}, found {len(one.ids)} images, not all the same"
        for path, one in zip(numbers, stores, strict=True)
        if one.ids != first.ids
    ]
    all_wrong("confusion matrices of different images", problems)
    runs: dict[str, dict[str, int]] = {}
    for recipe, seed, path in zip(rows["recipe"], rows["random_seed"], paths, strict=True):
        runs.setdefault(recipe, {})[seed] = numbers[path]
    counts = np.stack([one.triples for one in stores])
    found = experiments.Scored(place["stage"], place["split"], first.classes, runs, counts, first.truth, settings)
    computed = found.miou[[numbers[path] for path in paths]]
    written = pd.to_numeric(rows["miou"]).to_numpy(np.float64)
    problems = [
        f"{path}: expected the mIoU {one:.6f} of summary.csv, found {other:.6f}"
        for path, one, other in zip(paths, written, computed, strict=True)
        if not np.isclose(one, other, rtol=0, atol=ROUNDING, equal_nan=True)
    ]
    all_wrong("confusion matrices of other scores than the summary's", problems)
    return found


def run(
    *,
    summary: Path,
    confusions: list[Path],
    means: Path,
    differences: Path,
    per_class: Path,
    by_size: Path,
    tables: Path,
    settings: dict[str, Any],
    stamp: str = "",
) -> None:
    """Write the tables as CSV, scores as fractions with six decimals, and for people as Markdown.

    `confusions` are the stores of the rows of `summary`, in its order. `settings`: `object_sizes` of `CompareRecipes`
    and all but the thresholds of `Evaluate`. A UserError if summary and stores do not belong together.
    """
    rows = read(summary)
    if len(rows) != len(confusions):
        raise ValueError(
            f"expected a store of confusion matrices for each of {len(rows)} rows, found {len(confusions)}"
        )
    found = experiments.tables(groups(rows, confusions, settings), rows)
    texts = {means: found.means, differences: found.differences, per_class: found.per_class, by_size: found.by_size}
    for path, frame in texts.items():
        write(path, frame)
    write_text(tables, markdown.document(found))
    log.info("wrote %s", tables)


if __name__ == "__main__":
    main(run)
