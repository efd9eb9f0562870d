"""The tables over random seeds: means, differences between recipes, scores per class and by object size.

Every score is a fraction. `n` counts the runs that differ: where a recipe's networks are the same for all random seeds,
such as a classifier with `~seed=0` in its choice, it is 1. Deviations are those of a sample (n - 1), empty for one run.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wsss_steps.ops.bootstrap import interval_over_seeds, resampled_miou
from wsss_steps.ops.evaluation import mean_of_known, ratios
from wsss_steps.ops.object_size import iou_by_size, size_of_objects
from wsss_steps.report.tables import DECLARED, MEANS, PROTOCOL

PLACE = ("stage", "split")
DIFFERENCES = (*PLACE, "recipe", "other", "n", "difference", "ci_low", "ci_high", "better")
AVERAGED = ["fp", "fn", "pixel_acc", "coverage", "precision"]
Row = dict[str, Any]


@dataclass(frozen=True)
class Scored:
    """What the runs of all recipes got right at one stage of one split, on the same images."""

    stage: str
    split: str
    classes: Sequence[str]
    """Background first."""
    runs: Mapping[str, Mapping[str, int]]
    """Recipe -> random seed, "" if there is none -> number of the run in `counts`; runs that are the same have one."""
    counts: NDArray[np.float64]
    """(runs, images, 3, classes), `evaluation.triples` of each image."""
    truth: NDArray[np.int64]
    """(images, classes), pixels of each class in the ground truth."""
    settings: Mapping[str, Any]
    """`absent`, `bootstrap`, `seed` of `Evaluate`; `object_sizes` of `CompareRecipes`."""

    @cached_property
    def iou(self) -> NDArray[np.float64]:
        """(runs, classes), over all images."""
        return ratios(self.counts.sum(axis=1), self.settings["absent"])[0]

    @cached_property
    def miou(self) -> NDArray[np.float64]:
        """(runs,)."""
        return mean_of_known(self.iou)

    @cached_property
    def drawn(self) -> NDArray[np.float64]:
        """(runs, draws), mIoU over the images of each draw."""
        given = self.settings
        return resampled_miou(self.counts, draws=given["bootstrap"], seed=given["seed"], absent=given["absent"])

    def place(self) -> Row:
        """Stage and split, as in each table."""
        return {"stage": self.stage, "split": self.split}

    def different(self, recipe: str) -> list[int]:
        """The numbers of a recipe's runs, each once."""
        return list(dict.fromkeys(self.runs[recipe].values()))

    def interval(self, values: NDArray[np.float64]) -> dict[str, float]:
        """The interval of the mean over random seeds, of values (random seeds, draws)."""
        low, high = interval_over_seeds(values, seed=self.settings["seed"])
        return {"ci_low": low, "ci_high": high}


def deviation(values: NDArray[np.float64]) -> float:
    """Of a sample; NaN for one value."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")


def joined(values: pd.Series[str]) -> str:
    """Different texts, each once."""
    return "; ".join(dict.fromkeys(filter(None, values)))


def means(scored: Scored, summary: pd.DataFrame) -> Iterator[Row]:
    """A row for each recipe; `summary` are the rows of summary.csv, whose other scores and protocol it repeats."""
    for recipe in scored.runs:
        chosen = scored.different(recipe)
        found = scored.miou[chosen]
        mine = summary[(summary[[*PLACE, "recipe"]] == [scored.stage, scored.split, recipe]).all(axis=1)]
        row = {"recipe": recipe, **scored.place(), "n": len(chosen), "miou": found.mean(), "sd": deviation(found)}
        row |= {"min": found.min(), "max": found.max(), **scored.interval(scored.drawn[chosen])}
        row |= {name: pd.to_numeric(mine[name]).mean() for name in AVERAGED}
        yield row | {name: joined(mine[name]) for name in ("images", *PROTOCOL, *DECLARED)}


def differences(scored: Scored) -> Iterator[Row]:
    """A row for each pair of recipes: mIoU of the later one minus that of the other, with the same random seed each."""
    for other, recipe in itertools.combinations(scored.runs, 2):
        ours, theirs = scored.runs[recipe], scored.runs[other]
        pairs = list(dict.fromkeys((ours[seed], theirs[seed]) for seed in ours if seed in theirs))
        first, second = ([pair[side] for pair in pairs] for side in (0, 1))
        found = scored.miou[first] - scored.miou[second]
        row = {**scored.place(), "recipe": recipe, "other": other, "n": len(pairs), "difference": found.mean()}
        yield row | scored.interval(scored.drawn[first] - scored.drawn[second]) | {"better": int((found > 0).sum())}


def per_class(scored: Scored) -> Iterator[Row]:
    """A row for each class of each recipe."""
    pixels = scored.truth.sum(axis=0)
    for recipe in scored.runs:
        found = scored.iou[scored.different(recipe)]
        for number, name in enumerate(scored.classes):
            row = {"recipe": recipe, **scored.place(), "class": name, "n": len(found)}
            row |= {"iou": found[:, number].mean(), "sd": deviation(found[:, number])}
            yield row | {"share": pixels[number] / max(pixels.sum(), 1)}


def by_size(scored: Scored) -> Iterator[Row]:
    """A row for each size of objects of each recipe."""
    bounds = [0.0, *scored.settings["object_sizes"], 1.0]
    sizes = size_of_objects(scored.truth, bounds[1:-1])
    iou, objects = iou_by_size(scored.counts, sizes, len(bounds) - 1)
    for recipe in scored.runs:
        found = iou[scored.different(recipe)]
        for number, (low, high) in enumerate(itertools.pairwise(bounds)):
            row = {"recipe": recipe, **scored.place(), "from": low, "to": high, "n": len(found)}
            row |= {"iou": found[:, number].mean(), "sd": deviation(found[:, number])}
            yield row | {"objects": int(objects[number])}


@dataclass(frozen=True)
class Tables:
    """The tables of a configuration."""

    means: pd.DataFrame
    differences: pd.DataFrame
    per_class: pd.DataFrame
    by_size: pd.DataFrame


def tables(groups: Iterator[Scored], summary: pd.DataFrame) -> Tables:
    """The tables, each with the rows of one stage and split after those of another; groups are taken one at a time."""
    rows: dict[str, list[Row]] = {"means": [], "differences": [], "per_class": [], "by_size": []}
    for scored in groups:
        rows["means"] += means(scored, summary)
        rows["differences"] += differences(scored)
        rows["per_class"] += per_class(scored)
        rows["by_size"] += by_size(scored)
    order = {name: number for number, name in enumerate(dict.fromkeys(summary["recipe"]))}
    found = pd.DataFrame(rows["means"], columns=list(MEANS))
    return Tables(
        found.sort_values("recipe", key=lambda names: names.map(order), kind="stable"),
        pd.DataFrame(rows["differences"], columns=list(DIFFERENCES)),
        pd.DataFrame(rows["per_class"]),
        pd.DataFrame(rows["by_size"]),
    )
