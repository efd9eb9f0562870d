"""The stages of a recipe that are scored: one table, read by rules, evaluation, summary and gallery. Free of torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from wsss_steps.workflow.choices import NONE, OWN
from wsss_steps.workflow.config import SLOTS_OF_A_RECIPE, Config, Recipe


@dataclass(frozen=True)
class Stage:
    """What a stage writes, and how it comes about."""

    place: str
    """File or folder below the folders of the recipe's choices; `{split}` in it, if it is of a held-out split."""
    depth: int
    """How many of the recipe's choices lead to it."""
    kind: Literal["cams", "seeds", "label_maps"]
    """What its predictions are: a kind of store, or a folder of label maps."""
    network: Literal["classifier", "segmenter"]
    """The network that makes them; `Row.network` knows which of a recipe that is."""
    crf: bool = False
    """Whether a dense CRF follows the network."""

    @property
    def held_out(self) -> bool:
        """Whether it is of images that nothing was learnt from, else of the training images."""
        return "{split}" in self.place


STAGES = {
    "cams": Stage("cams.h5", 2, "cams", "classifier"),
    "seeds": Stage("seeds.h5", 4, "seeds", "classifier"),
    "pseudo_labels": Stage("pseudo_labels", 5, "label_maps", "segmenter", crf=True),
    "segmentation": Stage("segmentation/{split}", 5, "label_maps", "segmenter"),
    "segmentation_crf": Stage("segmentation_crf/{split}", 5, "label_maps", "segmenter", crf=True),
}
TRAIN = "train"


@dataclass(frozen=True)
class Row:
    """A row of the summary: a stage of a run on a split; `name` is that of the recipe."""

    name: str
    recipe: Recipe
    stage: str
    split: str
    random_seed: int | None = None

    @property
    def score(self) -> str:
        """The file of its score, below the results."""
        return f"{self._evaluation}.json"

    @property
    def confusions(self) -> str:
        """The store of its confusion matrices, below the results."""
        return f"{self._evaluation}.h5"

    @property
    def _evaluation(self) -> str:
        return f"{self.recipe.lineage(STAGES[self.stage].depth)}/evaluation/{self.stage}/{self.split}"

    @property
    def network(self) -> Literal["classifier", "segmenter"] | None:
        """The kind of network that made its predictions: None for maps without a classifier."""
        single_stage = self.recipe.segmenter == OWN
        made_by = "classifier" if single_stage else STAGES[self.stage].network
        return None if made_by == "classifier" and self.recipe.classifier == NONE else made_by

    @property
    def checkpoint(self) -> str | None:
        """The file of that network, below the results."""
        lineage = self.recipe.lineage(1 if self.network == "classifier" else len(SLOTS_OF_A_RECIPE))
        return f"{lineage}/{self.network}.safetensors" if self.network else None


def scored_splits(config: Config) -> list[str]:
    """The held-out splits with tags and masks."""
    return [split for split in config.splits if split not in config.unscored]


def exists(recipe: Recipe, stage: str) -> bool:
    """Whether a recipe has the stage: its last slot is not `none`."""
    slot = SLOTS_OF_A_RECIPE[STAGES[stage].depth - 1]
    return bool(getattr(recipe, slot) != NONE)


def rows(config: Config) -> list[Row]:
    """The rows of the summary: of each run, its stages of the training images, then those of each split."""
    places = [(name, TRAIN) for name, stage in STAGES.items() if not stage.held_out]
    places += [(name, split) for split in scored_splits(config) for name, stage in STAGES.items() if stage.held_out]
    return [
        Row(run.name, run.recipe, stage, split, run.random_seed)
        for run in config.runs
        for stage, split in places
        if exists(run.recipe, stage)
    ]
