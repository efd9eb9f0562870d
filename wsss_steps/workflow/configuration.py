"""From the user's config to the settings of every choice: validated in full before any job is planned. Free of torch.

A *choice* is a method's name with overrides of its defaults, `superpixel~alpha=0.6`; it is also the name of a
folder. A *recipe* is one choice per slot. The settings of a choice are the method's defaults, then what the config
says of the method, then the overrides.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError, create_model

from wsss_steps.errors import UserError, all_wrong
from wsss_steps.nets.families import families, family_of
from wsss_steps.settings import crf
from wsss_steps.settings.base import Backbone, Device, Settings
from wsss_steps.settings.explain import explain
from wsss_steps.settings.registry import METHODS
from wsss_steps.settings.saliency import missing_source, source
from wsss_steps.settings.steps import (
    Evaluate,
    EvaluateSuperpixels,
    MakeExample,
    MakeSaliencyExample,
    Predict,
    Prepare,
    PretrainKeys,
)
from wsss_steps.workflow import names, splits

SLOTS_OF_A_RECIPE = ("classifier", "cams", "superpixels", "seeds", "segmenter")
BUILT_IN_BACKBONES = {
    "small": Backbone(net="small"),
    **{net: Backbone(net=net, weights="imagenet") for net in ("resnet50", "resnet101", "vgg16")},
}
GROUND_TRUTH = "ground_truth"  # saliency maps made of the label images, by a rule that may see them
NOT_A_FILE = ("none", "imagenet", "dino", "pretrain_keys")


class Recipe(Settings):
    """One choice per slot; `superpixels: none` for methods that need none."""

    classifier: str = "plain"
    cams: str = "cam"
    superpixels: str = "none"
    seeds: str = "threshold"
    segmenter: str = "plain"

    def lineage(self, choices: int = len(SLOTS_OF_A_RECIPE)) -> str:
        """The folder below `results/<dataset>` of what the first so many of the recipe's choices made."""
        return "/".join(getattr(self, slot) for slot in SLOTS_OF_A_RECIPE[:choices])


class Config(Prepare):
    """What config.yaml may say: the data set (inherited), its recipes, and settings of steps. `WHOLE` has the slots."""

    root: str = Field(
        "", description="folder of the data set in PASCAL VOC layout; required unless `draw` is given, never written to"
    )
    draw: MakeExample | None = Field(
        None, description="draw the embedded example data set into `results/<dataset>/scenes`, instead of `root`"
    )
    recipes: dict[str, Recipe] = Field(min_length=1, description="name -> one choice per slot")
    compare_superpixels: tuple[str, ...] = Field(
        (), description="choices measured against the ground truth in superpixels.csv"
    )
    backbones: dict[str, Backbone] = Field(
        {}, description="networks of your own by name, beside small, resnet50, resnet101, vgg16"
    )
    pretrain_keys: PretrainKeys = Field(PretrainKeys(), description="overrides of its defaults")
    draw_saliency: MakeSaliencyExample = Field(
        MakeSaliencyExample(), description="the drawn images and masks that a saliency detector may learn from"
    )
    predict: Predict = Field(Predict(), description="overrides of its defaults")
    evaluate: Evaluate = Field(Evaluate(), description="overrides of its defaults")
    evaluate_superpixels: EvaluateSuperpixels = Field(EvaluateSuperpixels(), description="overrides of its defaults")
    gallery_images: int = Field(8, ge=1, le=10_000, description="rows of the contact sheet")
    keep_features: bool = Field(False, description="keep the features (48 GB for VOC) after the superpixels are made")
    shards: int = Field(
        1,
        ge=1,
        le=999,
        description="jobs that share the images of a stage that works image by image; no result depends on it",
    )
    gpus_per_training: int = Field(
        1,
        ge=1,
        le=1024,
        description="processes, with a GPU each, that train one network: a fact of the machine, it reruns nothing",
    )
    threads: int = Field(
        8,
        ge=1,
        le=4096,
        description="most CPU threads of a job with a network: a fact of the machine, it reruns nothing; but sums on a "
        "CPU are rounded in another order, so its numbers are comparable to the last digit at equal threads only",
    )
    device: Device = Field(
        "auto", description="auto, cpu, cuda, or cuda:N for one GPU: a fact of the machine, it reruns nothing"
    )

    @property
    def data_folder(self) -> str:
        """Where the data set lies: the user's folder, which no rule writes to, or what the workflow draws."""
        return self.root if self.draw is None else f"results/{self.dataset}/scenes"


def _with_slots() -> type[Config]:
    """`Config` with a key for every slot that exists."""
    table: Any = Field({}, description="method -> overrides of its defaults")
    slots: dict[str, Any] = {slot: (dict[str, dict[str, Any]], table) for slot in METHODS}
    return create_model("Config", __base__=Config, **slots)


WHOLE = _with_slots()
"""The whole of config.yaml."""


@dataclass(frozen=True)
class Choice:
    """A method with all of its settings written out; the backbone, if it has one, inlined."""

    slot: str
    method: str
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
        method = (f"methods.{self.slot}.{self.method}",) if self.method != "none" else ()
        backbone = self.settings.get("backbone")
        return method + ((f"nets.backbones.{family_of(backbone['net'])}",) if backbone else ())


def _keys_of(model: type[Settings]) -> str:
    return ", ".join(sorted(model.model_fields))


def settings_class(slot: str, method: str) -> type[Settings]:
    """The settings class of a method; a UserError that lists the methods of the slot if there is none."""
    classes = {cls.model_fields["method"].default: cls for cls in METHODS[slot]}
    if method not in classes:
        raise UserError(f"unknown {slot} method '{method}'; known methods: {', '.join(sorted(classes))}")
    return classes[method]


def needs(slot: str, text: str, what: str) -> bool:
    """Whether the method of the choice `text` takes `what`: superpixels, saliency or classifier. False if unknown."""
    classes = {cls.model_fields["method"].default: cls for cls in METHODS[slot]}
    return bool(getattr(classes.get(text.split("~")[0]), f"needs_{what}", False))


def parse(text: str) -> tuple[str, dict[str, Any]]:
    """Method and overrides of a choice: `dino~tau=0.5~order=highest` -> ("dino", {"tau": 0.5, "order": "highest"})."""
    if problem := names.problem_of_name(text):
        raise UserError(f"choice '{text}': {problem}")
    method, *parts = text.split("~")
    overrides: dict[str, Any] = {}
    for part in parts:
        key, equals, value = part.partition("=")
        if not (key and equals and value):
            raise UserError(f"choice '{text}': expected method~key=value~key=value, found the part '{part}'")
        if key in overrides:
            raise UserError(f"choice '{text}': duplicate override of '{key}'")
        overrides[key] = _value(text, key, value)
    if not method:
        raise UserError(f"choice '{text}': expected a method's name before the first ~")
    return method, overrides


def _value(text: str, key: str, value: str) -> Any:
    """What an override sets `key` to; a UserError if it is no YAML."""
    try:
        return yaml.safe_load(value)
    except (
        yaml.YAMLError,
        ValueError,
        LookupError,
        AttributeError,
    ):  # a !tag on what does not suit it gives the latter
        raise UserError(f"choice '{text}': expected a value of '{key}' in YAML, found '{value}'") from None


def resolve(config: Config, slot: str, text: str) -> Choice:
    """The choice `text` of `slot`, every setting written out: defaults, then the config's, then its own overrides."""
    method, overrides = parse(text)
    cls = settings_class(slot, method)
    try:
        settings = cls(**{**getattr(config, slot).get(method, {}), **overrides})
    except ValidationError as error:
        lines = [
            line.replace(": unknown key", f": unknown key; known keys: {_keys_of(cls)}") for line in explain(error)
        ]
        raise UserError(f"{slot} '{text}': " + "; ".join(lines)) from None
    table = settings.model_dump(mode="json")
    if "crf" in table:
        table["crf"] = crf.numbers(table["crf"])
    if "backbone" in table:
        table["backbone"] = backbone(config, table["backbone"]).model_dump(mode="json")
    for key in ("weights", "folder", "pairs"):
        if key in table:
            table[key] = table[key].replace("{root}", config.data_folder)
    return Choice(slot, method, table)


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


def _problems_of_choice(config: Config, where: str, slot: str, text: str) -> list[str]:
    """What is wrong with one choice, its file of weights, and the saliency maps that it names."""
    try:
        choice = resolve(config, slot, text)
    except UserError as error:
        return [f"{where}: {error}"]
    problems = [f"{where}: {slot} '{text}': {problem}" for problem in _problems_of_files(slot, choice)]
    saliency = choice.settings.get("saliency")
    if saliency == GROUND_TRUTH and config.mask_folder is None:
        problems.append(f"{where}: {slot} '{text}': saliency {GROUND_TRUTH} needs a mask_folder, found none")
    if saliency not in (None, GROUND_TRUTH) and where != slot:
        problems += _problems_of_choice(config, where, "saliency", saliency)
    return problems


def _problems_of_files(slot: str, choice: Choice) -> Iterator[str]:
    """What is wrong with the file of weights of a choice, and with what its saliency maps are made from."""
    path = choice.weights_file()
    if path is not None:
        if problem := names.problem_of_path(path):
            yield f"weights: {problem}"
        elif not Path(path).is_file():
            yield f"no such file of weights: {path}"
    if slot == "saliency":
        kind, place = source(choice.settings)
        if kind != "features" and (problem := names.problem_of_path(place)):
            yield f"{kind}: {problem}"
        elif missing := missing_source(choice.settings):
            yield missing


def _problems_of_names(config: Config) -> Iterator[str]:
    """What is wrong with the paths of the data set, and with the names of the folders of its results."""
    fields = (field for field in Prepare.model_fields if field.endswith(("_list", "_folder", "_csv")))
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
    yield from names.problems_of_results(
        config.dataset, {name: recipe.lineage() for name, recipe in config.recipes.items()}
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
    if "none" in config.compare_superpixels:
        problems.append("compare_superpixels: expected superpixels that can be measured, found 'none'")
    for name, recipe in config.recipes.items():
        for slot in SLOTS_OF_A_RECIPE:
            method = getattr(recipe, slot).split("~")[0]
            if recipe.superpixels == "none" and needs(slot, getattr(recipe, slot), "superpixels"):
                problems.append(f"recipes.{name}: {slot} '{method}' needs superpixels, found superpixels 'none'")
    return problems


def load(content: Mapping[str, Any]) -> Config:
    """Validate a whole config; a UserError that lists everything wrong with it."""
    try:
        config = WHOLE(**content)
    except ValidationError as error:
        lines = [
            line.replace(": unknown key", f": unknown key; known keys: {_keys_of(WHOLE)}") if "." not in line else line
            for line in explain(error)
        ]
        raise UserError("config:\n" + "\n".join(f"  {line}" for line in lines)) from None
    problems = [*_problems_of_choices(config), *_problems_of_names(config)]
    if config.draw is None and not any(map(names.problem_of_path, [config.root, *splits.list_files(config).values()])):
        root = Path(config.root)
        if "splits" not in config.model_fields_set and not splits.all_listed(root, config):
            config = config.model_copy(update={"splits": {}})
        problems += splits.problems(root, config)
    if config.device.startswith("cuda:") and config.gpus_per_training > 1:
        problems.append(
            f"device: expected auto or cuda for gpus_per_training {config.gpus_per_training}, found {config.device}"
        )
    all_wrong("config", sorted(set(problems)))
    return config


def step_settings(config: Config, step: str, **fixed: Any) -> str:
    """The settings of a step without methods, and `fixed` ones beside them, as JSON with sorted keys."""
    section = getattr(config, step)
    table = {} if section is None else section.model_dump(mode="json")
    if "crf" in table:
        table["crf"] = crf.numbers(table["crf"])
    return json.dumps({**table, **fixed}, sort_keys=True)
