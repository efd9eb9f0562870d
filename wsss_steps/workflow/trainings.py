"""How many networks the runs of a configuration train, and how many of them they share. Free of torch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from wsss_steps.settings.saliency import source
from wsss_steps.workflow.choices import NONE, OWN, chain, resolve
from wsss_steps.workflow.config import SLOTS_OF_A_RECIPE, Config, Recipe
from wsss_steps.workflow.experiments import choices_of
from wsss_steps.workflow.given import is_given
from wsss_steps.workflow.spelling import THEN, links

TRAINED = ("classifier", "segmenter")  # slots whose choices train a network each; of a chain, each link does


def checkpoints(config: Config, recipe: Recipe) -> list[str]:
    """The files of the networks that are trained for a recipe, below the results."""
    found = [path for slot in TRAINED for path in _of_slot(recipe, slot)]
    found += _of_refiners(config, recipe)
    return list(dict.fromkeys([*found, *_of_other_choices(config, recipe)]))


def _of_slot(recipe: Recipe, slot: str) -> Iterator[str]:
    """The network of each link of the chain in a slot; its folder has the links up to it in its name."""
    number, chain = SLOTS_OF_A_RECIPE.index(slot), links(getattr(recipe, slot))
    for count, link in enumerate(chain, 1):
        if link not in (NONE, OWN) and not (slot == "classifier" and is_given(slot, link)):
            yield "/".join(filter(None, [recipe.lineage(number), THEN.join(chain[:count]), f"{slot}.safetensors"]))


def _of_refiners(config: Config, recipe: Recipe) -> Iterator[str]:
    """The networks of refiners that have one of their own."""
    found = chain(config, "cams", recipe.cams)
    for count, link in enumerate(found, 1):
        if "refiner" in link.needs:
            folder = THEN.join(one.name for one in found[:count])
            yield f"{recipe.classifier}/{folder}/refiner.safetensors"


def _of_other_choices(config: Config, recipe: Recipe) -> Iterator[str]:
    """Classifiers that a choice names, saliency detectors, and keys trained on the data set's own images."""
    for slot, text in choices_of(config, recipe.choices()):
        settings = resolve(config, slot, text).settings
        if slot == "classifier" and not is_given(slot, text):
            yield f"{text}/classifier.safetensors"
        if slot == "saliency" and source(settings)[0] == "pairs":
            yield f"saliency/{text}/detector.safetensors"
        if slot == "features" and settings.get("weights") == "pretrain_keys":
            yield "features/vit.safetensors"


def trainings(config: Config) -> tuple[int, list[str]]:
    """How many networks the runs use, counted once for each run, and the files of the distinct ones."""
    used = [path for run in config.runs for path in checkpoints(config, run.recipe)]
    return len(used), list(dict.fromkeys(used))


def planned(config: Config) -> str:
    """What a dry run says of the trainings: how many are shared, how many are new."""
    used, distinct = trainings(config)
    made = sum(Path(config.results, path).is_file() for path in distinct)
    recipes, seeds = len({run.name for run in config.runs}), len(config.random_seeds)
    product = f" ({recipes} recipe(s) x {seeds} random seed(s))" if seeds else ""
    return (
        f"Trainings of {len(config.runs)} run(s){product}: {used} networks, {used - len(distinct)} of them shared; "
        f"{len(distinct)} are distinct: {made} exist already, {len(distinct) - made} are new"
    )
