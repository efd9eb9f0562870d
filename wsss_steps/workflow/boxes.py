"""The rows of `boxes.csv`: class activation maps that are scored by the boxes around them. Free of torch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from wsss_steps.workflow.choices import NONE
from wsss_steps.workflow.config import Config
from wsss_steps.workflow.spelling import THEN, links
from wsss_steps.workflow.stages import TRAIN


@dataclass(frozen=True)
class BoxRow:
    """One link of the chain of maps of a run; `name` is that of the recipe, `cams` has the links up to it."""

    name: str
    random_seed: int | None
    classifier: str
    cams: str

    @property
    def score(self) -> str:
        """The file of its score, below the results."""
        return f"{self.classifier}/{self.cams}/evaluation/boxes/{TRAIN}.json"


def rows(config: Config) -> Iterator[BoxRow]:
    """The rows of the table: of each run, the maps of each link of its chain."""
    for run in config.runs:
        chain = links(run.recipe.cams)
        for count in range(1, len(chain) + 1):
            if run.recipe.cams != NONE:
                yield BoxRow(run.name, run.random_seed, run.recipe.classifier, THEN.join(chain[:count]))


def table(config: Config) -> list[str]:
    """The table as a target, if the data set has boxes and a recipe has maps."""
    return ["<tables>/boxes.csv"] if config.boxes is not None and any(rows(config)) else []


def scores(config: Config) -> list[str]:
    """The score of every row."""
    return [f"<results>/{row.score}" for row in rows(config)]


def settings_of_table(config: Config) -> str:
    """What a score does not know of its row, in the order of the scores, and the classes."""
    found = [{"recipe": row.name, "random_seed": row.random_seed, "cams": row.cams} for row in rows(config)]
    return json.dumps({"rows": found, "classes": config.classes}, sort_keys=True)
