"""Which settings of a method change nothing: every one is given other values, until the result differs."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

import numpy as np
from contracts.cases import Method, made
from contracts.world import World
from pydantic import ValidationError

from wsss_steps.errors import UserError
from wsss_steps.ops import mixing
from wsss_steps.settings import crf
from wsss_steps.settings.base import Augmentation, Backbone, Optimisation, Settings
from wsss_steps.settings.mixing import Mixing
from wsss_steps.workflow.choices import choices_in

Result = Callable[[Mapping[str, Any]], Any]
ROUNDING = 1e-4  # of the largest number of a result
PATHS = ("weights", "folder", "pairs", "path")
"""Settings that say where something lies: the workflow passes the files themselves (`choices.resolve`)."""
OF_TABLES = ("supervision",)
"""Settings that no step reads, since they are declared in tables alone."""
OF_THE_LOOP = set(Augmentation.model_fields) | set(Optimisation.model_fields)
"""Settings of trainings, which the loop and `augment` read, and whose tests lie beside theirs."""
OTHER_VALUES: dict[str, list[Any]] = {
    "agree_power": [5.0],
    "backbone": [Backbone(net="timm:resnet10t"), Backbone(net="small", mean=(0.4, 0.5, 0.6))],
    "crf": ["deeplab", "superpixel"],
    "delta": [0.3, 0.6],
    "class_numbers": [{"red": 1, "green": 2, "blue": 0}],
    "mix": list(mixing.names()),
    "mixing": [Mixing(cutmix_alpha=0.1)],
}
"""Other values of settings whose type does not tell them."""
SHOWS_WITH: dict[str, dict[str, Any]] = {
    "least_similar": {"algorithm": "lost"},
    "restrict_to_present": {"beta_bg": 0.05, "beta_fg": 0.05},
    "init_std": {"init": "normal"},
    "floor": {"floor": 0.01},
    "theta_bg": {"crf": "none"},  # with a CRF, one label is sure of all 12 cells
    "theta_fg": {"crf": "none"},
    "crf_unary": {"crf": "toco"},
    "bg_conflict": {"alpha": 0.02},
    "low_level_width": {"head": "v3plus"},
    "decoder_width": {"head": "v3plus"},
    "alpha": {"schedule": 0.0},  # of puzzle, whose weight rises with the steps of a training
    "schedule": {"schedule": 0.0},
    "conflict": {"rivals": 1},
    "rivals": {"conflict": 0.1},
    "mix_epoch": {"mix": "cutmix", "mix_epoch": 0.0},
    "mixing": {"mix": "cutmix", "mix_epoch": 0.0},
}
"""Other settings that a setting needs to show, where the method has them."""
SHOWS_NOT = {
    ("features", "keys", "vit"): "names a network to be downloaded; here its own weights are given",
    ("classifier", "plain", "legacy_irn_momentum"): "read by train_classifier, which passes it to the optimiser",
    ("cams", "given", "normalise"): "all maps of the worlds are; tests/methods/cams/test_given.py",
    ("cams", "given", "missing_maps"): "the worlds have every map; tests/methods/cams/test_given.py",
    ("seeds", "given", "untagged"): "all labels of the worlds are tags; tests/methods/seeds/test_given.py",
    ("classifier", "puzzle", "legacy_irn_momentum"): "as of plain",
}
"""Settings that cannot change what the contracts look at, and why."""


def without_effect(method: Method, names: Iterable[str], result: Result) -> list[str]:
    """Those of the settings that change no result, whichever other value they are given."""
    usual = result(method.settings())
    return [name for name in names if not has_effect(method, name, result, usual)]


def of_images(method: Method) -> list[str]:
    """The settings that decide what a method makes of an image: not those of its training, if it is trained."""
    return _looked_at(method, "build", "losses")


def of_training(method: Method) -> list[str]:
    """The settings that decide what is trained: not those of its use, nor of the loop."""
    return _looked_at(method, "maker")


def _looked_at(method: Method, *others: str) -> list[str]:
    """The settings of a method but those of other functions, of the workflow and of the loop."""
    functions = [getattr(method.module, other) for other in others if hasattr(method.module, other)]
    taken = {name for function in functions for name in keywords(function)}
    loop = OF_THE_LOOP if issubclass(method.cls, Optimisation) else set()
    hidden = {name for slot, of, name in SHOWS_NOT if (slot, of) == (method.slot, method.name)}
    return sorted(
        set(method.cls.model_fields) - {"method", *choices_in(method.cls), *PATHS, *OF_TABLES} - taken - loop - hidden
    )


def keywords(function: Callable[..., Any]) -> set[str]:
    """The keyword-only parameters of a function."""
    parameters = inspect.signature(function).parameters.values()
    return {one.name for one in parameters if one.kind is one.KEYWORD_ONLY}


def has_effect(method: Method, name: str, result: Result, usual: Any) -> bool:
    """Whether one of the other values of a setting changes the result. usual: that of the settings as they are."""
    needed = {key: value for key, value in SHOWS_WITH.get(name, {}).items() if key in method.cls.model_fields}
    base = method.settings(**needed)
    before = result(base) if needed else usual
    return any(not same(before, result(base | {name: value})) for value in other_values(method.cls, base, name))


def other_values(cls: type[Settings], base: Mapping[str, Any], name: str) -> Iterator[Any]:
    """Other values of a setting that the settings class allows, as a step takes them."""
    if name in OTHER_VALUES:
        candidates = OTHER_VALUES[name]
    elif get_origin(cls.model_fields[name].annotation) is Literal:
        candidates = list(get_args(cls.model_fields[name].annotation))
    else:
        candidates = _of_type(base[name], name)
    for candidate in candidates:
        try:
            value = cls(**{**_plain(cls, base), name: candidate}).model_dump(mode="json")[name]
        except ValidationError:
            continue
        value = crf.numbers(value) if name == "crf" else value
        if value != base[name]:
            yield value


def _plain(cls: type[Settings], base: Mapping[str, Any]) -> dict[str, Any]:
    """Settings from which a class can be built: presets are written out in `base`."""
    return {key: value for key, value in base.items() if key != "crf"}


@functools.singledispatch
def _of_type(value: object, name: str) -> list[Any]:
    raise AssertionError(f"contracts/effects.py: say other values of the setting '{name}' in OTHER_VALUES")


@_of_type.register
def _(value: bool, name: str) -> list[Any]:
    return [not value]


@_of_type.register
def _(value: int, name: str) -> list[Any]:
    return [value + 1, 2 * value, value // 2, 5 * value, 1, value - 1]


@_of_type.register
def _(value: float, name: str) -> list[Any]:
    return [value / 2, 2 * value, value / 10, value + 0.2, value - 0.2, 0.9, 0.95, 10 * value]


@_of_type.register
def _(value: list, name: str) -> list[Any]:
    return [value[:1], [*value, value[-1]], [3 * one for one in value], [one / 2 for one in value]]


def image_by_image(method: Method, settings: Mapping[str, Any], *, worlds: Sequence[World]) -> list[Any]:
    """What a method makes of all images, or what it refuses."""
    results: list[Any] = []
    for world in worlds:
        try:
            step = made(method, world, settings=settings)
            results += [step.of(entry) for entry in world.entries]
        except UserError as error:
            results.append(str(error))
    return results


def same(one: Any, other: Any) -> bool:
    """Whether two results are equal, but for rounding, which differs with the size of a batch."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, str) or isinstance(other, str):
        return isinstance(one, str) and isinstance(other, str) and one == other
    first, second = np.asarray(one, np.float64), np.asarray(other, np.float64)
    if first.shape != second.shape:
        return False
    return np.allclose(first, second, rtol=0, atol=ROUNDING * float(np.abs(first).max(initial=0)))
