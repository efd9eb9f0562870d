"""Choices: from their text to all of their settings. Free of torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError

from wsss_steps.errors import UserError
from wsss_steps.nets.families import families, family_of
from wsss_steps.settings import crf
from wsss_steps.settings.base import Backbone, ChoiceOf, Settings
from wsss_steps.settings.explain import explain
from wsss_steps.settings.registry import METHODS
from wsss_steps.workflow.config import GROUND_TRUTH, Config
from wsss_steps.workflow.spelling import method_of, parse, spell

BUILT_IN_BACKBONES = {
    "small": Backbone(net="small"),
    **{net: Backbone(net=net, weights="imagenet") for net in ("resnet50", "resnet101", "vgg16")},
}
NONE = "none"
NOT_A_FILE = ("none", "imagenet", "dino", "pretrain_keys")


class NoMethod(Settings):
    """`none`, which is a choice in every slot."""

    method: Literal["none"] = "none"


@dataclass(frozen=True)
class Choice:
    """A method with all of its settings written out, the backbone inlined; `name`, its one spelling, is its folder."""

    slot: str
    method: str
    name: str
    settings: dict[str, Any]

    def json(self) -> str:
        """The settings as JSON with sorted keys, as the command line of a step takes them."""
        return json.dumps(self.settings, sort_keys=True)

    def weights_file(self) -> str | None:
        """The file of initial weights that the choice names, or None if it names none."""
        weights = self.settings.get("backbone", self.settings).get("weights", "none")
        return None if weights in NOT_A_FILE else str(weights)

    def modules(self) -> tuple[str, ...]:
        """The modules of this package that the choice leads to by name: its method, and the builder of its network."""
        method = (f"methods.{self.slot}.{self.method}",) if self.method != NONE else ()
        backbone = self.settings.get("backbone")
        return method + ((f"nets.backbones.{family_of(backbone['net'])}",) if backbone else ())


def keys_of(model: type[Settings]) -> str:
    """The keys of a table of settings, for errors."""
    return ", ".join(sorted(model.model_fields))


def choices_in(cls: type[Settings]) -> dict[str, str]:
    """The settings that are choices themselves, and the slot of each."""
    marks = {
        key: [mark for mark in field.metadata if isinstance(mark, ChoiceOf)] for key, field in cls.model_fields.items()
    }
    return {key: found[0].slot for key, found in marks.items() if found}


def _classes(slot: str) -> dict[str, type[Settings]]:
    """The settings of the methods of a slot by name, `none` among them."""
    return {cls.model_fields["method"].default: cls for cls in METHODS[slot]} | {NONE: NoMethod}


def settings_class(slot: str, method: str) -> type[Settings]:
    """The settings class of a method; a UserError that lists the methods of the slot if there is none."""
    classes = _classes(slot)
    if method not in classes:
        raise UserError(f"unknown {slot} method '{method}'; known methods: {', '.join(sorted(classes))}")
    return classes[method]


def needs(slot: str, text: str, what: str) -> bool:
    """Whether the method of the choice `text` takes `what`: superpixels, saliency or classifier. False if unknown."""
    return bool(getattr(_classes(slot).get(method_of(text)), f"needs_{what}", False))


def resolve(config: Config, slot: str, text: str) -> Choice:
    """The choice `text` of `slot`, every setting written out: defaults, then the config's, then its own overrides."""
    method, overrides = parse(text)
    cls, configured = settings_class(slot, method), getattr(config, slot).get(method, {})
    try:
        settings = cls(**{**configured, **overrides})
    except ValidationError as error:
        lines = [line.replace(": unknown key", f": unknown key; known keys: {keys_of(cls)}") for line in explain(error)]
        raise UserError(f"{slot} '{text}': " + "; ".join(lines)) from None
    table = _table(config, settings)
    name = spell(method, {key: table[key] for key in _changed(config, cls, configured, overrides, table)})
    if "crf" in table:
        table["crf"] = crf.numbers(table["crf"])
    if "backbone" in table:
        table["backbone"] = backbone(config, table["backbone"]).model_dump(mode="json")
    for key in ("weights", "folder", "pairs"):
        if key in table:
            table[key] = table[key].replace("{root}", config.data_folder)
    return Choice(slot, method, name, table)


def _table(config: Config, settings: Settings) -> dict[str, Any]:
    """Settings as in JSON, the choices among them in their one spelling."""
    table = settings.model_dump(mode="json")
    named = {key: inner for key, inner in choices_in(type(settings)).items() if table[key] != GROUND_TRUTH}
    return table | {key: resolve(config, inner, table[key]).name for key, inner in named.items()}


def _changed(
    config: Config, cls: type[Settings], configured: Mapping[str, Any], overrides: Mapping[str, Any], table: Any
) -> list[str]:
    """Those of the overrides that differ from what is configured."""
    try:
        before = _table(config, cls(**configured))
    except ValidationError:  # what is configured is no whole without the overrides
        return list(overrides)
    return [key for key in overrides if table[key] != before[key]]


def backbone(config: Config, name: str | Mapping[str, Any]) -> Backbone:
    """The entry of the table of backbones under `name`; a UserError that lists the known names if there is none."""
    if not isinstance(name, str):
        found = Backbone(**name)
    else:
        table = {**BUILT_IN_BACKBONES, **config.backbones}
        if name not in table:
            raise UserError(f"unknown backbone '{name}'; known backbones: {', '.join(sorted(table))}")
        found = table[name]
    if (family := family_of(found.net)) not in families():
        raise UserError(
            f"backbone '{found.net}': no networks of a family '{family}'; known families: {', '.join(families())}"
        )
    return found.model_copy(update={"weights": found.weights.replace("{root}", config.data_folder)})
