"""Draw the plots of a run as SVG: scores per class, thresholds of maps, and trainings, for each recipe."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
from matplotlib.figure import Figure

from wsss_steps.cli import main
from wsss_steps.errors import UserError
from wsss_steps.formats.files import IN_A_FOLDER, read_json, whole, write_json
from wsss_steps.report import plots

ALL = "all recipes"  # the folder of plots that are of no recipe alone
CLASSES, THRESHOLDS, TRAINING = "iou_per_class.svg", "thresholds.svg", "training.svg"

log = logging.getLogger(__name__)


def draw_classes(folder: Path, table: Path) -> None:
    """Of each recipe its stages; of all recipes the last stage of the table."""
    frame = read(table, ["recipe", "stage", "split", "class", "iou", "sd"])
    frame["place"] = frame["stage"] + " of " + frame["split"]
    last = frame["place"].iloc[-1]
    plots.save(bars_by(frame[frame["place"] == last], "recipe", last), folder / ALL / CLASSES)
    for recipe, rows in frame.groupby("recipe", sort=False):
        plots.save(bars_by(rows, "place", str(recipe)), folder / folder_of(str(recipe)) / CLASSES)


def bars_by(frame: pd.DataFrame, column: str, title: str) -> Figure:
    """A bar for each value of `column`, of each class, in their order in the table."""
    classes, names = frame["class"].unique(), frame[column].unique()
    iou, sd = (frame.pivot(index="class", columns=column, values=value).loc[classes, names] for value in ("iou", "sd"))
    return plots.bars(iou, sd, title)


def named(frames: Sequence[pd.DataFrame], numbers: Mapping[str, int]) -> dict[str, pd.DataFrame]:
    """The frames of these numbers by their names, in the order of the frames."""
    return {name: frames[number] for name, number in sorted(numbers.items(), key=lambda item: item[1])}


def folder_of(recipe: str) -> str:
    """The folder of a recipe's plots; signs that a folder cannot have are quoted, and so is the space of `ALL`."""
    quoted = quote(recipe, safe="~=+,()[]")
    return quoted.replace(".", "%2E") if not quoted.strip(".") else quoted


def read(table: Path, columns: list[str]) -> pd.DataFrame:
    """A table with these columns; a UserError if it is none, or has no rows."""
    try:
        frame = pd.read_csv(table)
    except (OSError, ValueError) as error:
        raise UserError(f"{table}: not a readable table ({error}); delete it to have it made again") from None
    if not set(columns) <= set(frame) or frame.empty:
        raise UserError(f"{table}: expected rows with the columns {columns}, found {len(frame)} with {list(frame)}")
    return frame


def run(
    *,
    per_class: Path | None = None,
    maps: list[Path],
    histories: list[Path],
    output: Path,
    settings: dict[str, Any],
    stamp: str = "",
) -> None:
    """Write the folder `output` of `<recipe>/<plot>.svg`.

    Args:
        per_class: the table of that name, if there is ground truth.
        maps: scores of class activation maps.
        histories: tables of the epochs of trainings.
        output: folder; the plots of all recipes lie in `all recipes`.
        settings: `recipes`: of each, by their names in its plots, the numbers of its `maps` and `histories`.
        stamp: provenance.
    """
    curves = [pd.DataFrame(read_json(path, "score")["sweep"]).dropna() for path in maps]
    tables = [read(path, ["epoch", "loss"]) for path in histories]
    with whole(output) as folder:
        folder.mkdir()
        if per_class is not None:
            draw_classes(folder, per_class)
        for recipe, own in settings["recipes"].items():
            if found := {name: frame for name, frame in named(curves, own["maps"]).items() if len(frame)}:
                plots.save(plots.thresholds(found, recipe), folder / folder_of(recipe) / THRESHOLDS)
            if found := named(tables, own["histories"]):
                plots.save(plots.training(found), folder / folder_of(recipe) / TRAINING)
        write_json(folder / IN_A_FOLDER, json.loads(stamp or "{}"))
    log.info("wrote %s", output)


if __name__ == "__main__":
    main(run)
