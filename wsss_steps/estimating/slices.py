"""The configuration of a slice: the methods of another with few images and epochs, and one random seed.

Jobs that differ in random seeds or in how long they train cost the same per image: they are one job of the slice.
`Names` says which.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping
from typing import Any

from wsss_steps.estimating.cuts import Cut
from wsss_steps.workflow.choices import NONE, OWN, choices_in, links_of, name_of, resolve, settings_class
from wsss_steps.workflow.config import GROUND_TRUTH, SLOTS_OF_A_RECIPE, Config
from wsss_steps.workflow.experiments import choices_of
from wsss_steps.workflow.spelling import THEN, parse, spell

SHORT = ("epochs", "seed", "rs_epoch", "mix_epoch", "learning_rate", "warmup_epochs")
"""Settings that decide how long a network trains, from which start, how fast, and when the costly part begins."""
STILL = 1e-6
"""A learning rate that leaves random weights as they are: after a few fast steps maps are often empty."""
NOT_OF_A_SLICE = ("tables", "only", "random_seeds", "shards", "recipes", "compare_superpixels")
SHARED_SLOTS = ("features", "superpixels", "saliency")  # of folders that belong to no recipe
OF_NO_RECIPE = ("splits", "converted", "strong", "tables")
PAIRS = 24  # drawn for a saliency detector


def shortened(slot: str, text: str) -> str:
    """A choice that may be a chain without its overrides of `SHORT`, those of the choices in it included."""
    return THEN.join(_link(*link) for link in links_of(slot, text))


def _link(slot: str, text: str) -> str:
    if text in (GROUND_TRUTH, NONE, OWN):
        return text
    method, overrides = parse(text)
    inner = choices_in(settings_class(slot, method))
    kept = {key: value for key, value in overrides.items() if key not in SHORT}
    return spell(method, {key: shortened(inner[key], str(kept[key])) if key in inner else kept[key] for key in kept})


def used(config: Config) -> list[tuple[str, str]]:
    """Slot and choice of every method that a run leads to, each once."""
    chosen = [pair for run in config.runs for pair in run.recipe.choices()]
    chosen += [("superpixels", text) for text in config.compare_superpixels]
    return list(dict.fromkeys(choices_of(config, chosen)))


def derived(content: Mapping[str, Any], config: Config, cut: Cut, name: str, epochs: int) -> dict[str, Any]:
    """The content of the slice's configuration; `config` is `content`, loaded; `name` that of the results folder."""
    found = {key: value for key, value in content.items() if key not in NOT_OF_A_SLICE} | cut.keys | {"name": name}
    recipes = {tuple(shortened(slot, text) for slot, text in run.recipe.choices()): run.name for run in config.runs}
    found["recipes"] = {
        f"recipe{number}": dict(zip(SLOTS_OF_A_RECIPE, choices, strict=True))
        for number, choices in enumerate(recipes, 1)
    }
    found["compare_superpixels"] = [shortened("superpixels", text) for text in config.compare_superpixels]
    found |= {slot: _tables(slot, found[slot]) for slot in _slots(config) if slot in found}
    for slot, text in used(config):
        _shorten(found, slot, resolve(config, slot, text).method, epochs)
    if any(resolve(config, *one).settings.get("weights") == "pretrain_keys" for one in used(config)):
        found["pretrain_keys"] = {**(found.get("pretrain_keys") or {}), "epochs": epochs}
    found["draw_saliency"] = {**(found.get("draw_saliency") or {}), "count": PAIRS}
    return found


def _slots(config: Config) -> list[str]:
    return sorted({slot for slot, _ in used(config)})


def _tables(slot: str, tables: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the tables of a slot, in which choices within choices are shortened."""
    found = {}
    for method, table in tables.items():
        inner = choices_in(settings_class(slot, method))
        found[method] = {
            key: shortened(inner[key], value) if key in inner else value for key, value in (table or {}).items()
        }
    return found


def _shorten(content: dict[str, Any], slot: str, method: str, epochs: int) -> None:
    """Set what of `SHORT` a method has, but for its seed (`reseeded`), in the table of its slot."""
    known = settings_class(slot, method).model_fields
    values = {"epochs": epochs, "rs_epoch": 0.0, "mix_epoch": 0.0, "learning_rate": STILL, "warmup_epochs": 0.0}
    tables = content.setdefault(slot, {})
    if changes := {key: value for key, value in values.items() if key in known}:
        tables[method] = {**(tables.get(method) or {}), **changes}


def reseeded(content: dict[str, Any], config: Config, seed: int) -> dict[str, Any]:
    """The slice with other random weights of its classifiers; `config` is that of the run."""
    methods = {resolve(config, *one).method for one in used(config) if one[0] == "classifier"}
    tables = {method: {**(content["classifier"].get(method) or {}), "seed": seed} for method in methods}
    return content | {"classifier": content["classifier"] | tables}


class Names:
    """Finds the job of a slice that stands for a job of the run."""

    def __init__(self, of_slice: Config) -> None:
        self._of_slice = of_slice
        self._named = functools.cache(self._name)

    def _name(self, slot: str, text: str) -> str:
        return text if text == GROUND_TRUTH else name_of(self._of_slice, slot, shortened(slot, text))

    def of(self, folder: str) -> str:
        """The folder in the slice that has the place of a folder of the run; both below the results."""
        parts = folder.split("/")
        if parts[0] in SHARED_SLOTS and len(parts) > 1:
            return "/".join([parts[0], self._named(parts[0], parts[1]), *parts[2:]])
        if parts[0] in (*SHARED_SLOTS, *OF_NO_RECIPE, ""):
            return folder
        slots = itertools.chain(SLOTS_OF_A_RECIPE, itertools.repeat(None))
        named, within = [], False
        for part, slot in zip(parts, slots, strict=False):
            within = within or slot is None or part in ("evaluation", "predict", "scores")
            named.append(part if within or slot is None else self._named(slot, part))
        return "/".join(named)
