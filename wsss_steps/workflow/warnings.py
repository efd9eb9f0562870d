"""What the warnings of a run rest on: tags, label maps and scores of classifiers, no ground truth. Free of torch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wsss_steps.workflow import stages, targets
from wsss_steps.workflow.config import Config, Recipe
from wsss_steps.workflow.configuration import step_settings
from wsss_steps.workflow.stages import STAGES, TRAIN

MAPS = ("seeds", "pseudo_labels", "segmentation_crf")  # the stages that are label maps a user ends with, or starts from


def manifests(config: Config) -> list[str]:
    """The manifest of the training images, then of each held-out split."""
    return [f"<results>/splits/{split}/manifest.json" for split in (TRAIN, *config.splits)]


def maps(config: Config) -> list[str]:
    """The label maps of all runs, each once."""
    return [f"<results>/{path}" for path in _maps(config)]


def scores(config: Config) -> list[str]:
    """The scores of the tags that classifiers predict."""
    return [f"<results>/{path}" for _, _, path in targets.tag_scores(config)]


def settings(config: Config) -> str:
    """The limits, and what each of the inputs is: its split, whether that has tags, and the runs that it is of."""
    runs = [{"recipe": run.name, "random_seed": run.random_seed} for run in config.runs]
    scored = [
        {"split": split, "runs": [number for number, run in enumerate(config.runs) if run.recipe.classifier == name]}
        for name, split, _ in targets.tag_scores(config)
    ]
    about = {"splits": [TRAIN, *config.splits], "maps": list(_maps(config).values()), "scores": scored, "runs": runs}
    return step_settings(config, "find_warnings", **about)


def _maps(config: Config) -> dict[str, dict[str, Any]]:
    """What the label maps of all runs are, by their path below the results."""
    found: dict[str, dict[str, Any]] = {}
    for number, run in enumerate(config.runs):
        for stage, split in _stages(config, run.recipe):
            place = f"{run.recipe.lineage(STAGES[stage].depth)}/{STAGES[stage].place.format(split=split)}"
            about = {"stage": stage, "split": split, "tagged": split not in config.unscored, "runs": list[int]()}
            found.setdefault(place, about)["runs"].append(number)
    return found


def _stages(config: Config, recipe: Recipe) -> Iterator[tuple[str, str]]:
    """Stage and split of the label maps of a recipe; without a segmenter its seeds are the pseudo-labels."""
    for stage in MAPS:
        if stages.exists(recipe, stage):
            yield from ((stage, split) for split in (config.splits if STAGES[stage].held_out else [TRAIN]))
