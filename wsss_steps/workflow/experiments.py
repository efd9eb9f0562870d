"""Experiments: a recipe with lists of values stands for several recipes, each of which is run with each random seed.

`superpixel~alpha=[0.3,0.4]` is two choices. Where the setting is a list itself, such as the scales of `cam`, several
values are a list of lists: `cam~scales=[[1.0],[1.0,0.5]]`. Free of torch.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from wsss_steps.errors import UserError, all_wrong
from wsss_steps.settings.base import Settings
from wsss_steps.workflow.choices import NONE, choices_in, links_of, name_of, resolve, settings_class
from wsss_steps.workflow.config import GROUND_TRUTH, SLOTS_OF_A_RECIPE, Config, Recipe, Run
from wsss_steps.workflow.names import problem_of_name
from wsss_steps.workflow.spelling import THEN, parse, spell

SEED = "seed"


@dataclass(frozen=True)
class Value:
    """One of the values that a list gives to a setting."""

    slot: str
    method: str
    key: str
    """Of the setting; of one in a choice within a choice, `features.centre`."""
    value: Any


Variants = list[tuple[str, tuple[Value, ...]]]
"""Choices, each with the values by which it differs from the others."""

# ---- lists of values


def multiplied(config: Config) -> dict[str, dict[str, Recipe]]:
    """For each recipe of the configuration, the recipes that it stands for by name: alone itself, if it has no lists.

    They are named as overrides are spelled, `<recipe>~alpha=0.3`. A UserError if two have one name.
    """
    found = {name: list(_recipes(config, name, recipe)) for name, recipe in config.recipes.items()}
    counts = Counter(name for pairs in found.values() for name, _ in pairs)
    twice = [f"recipes: expected one recipe '{name}', found {count}" for name, count in counts.items() if count > 1]
    all_wrong("config", twice)
    return {name: dict(pairs) for name, pairs in found.items()}


def _recipes(config: Config, name: str, recipe: Recipe) -> Iterator[tuple[str, Recipe]]:
    """The recipes that one stands for, the values of its first list varying slowest."""
    slots = [_variants(config, slot, getattr(recipe, slot)) for slot in SLOTS_OF_A_RECIPE]
    for variant in itertools.product(*slots):
        texts = dict(zip(SLOTS_OF_A_RECIPE, (text for text, _ in variant), strict=True))
        values = [value for _, found in variant for value in found]
        yield spell(name, _labelled(values)), recipe.model_copy(update=texts)


def _labelled(values: list[Value]) -> dict[str, Any]:
    """The values by the names of their settings; by slot too where two slots, or by method where two links, say one."""
    levels = [[one.key, f"{one.slot}.{one.key}", f"{one.method}.{one.key}"] for one in values]
    counts = [Counter(labels) for labels in zip(*levels, strict=True)]
    unique = (
        next((label for label, count in zip(labels, counts, strict=True) if count[label] == 1), labels[-1])
        for labels in levels
    )
    return dict(zip(unique, (one.value for one in values), strict=True))


def _variants(config: Config, slot: str, text: str) -> Variants:
    """The choices that a choice stands for; itself, if it cannot be read: validation then says what is wrong."""
    try:
        parts = [_variants_of_link(config, *link) for link in links_of(slot, text)]
    except UserError:
        return [(text, ())]
    return [
        (THEN.join(link for link, _ in chain), tuple(value for _, values in chain for value in values))
        for chain in itertools.product(*parts)
    ]


def _variants_of_link(config: Config, slot: str, text: str) -> Variants:
    """The same of one link of a chain; a UserError if it is none."""
    method, overrides = parse(text)
    options = [_options(config, slot, method, key, value) for key, value in overrides.items()]
    if not any(values for found in options for _, values in found):
        return [(text, ())]
    return [
        (
            spell(method, dict(zip(overrides, (value for value, _ in chosen), strict=True))),
            tuple(value for _, values in chosen for value in values),
        )
        for chosen in itertools.product(*options)
    ]


def _options(config: Config, slot: str, method: str, key: str, value: Any) -> list[tuple[Any, tuple[Value, ...]]]:
    """What an override may set `key` to: the value itself, or each of several."""
    cls = settings_class(slot, method)
    several = _several(cls, key, value)
    if inner := choices_in(cls).get(key):
        texts = [_without_brackets(text) for text in several or [value]]
        variants = [variant for text in texts for variant in _variants(config, inner, text)]
        if not several:
            return [
                (text, tuple(replace(one, slot=slot, method=method, key=f"{key}.{one.key}") for one in values))
                for text, values in variants
            ]
        several = [text for text, _ in variants]
    return [(one, (Value(slot, method, key, one),)) for one in several] if several else [(value, ())]


def _several(cls: type[Settings], key: str, value: Any) -> list[Any]:
    """The values, as in JSON, of a list that holds several for `key`; none if it is one value, or holds a wrong one."""
    if key not in cls.model_fields or not isinstance(value, list):
        return []
    field = cls.model_fields[key]
    setting: Any = Annotated[field.annotation, field]
    form = TypeAdapter(setting)
    try:
        form.validate_python(value)
    except ValidationError:
        try:
            return [form.dump_python(form.validate_python(one), mode="json") for one in value]
        except ValidationError:
            return []
    return []


def _without_brackets(text: Any) -> str:
    """A choice within a choice, which may stand in brackets in a list."""
    return str(text).removeprefix("(").removesuffix(")")


# ---- random seeds


def all_runs(config: Config, recipes: dict[str, dict[str, Recipe]]) -> tuple[Run, ...]:
    """Every recipe with every random seed.

    `config` has its recipes in their one spelling; `recipes`, which `multiplied` gave, have theirs as they were
    written: a `~seed=0` in a choice fixes it also where 0 is the configured seed.
    """
    return tuple(
        Run(name, seed, config.recipes[name] if seed is None else _seeded_recipe(config, written, seed), configured)
        for configured, found in recipes.items()
        for name, written in found.items()
        for seed in config.random_seeds or (None,)
    )


def _seeded_recipe(config: Config, recipe: Recipe, seed: int) -> Recipe:
    """A recipe whose networks are trained from `seed`, in its one spelling."""
    return recipe.model_copy(
        update={slot: seeded(config, slot, getattr(recipe, slot), seed) for slot in SLOTS_OF_A_RECIPE}
    )


def seeded(config: Config, slot: str, text: str, seed: int) -> str:
    """The one spelling of a choice with `~seed=<seed>` in it, and in the choices in it, where they say none."""
    if text == GROUND_TRUTH:
        return text
    return name_of(config, slot, THEN.join(_seeded_link(config, *link, seed) for link in links_of(slot, text)))


def _seeded_link(config: Config, slot: str, text: str, seed: int) -> str:
    """One link of a chain with the seed, not yet in its one spelling."""
    method, overrides = parse(text)
    cls = settings_class(slot, method)
    settings = cls(**{**getattr(config, slot).get(method, {}), **overrides})
    own = {SEED: seed} if SEED in cls.model_fields else {}
    within = {key: seeded(config, inner, getattr(settings, key), seed) for key, inner in choices_in(cls).items()}
    return spell(method, {**own, **overrides, **within})


def problems(config: Config, recipes: dict[str, dict[str, Recipe]]) -> Iterator[str]:
    """What is wrong with `random_seeds` and `only`; `recipes` are what `multiplied` gave."""
    if twice := sorted(seed for seed, count in Counter(config.random_seeds).items() if count > 1):
        yield f"random_seeds: expected each once, found {', '.join(map(str, twice))} more than once"
    known = dict.fromkeys([*recipes, *(name for found in recipes.values() for name in found)])
    yield from (
        f"only: unknown recipe '{name}'; known recipes: {', '.join(known)}"
        for name in config.only_recipes
        if name not in known
    )
    if config.only_recipes and (problem := problem_of_name("+".join(config.only_recipes))):
        yield f"only: {problem}"


# ---- what a run leads to


def choices_of(config: Config, chosen: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Slot and choice of all that the `chosen` ones lead to: of each link of a chain, of choices within choices."""
    left = list(chosen)
    while left:
        for slot, text in links_of(*left.pop()):
            if text not in (NONE, GROUND_TRUTH):
                yield slot, text
                choice = resolve(config, slot, text)
                inner = choices_in(settings_class(slot, choice.method))
                left += [(other, choice.settings[key]) for key, other in inner.items()]
