"""From the user's config to the settings of every step: validated in full before any job is planned. Free of torch."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from wsss_steps.errors import UserError, all_wrong
from wsss_steps.settings import crf
from wsss_steps.settings.data_set import Prepare
from wsss_steps.settings.explain import explain
from wsss_steps.settings.registry import METHODS
from wsss_steps.settings.saliency import missing_source, source
from wsss_steps.workflow import conversion, experiments, given, names, splits, strong
from wsss_steps.workflow.choices import NONE, OWN, Choice, chain, choices_in, keys_of, name_of, resolve, settings_class
from wsss_steps.workflow.config import GROUND_TRUTH, SLOTS_OF_A_RECIPE, WHOLE, Config, Recipe

OF_EVERY_METHOD = {"seeds": "cams", "segmenter": "seeds"}
"""What every method of a slot is given, by the slot that makes it; what some methods need stands on their settings."""


def _problems_of_choice(config: Config, where: str, slot: str, text: str) -> list[str]:
    """What is wrong with one choice, with each link of a chain, their files of weights, and the choices they name."""
    try:
        found = chain(config, slot, text)
    except UserError as error:
        return [f"{where}: {error}"]
    problems = []
    for choice in found:
        own = given.is_given(choice.slot, choice.method)
        found_wrong = given.problems(config, choice) if own else _problems_of_files(choice)
        problems += [f"{where}: {slot} '{text}': {problem}" for problem in found_wrong]
        for key, inner in choices_in(settings_class(choice.slot, choice.method)).items():
            named = choice.settings[key]
            if named == GROUND_TRUTH and config.mask_folder is None:
                problems.append(f"{where}: {slot} '{text}': {key} {GROUND_TRUTH} needs a mask_folder, found none")
            if named != GROUND_TRUTH and where != slot:
                problems += _problems_of_choice(config, where, inner, named)
    return problems


def _problems_of_files(choice: Choice) -> Iterator[str]:
    """What is wrong with the file of weights of a choice, and with what its saliency maps are made from."""
    path = choice.weights_file()
    if path is not None:
        if problem := names.problem_of_path(path):
            yield f"weights: {problem}"
        elif not Path(path).is_file():
            yield f"no such file of weights: {path}"
    if choice.slot == "saliency":
        kind, place = source(choice.settings)
        if kind == "weights" and "pairs" not in choice.settings:
            return  # they are its only weights, which were looked at above
        if kind != "features" and (problem := names.problem_of_path(place)):
            yield f"{kind}: {problem}"
        elif missing := missing_source(choice.settings):
            yield missing


def _problems_of_names(config: Config) -> Iterator[str]:
    """What is wrong with the paths of the data set, and with the names of the folders of its results."""
    fields = (field for field in Prepare.model_fields if field.endswith(("_list", "_folder", "_csv", "boxes")))
    given = {"root": config.root, **{field: getattr(config, field) for field in fields}}
    given |= {f"splits.{name}": path for name, path in config.splits.items()}
    # an empty folder is the root itself
    below = {key: path for key, path in given.items() if path or (path == "" and not key.endswith("_folder"))}
    if config.draw is not None and below.pop("root", None):
        yield (
            f"root: expected none beside draw, which draws a data set of its own into {config.data_folder}, found "
            f"'{config.root}'; leave out one of the two"
        )
    yield from names.problems_of_paths(below)
    yield from (
        f"{key}: {problem}"
        for key, text in (("name", config.name), ("tables", config.tables))
        if text and (problem := names.problem_of_name(text))
    )
    yield from names.problems_of_results(
        config.name or config.dataset, {name: recipe.lineage() for name, recipe in config.recipes.items()}
    )


def _problems_of_choices(config: Config) -> list[str]:
    """What is wrong with recipes, with methods named in the config, and with files of weights."""
    wanted = [
        (f"recipes.{name}", slot, getattr(recipe, slot))
        for name, recipe in config.recipes.items()
        for slot in SLOTS_OF_A_RECIPE
    ]
    wanted += [("compare_superpixels", "superpixels", text) for text in config.compare_superpixels]
    wanted += [(slot, slot, method) for slot in METHODS for method in getattr(config, slot)]
    problems = [problem for choice in wanted for problem in _problems_of_choice(config, *choice)]
    if NONE in config.compare_superpixels:
        problems.append("compare_superpixels: expected superpixels that can be measured, found 'none'")
    return problems or [
        f"recipes.{name}: {problem}"
        for name, recipe in config.recipes.items()
        for problem in _problems_of_needs(config, recipe)
    ]


def _problems_of_needs(config: Config, recipe: Recipe) -> Iterator[str]:
    """What the methods of a recipe need and its other slots do not have; `none` is fine in a slot that nobody needs."""
    for slot in SLOTS_OF_A_RECIPE:
        for number, choice in enumerate(chain(config, slot, getattr(recipe, slot))):
            first = OF_EVERY_METHOD.get(slot) if number == 0 and choice.method not in (NONE, OWN) else None
            needs = [*choice.needs, *([first] if first and not given.is_given(slot, choice.method) else [])]
            missing = (need for need in needs if choice.named.get(need, getattr(recipe, need, "")) == NONE)
            yield from (f"{slot} '{choice.method}' needs {need}, found {need} 'none'" for need in missing)
            if more := _needs_of_seeds(config, choice):
                found = choice.named["seeds"]
                yield f"{slot} '{choice.method}': expected seeds that need no {more} of the recipe, found {found}"
            if choice.method == OWN and not _segments(config, recipe.classifier):
                yield f"segmenter 'own' needs a classifier that segments, found {recipe.classifier}; {_segmenting()}"
    if {recipe.cams, recipe.seeds, recipe.segmenter} == {NONE}:
        yield "expected maps, seeds or a segmenter, found 'none' in all of these slots"


def _segments(config: Config, classifier: str) -> bool:
    """Whether a choice of a classifier is a single-stage network."""
    return settings_class("classifier", resolve(config, "classifier", classifier).method).segments


def _segmenting() -> str:
    """The classifiers that segment, for errors."""
    found = sorted(cls.model_fields["method"].default for cls in METHODS["classifier"] if cls.segments)
    return f"those that do: {', '.join(found) or 'none'}"


def _needs_of_seeds(config: Config, choice: Choice) -> str:
    """What the seeds that a choice names need of other slots of a recipe, which the choice does not know."""
    if "seeds" not in choice.named:
        return ""
    seeds = resolve(config, "seeds", choice.named["seeds"])
    return " and ".join(need for need in seeds.needs if need in SLOTS_OF_A_RECIPE and need not in seeds.named)


def load(content: Mapping[str, Any]) -> Config:
    """Validate a whole config; a UserError that lists everything wrong with it."""
    try:
        config = WHOLE(**_with_nulls(content))
    except ValidationError as error:
        lines = [
            line.replace(": unknown key", f": unknown key; known keys: {keys_of(WHOLE)}") if "." not in line else line
            for line in explain(error)
        ]
        raise UserError("config:\n" + "\n".join(f"  {line}" for line in lines)) from None
    config, of_files = _completed(config)
    recipes = experiments.multiplied(config)
    every = {name: recipe for found in recipes.values() for name, recipe in found.items()}
    config = config.model_copy(update={"recipes": every})
    problems = [*_problems_of_choices(config), *_problems_of_names(config), *experiments.problems(config, recipes)]
    problems += of_files
    if config.convert is not None and (config.draw, config.images) != (None, None):
        problems.append("convert: expected no draw and no images beside it, found some; leave out one of the two")
    problems += [] if problems else strong.problems(config)  # it asks choices, which must be known
    if config.device.startswith("cuda:") and config.gpus_per_training > 1:
        problems.append(
            f"device: expected auto or cuda for gpus_per_training {config.gpus_per_training}, found {config.device}"
        )
    all_wrong("config", sorted(set(problems), key=_with_numbers))
    config = _spelled_alike(config)
    config = config if config.convert is None else conversion.applied(config)
    return config.with_runs(experiments.all_runs(config, recipes))


def _with_nulls(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content with None for the text null, which is what `--config mask_folder=null` gives Snakemake."""
    nested = {key: _with_nulls(value) if isinstance(value, Mapping) else value for key, value in content.items()}
    return {key: None if value == "null" else value for key, value in nested.items()}


def _completed(config: Config) -> tuple[Config, list[str]]:
    """The config with what the files of the data set decide, and what is wrong with them."""
    root = config.root if config.images is None else config.images
    if config.draw is not None or any(map(names.problem_of_path, [root, *splits.list_files(config).values()])):
        return config.model_copy(update={"root": root}), []
    if config.convert is not None:
        return config, conversion.problems(config)
    keys, problems = splits.completed(Path(root), config)
    return config.model_copy(update={"root": root, **keys}), problems


def _with_numbers(line: str) -> list[tuple[int, str]]:
    """What lines are sorted by: line 9 comes before line 10."""
    return [(int(part) if part.isdecimal() else 0, part) for part in re.split(r"(\d+)", line)]


def _spelled_alike(config: Config) -> Config:
    """The same config, its choices in their one spelling, so that equal ones share their folders."""
    recipes = {
        name: recipe.model_copy(
            update={slot: name_of(config, slot, getattr(recipe, slot)) for slot in SLOTS_OF_A_RECIPE}
        )
        for name, recipe in config.recipes.items()
    }
    compared = dict.fromkeys(resolve(config, "superpixels", text).name for text in config.compare_superpixels)
    return config.model_copy(update={"recipes": recipes, "compare_superpixels": tuple(compared)})


def step_settings(config: Config, step: str, **fixed: Any) -> str:
    """The settings of a step without methods, and `fixed` ones beside them, as JSON with sorted keys."""
    section = getattr(config, step)
    table = {} if section is None else section.model_dump(mode="json")
    if "crf" in table:
        table["crf"] = crf.numbers(table["crf"])
    return json.dumps({**table, **fixed}, sort_keys=True)
