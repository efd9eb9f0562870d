"""The stages of a recipe that are scored: one table, read by rules, evaluation, summary and gallery. Free of torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from wsss_steps.workflow.config import Config, Recipe


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
    """The network that makes them."""
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
    def checkpoint(self) -> str:
        """The file of the network that made its predictions, below the results."""
        network = STAGES[self.stage].network
        return f"{self.recipe.lineage(1 if network == 'classifier' else 5)}/{network}.safetensors"


def scored_splits(config: Config) -> list[str]:
    """The held-out splits with tags and masks."""
    return [split for split in config.splits if split not in config.unscored]


def rows(config: Config) -> list[Row]:
    """The rows of the summary: of each run, the stages of the training images, then those of each split."""
    places = [(name, TRAIN) for name, stage in STAGES.items() if not stage.held_out]
    places += [(name, split) for split in scored_splits(config) for name, stage in STAGES.items() if stage.held_out]
    return [Row(run.name, run.recipe, *place, run.random_seed) for run in config.runs for place in places]
