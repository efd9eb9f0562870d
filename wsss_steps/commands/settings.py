"""Print every setting with what it may be, its default and its meaning: the manual docs/settings.md."""

from __future__ import annotations

import argparse
import functools
import importlib
import inspect
import re
from collections.abc import Iterable, Iterator

from wsss_steps.settings.allowed import TABLE, allowed, default_of, meaning, properties
from wsss_steps.settings.base import Augmentation, Backbone, Network, Optimisation, Settings
from wsss_steps.settings.crf import PRESETS
from wsss_steps.settings.manual import CHOICES, EFFECTS, INTRODUCTION, PREAMBLE, TRAININGS
from wsss_steps.settings.registry import METHODS
from wsss_steps.settings.segmenter import Segmenter
from wsss_steps.settings.steps import (
    CompareRecipes,
    Evaluate,
    EvaluateBoxes,
    EvaluateSuperpixels,
    MakeExample,
    MakeSaliencyExample,
    Predict,
    PretrainKeys,
)
from wsss_steps.settings.strong import Strong
from wsss_steps.settings.warnings import FindWarnings
from wsss_steps.workflow.choices import BUILT_IN_BACKBONES, LATER_LINKS, choices_in
from wsss_steps.workflow.config import SLOTS_OF_A_RECIPE, WHOLE, Recipe


class Training(Network, Augmentation, Optimisation):
    """A backbone, augmentation and optimisation: what every method has that trains a network with a backbone."""


STEPS: dict[str, type[Settings]] = {
    "draw": MakeExample,
    "strong": Strong,
    "draw_saliency": MakeSaliencyExample,
    "pretrain_keys": PretrainKeys,
    "predict": Predict,
    "evaluate": Evaluate,
    "evaluate_superpixels": EvaluateSuperpixels,
    "evaluate_boxes": EvaluateBoxes,
    "compare_recipes": CompareRecipes,
    "find_warnings": FindWarnings,
}
NETWORKS, SEGMENTERS, TOP = "backbones.NAME", "segmenters", "top level"
BLOCKS: dict[str, type[Settings]] = {TRAININGS: Training, SEGMENTERS: Segmenter}
"""What several methods share, and the manual says once; the wider first."""


def methods() -> dict[str, type[Settings]]:
    """The settings of every method, by the place at which a configuration file has them: `seeds.threshold`."""
    order = [*SLOTS_OF_A_RECIPE, *(slot for slot in METHODS if slot not in SLOTS_OF_A_RECIPE)]
    return {f"{slot}.{cls.model_fields['method'].default}": cls for slot in order for cls in METHODS[slot]}


def nested() -> dict[str, type[Settings]]:
    """The tables within tables of methods, by their places."""
    fields = {f"{place}.{name}": field for place, cls in methods().items() for name, field in cls.model_fields.items()}
    return {place: type(field.default) for place, field in fields.items() if isinstance(field.default, Settings)}


@functools.cache
def places() -> dict[str, type[Settings]]:
    """All tables of the manual, by the place at which a configuration file has them."""
    return {TOP: WHOLE, **STEPS, NETWORKS: Backbone, **BLOCKS, **methods(), **nested()}


def base_of(cls: type[Settings]) -> str | None:
    """The place of the nearest table whose settings the class takes over, or None if there is none."""
    known = {one: place for place, one in (BLOCKS | methods()).items()}
    inherited = next((known[base] for base in cls.__mro__[1:] if base in known), None)
    return inherited or (TRAININGS if cls is not Training and issubclass(cls, Optimisation) else None)


def anchor(title: str) -> str:
    """The anchor that GitHub gives to a title."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def title_of(place: str) -> str:
    """The title of a table of the manual."""
    shared = {TRAININGS: "What all trainings share", SEGMENTERS: "What all segmenters share"}
    return shared.get(place, "The top level of a configuration file" if place == TOP else f"`{place}`")


def link(place: str) -> str:
    """A link to a table of the manual."""
    text = title_of(place) if place.startswith("`") or place in (*BLOCKS, TOP) else f"`{place}`"
    return f"[{text[0].lower() + text[1:]}](#{anchor(title_of(place))})"


def told(cls: type[Settings], name: str) -> str:
    """What a setting may be, the tables in it as links."""
    tables = {one.__name__: place for place, one in places().items()}

    def linked(found: re.Match[str]) -> str:
        return f"table {link(tables[found[1]])}" if found[1] in tables else "table of choices, one per slot"

    return re.sub(rf"{TABLE} (\w+)", linked, allowed(properties(cls)[name]))


def table(cls: type[Settings], names: Iterable[str]) -> Iterator[str]:
    """The rows of settings."""
    yield from ("| key | allowed | default | meaning |", "|---|---|---|---|")
    for name in names:
        yield f"| `{name}` | {told(cls, name)} | {default_of(cls, name)} | {meaning(cls, name)} |"
    yield ""


def section(place: str, level: str = "##") -> Iterator[str]:
    """The section of a table: where it takes over another, what that has other defaults for, and its own settings."""
    cls = places()[place]
    yield from (f"{level} {title_of(place)}", "")
    if place != TOP:
        yield from (inspect.cleandoc(cls.__doc__ or ""), "")
    names = [name for name in cls.model_fields if name != "method"]
    if base := base_of(cls):
        shared = [name for name in names if _as_in(cls, places()[base], name)]
        names = [name for name in names if name not in shared]
        other = [name for name in shared if default_of(cls, name) != default_of(places()[base], name)]
        listed = ", ".join(f"`{name}` {default_of(cls, name)}" for name in other)
        yield from (f"As {link(base)}" + (f", with other defaults: {listed}." if other else "."), "")
    yield from table(cls, names) if names else ()


def _as_in(cls: type[Settings], base: type[Settings], name: str) -> bool:
    """Whether a setting is that of `base`, but perhaps for its default."""
    same = name in base.model_fields and properties(cls)[name] == properties(base)[name]
    return same and meaning(cls, name) == meaning(base, name)


def slots() -> Iterator[str]:
    """What each slot of a recipe takes if the recipe does not say, and each setting that is a choice itself."""
    yield from ("## What a recipe takes where it is silent", "", "| slot | default | its methods |", "|---|---|---|")
    for slot in SLOTS_OF_A_RECIPE:
        yield f"| `{slot}` | `{Recipe.model_fields[slot].default}` | {_methods_of(slot)} |"
    yield from (CHOICES, "| setting | default | a choice of |", "|---|---|---|")
    for place, cls in methods().items():
        for name, slot in choices_in(cls).items():
            yield f"| `{name}` of {link(place)} | `{cls.model_fields[name].default}` | {_slot(slot)} |"
    yield ""


def _methods_of(slot: str) -> str:
    """Links to the methods of a slot, and what may follow in a chain."""
    names = (place.partition(".")[2] for place in methods() if place.startswith(f"{slot}."))
    found = ", ".join(f"[`{name}`](#{anchor(f'{slot}.{name}')})" for name in names)
    later = LATER_LINKS.get(slot, "")
    return f"{found}; then, in a chain, " + (_slot(later) if later != slot else "any of them again") if later else found


def _slot(slot: str) -> str:
    return f"[`{slot}`](#methods-of-{slot})"


def effects() -> Iterator[str]:
    """The settings that matter most."""
    yield from ("## What the settings that matter most do to the picture", "", PREAMBLE)
    yield from ("| setting | larger, or `true` | smaller, or `false` |", "|---|---|---|")
    for one in EFFECTS:
        where = "all trainings" if one.place == TRAININGS else f"`{one.place}`"
        yield f"| `{one.key}` of [{where}](#{anchor(title_of(one.place))}) | {one.larger} | {one.smaller} |"
    yield ""


def numbers() -> Iterator[str]:
    """The networks and the presets of the dense CRF that are there by name."""
    yield from ("Built in:", "", "| name | `net` | `weights` |", "|---|---|---|")
    for name, one in BUILT_IN_BACKBONES.items():
        yield f"| `{name}` | `{one.net}` | `{one.weights}` |"
    yield from ("", "## Presets of the dense CRF", "", "What a setting `crf` may name; `none` is no CRF.", "")
    yield from (
        "| preset | iterations | by position: width, weight | by colour: width in px, in 0..255, weight | `gt_prob` |",
        "|---|---|---|---|---|",
    )
    for name, preset in PRESETS.items():
        near, alike = preset.gaussian, preset.bilateral
        yield (
            f"| `{name}` | {preset.iterations} | {near.sxy:.4g}, {near.compat:.4g} | "
            f"{alike.sxy:.4g}, {alike.srgb:.4g}, {alike.compat:.4g} | {preset.gt_prob or ''} |"
        )


def body() -> Iterator[str]:
    """All sections."""
    yield from (*slots(), *effects())
    for place in (TOP, *BLOCKS, *STEPS):
        yield from section(place)
    for slot in dict.fromkeys(place.partition(".")[0] for place in methods()):
        about = inspect.getdoc(importlib.import_module(f"wsss_steps.settings.{slot}")) or ""
        yield from (f"## Methods of `{slot}`", "", about.splitlines()[0], "")
        for place in (*methods(), *nested()):
            yield from section(place, "###") if place.startswith(f"{slot}.") else ()
    yield from (*section(NETWORKS), *numbers())


def contents(lines: Iterable[str]) -> Iterator[str]:
    """A table of contents: one line for each title, those below it on the same line."""
    yield from ("## Contents", "")
    found: list[str] = []
    for line in lines:
        level, _, title = line.partition(" ")
        if level == "##":
            found.append(f"- [{title}](#{anchor(title)})")
        elif level == "###":
            found[-1] += f"{', ' if ':' in found[-1] else ': '}[{title}](#{anchor(title)})"
    yield from (*found, "")


def document() -> str:
    """The text of docs/settings.md."""
    lines = list(body())
    return "\n".join([INTRODUCTION, *contents(lines), *lines]).rstrip() + "\n"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(_: argparse.Namespace) -> None:
    """Print the document."""
    print(document(), end="")
