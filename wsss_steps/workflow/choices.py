"""Choices: from their text to all of their settings. Free of torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError

from wsss_steps.errors import UserError
from wsss_steps.nets.families import families, family_of
from wsss_steps.pretrained.table import Entry
from wsss_steps.provenance.digests import PACKAGE, source_of
from wsss_steps.settings import crf
from wsss_steps.settings.base import Backbone, ChoiceOf, Settings
from wsss_steps.settings.explain import explain
from wsss_steps.settings.registry import METHODS
from wsss_steps.workflow import named_weights, names, own_checkpoints
from wsss_steps.workflow.config import GROUND_TRUTH, Config
from wsss_steps.workflow.spelling import THEN, links, parse, spell

BUILT_IN_BACKBONES = {
    "small": Backbone(net="small"),
    **{net: Backbone(net=net, weights="imagenet") for net in ("resnet50", "resnet101", "vgg16")},
}
NONE = "none"
OWN = "own"  # as segmenter: the network of the classifier itself, which is a single-stage one
NOT_A_FILE = ("none", "imagenet", "dino", "pretrain_keys")
NO_DOWNLOAD = (
    "small",
    "wideresnet",
    "kerasresnet",
)  # families of networks of which neither torchvision nor timm has ImageNet weights
LATER_LINKS = {"cams": "refiner", "segmenter": "segmenter"}
"""The slots that may hold a chain, and the slot that its later links are methods of."""


class NoMethod(Settings):
    """`none`, which is a choice in every slot."""

    method: Literal["none"] = "none"


class OwnSegmenter(Settings):
    """`own`: the classifier of the recipe segments itself, so that no segmenter is trained."""

    method: Literal["own"] = "own"


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
        """The file of initial weights that the choice gives, or None if it gives none."""
        weights = self.settings.get("backbone", self.settings).get("weights", "none")
        return None if weights in NOT_A_FILE or self.named_weights() else str(weights)

    def weights_input(self) -> str | None:
        """The file of initial weights that a step reads, given or fetched, or None."""
        entry = self.named_weights()
        return named_weights.artifact_of(entry.name) if entry else self.weights_file()

    def named_weights(self) -> Entry | None:
        """The entry of the table of weights that the choice names, or None."""
        return named_weights.of_settings(self.settings)

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the artifacts that the method needs."""
        return settings_class(self.slot, self.method).needs

    @property
    def named(self) -> dict[str, str]:
        """The settings that are choices themselves, by key."""
        return {key: self.settings[key] for key in choices_in(settings_class(self.slot, self.method))}

    def modules(self) -> tuple[str, ...]:
        """The modules of this package that the choice leads to by name: method, builder of its network, mixer."""
        method = () if self.method in (NONE, OWN) else (f"methods.{self.slot}.{self.method}",)
        backbone, mixer = self.settings.get("backbone"), self.settings.get("mix", NONE)
        builder = (f"nets.backbones.{family_of(backbone['net'])}",) if backbone else ()
        mixed = (f"ops.mixing.{mixer}",) if mixer != NONE else ()
        return method + builder + mixed + own_checkpoints.modules_of(self.settings.get("path", ""))


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
    """The settings of the methods of a slot by name, `none` among them, and for segmenters `own`."""
    own = {OWN: OwnSegmenter} if slot == "segmenter" else {}
    return {cls.model_fields["method"].default: cls for cls in METHODS[slot]} | {NONE: NoMethod} | own


def settings_class(slot: str, method: str) -> type[Settings]:
    """The settings class of a method; a UserError that lists the methods of the slot if there is none."""
    classes = _classes(slot)
    if method not in classes:
        later = [link for link in LATER_LINKS.values() if link != slot and method in _classes(link)]
        hint = f"; '{method}' is a {later[0]}, a later link of a chain such as <method>+{method}" if later else ""
        raise UserError(f"unknown {slot} method '{method}'; known methods: {', '.join(sorted(classes))}{hint}")
    if method not in (NONE, OWN) and source_of(f"{PACKAGE}.methods.{slot}.{method}") is None:
        raise UserError(f"{slot} method '{method}' has settings, but no file methods/{slot}/{method}.py")
    return classes[method]


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
        if "path" in table:
            table["backbone"]["weights"] = NONE  # a network that is given has no initial weights
    for key in ("weights", "folder", "pairs", "path"):
        if key in table:
            table[key] = table[key].replace("{root}", config.data_folder)
    return Choice(slot, method, name, _with_named_weights(slot, text, table))


def _with_named_weights(slot: str, text: str, table: dict[str, Any]) -> dict[str, Any]:
    """Settings, completed by the weights that they name; a UserError if these fit another network."""
    try:
        if "vit" in table:
            return named_weights.completed_vit(table)
        if slot == "saliency" and "weights" in table:
            named_weights.check_saliency(table["weights"])
    except UserError as error:
        raise UserError(f"{slot} '{text}': {error}") from None
    return table


def links_of(slot: str, text: str) -> list[tuple[str, str]]:
    """Slot and text of each link of a choice that may be a chain."""
    first, *later = links(text)
    return [(slot, first), *((LATER_LINKS.get(slot, slot), link) for link in later)]


def chain(config: Config, slot: str, text: str) -> list[Choice]:
    """The links of a choice that may be a chain, every setting written out. A UserError if the slot takes no chain."""
    if (count := len(links(text))) > 1 and slot not in LATER_LINKS:
        allowed = " and ".join(LATER_LINKS)
        raise UserError(f"{slot} '{text}': expected one method, found {count}; chains are for {allowed}")
    found = [resolve(config, *link) for link in links_of(slot, text)]
    for number, link in enumerate(found):
        if count > 1 and (link.method == NONE or (link.method == OWN and number)):
            raise UserError(f"{slot} '{text}': expected a method in every link of the chain, found '{link.method}'")
    name = THEN.join(link.name for link in found)
    if problem := names.problem_of_name(name):
        raise UserError(f"{slot} '{text}': {problem}")
    return found


def name_of(config: Config, slot: str, text: str) -> str:
    """The one spelling of a choice that may be a chain, which is its folder."""
    return THEN.join(link.name for link in chain(config, slot, text))


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
    if found.weights == "imagenet" and family in NO_DOWNLOAD:
        raise UserError(
            f"backbone '{found.net}': no ImageNet weights to download; expected weights: none, or a .safetensors or "
            ".pth file, found imagenet"
        )
    found = named_weights.completed_backbone(found)
    return found.model_copy(update={"weights": found.weights.replace("{root}", config.data_folder)})
