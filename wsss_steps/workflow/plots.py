"""The plots of a run, and which files they are made of. Free of torch and of Snakemake."""

from __future__ import annotations

import json
from typing import Any

from wsss_steps.workflow import page, trainings
from wsss_steps.workflow.config import Config
from wsss_steps.workflow.stages import STAGES, Row, rows

MAPS = [name for name, stage in STAGES.items() if stage.kind == "cams"]


def scores_per_class(config: Config) -> list[str]:
    """The table of the scores per class, if there is ground truth."""
    return ["<tables>/per_class.csv"] if config.mask_folder is not None else []


def _maps(config: Config) -> list[Row]:
    """The rows of the summary that are of maps, which have a threshold."""
    return [row for row in rows(config) if row.stage in MAPS] if config.mask_folder is not None else []


def scores_of_maps(config: Config) -> list[str]:
    """The scores of the maps, those that recipes share once."""
    return list(dict.fromkeys(f"<results>/{row.score}" for row in _maps(config)))


def settings(config: Config) -> str:
    """Of each recipe, the numbers of the scores and histories that are its own, with their names in the plots."""
    networks, maps = trainings.trainings(config)[1], scores_of_maps(config)
    recipes: dict[str, dict[str, Any]] = {run.name: {"maps": {}, "histories": {}} for run in config.runs}
    for row in _maps(config):
        recipes[row.name]["maps"][_seeded(row.stage, row.random_seed)] = maps.index(f"<results>/{row.score}")
    for run in config.runs:
        for path in trainings.checkpoints(config, run.recipe):
            recipes[run.name]["histories"][path] = networks.index(path)
    return json.dumps({"recipes": recipes}, sort_keys=True)


def _seeded(name: str, random_seed: int | None) -> str:
    return name if random_seed is None else f"{name}, random seed {random_seed}"


histories = page.histories
