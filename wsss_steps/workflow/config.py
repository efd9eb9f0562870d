"""What a configuration file may say. Free of torch.

A *choice* is a method's name with overrides of its defaults, `superpixel~alpha=0.6`; it is also the name of a folder. A
*recipe* is one choice per slot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, PrivateAttr, create_model

from wsss_steps.settings.base import Backbone, Device, Seed, Settings, in_words
from wsss_steps.settings.convert import Archives
from wsss_steps.settings.data_set import Prepare
from wsss_steps.settings.gallery import DrawPictures
from wsss_steps.settings.registry import METHODS
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

Overrides = dict[str, dict[str, Any]]
SLOTS_OF_A_RECIPE = ("classifier", "cams", "superpixels", "seeds", "segmenter")
GROUND_TRUTH = "ground_truth"  # saliency maps made of the label images, by a rule that may see them


class Recipe(Settings):
    """One choice per slot; `none` in a slot that no other choice of the recipe needs; `segmenter: own` (choices.py)."""

    classifier: str = "plain"
    cams: str = "cam"
    superpixels: str = "none"
    seeds: str = "threshold"
    segmenter: str = "plain"

    def lineage(self, choices: int = len(SLOTS_OF_A_RECIPE)) -> str:
        """The folder below `results/<name>` of what the first so many of the recipe's choices made."""
        return "/".join(getattr(self, slot) for slot in SLOTS_OF_A_RECIPE[:choices])

    def choices(self) -> list[tuple[str, str]]:
        """Slot and choice, of every slot."""
        return [(slot, getattr(self, slot)) for slot in SLOTS_OF_A_RECIPE]


@dataclass(frozen=True)
class Run:
    """A recipe with one random seed. Without `random_seeds` there is one run per recipe, and its seed is None."""

    name: str
    """Of the recipe."""
    random_seed: int | None
    recipe: Recipe
    """Its choices in their one spelling, the random seed among their overrides."""
    configured: str
    """The recipe's name in the configuration, before its lists of values are multiplied out."""


class Config(Prepare):
    """What config.yaml may say: the data set (inherited), its recipes, and settings of steps. `WHOLE` has the slots."""

    root: str = Field(
        "", description="folder of the data set in PASCAL VOC layout; required unless `draw` is given, never written to"
    )
    draw: MakeExample | None = Field(
        None, description="draw the embedded example data set into `results/<name>/scenes`, instead of `root`"
    )
    convert: Archives | None = Field(
        None,
        description="`root` is a known data set as its archives unpack (`format`: voc2012, coco2014): its lists, tags "
        "and label images are converted into `results/<name>/converted`; its images are read where they are",
    )
    name: str = Field("", description="name of the folder of the results; empty: that of the data set")
    tables: str = Field(
        "",
        description="folder of the tables and gallery.png below `results/<name>/tables`, for a second "
        "configuration that shares the results; empty: `results/<name>` itself",
    )
    recipes: dict[str, Recipe] = Field(
        min_length=1,
        description="name -> one choice per slot; an override with a list of values, such as "
        "`superpixel~alpha=[0.3,0.4]`, stands for a recipe with each of them",
    )
    random_seeds: tuple[Seed, ...] = Field(
        (),
        description="every recipe is run with each: it is the `seed` of every method that has one, unless its choice "
        "says `~seed=` itself; empty: once, as configured",
    )
    only: str | tuple[str, ...] = Field(
        (), description="names of recipes to which a run is restricted; its tables go to `tables/<names>`; empty: all"
    )
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
    strong: Strong | None = Field(
        None,
        description="label images of some training images, for segmenters that learn from them (`dsrg_semi`): "
        "declared in summary.csv",
    )
    predict: Predict = Field(Predict(), description="overrides of its defaults")
    evaluate: Evaluate = Field(Evaluate(), description="overrides of its defaults")
    evaluate_superpixels: EvaluateSuperpixels = Field(EvaluateSuperpixels(), description="overrides of its defaults")
    evaluate_boxes: EvaluateBoxes = Field(EvaluateBoxes(), description="overrides of its defaults")
    compare_recipes: CompareRecipes = Field(CompareRecipes(), description="overrides of its defaults")
    draw_pictures: DrawPictures = Field(DrawPictures(), description="overrides of its defaults")
    find_warnings: FindWarnings = Field(FindWarnings(), description="limits beyond which a run warns")
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
        description="most CPU threads of a job with a network, and processes of one with a dense CRF: a fact of the "
        "machine, it reruns nothing; but a network's sums on a CPU are rounded in another order, so its numbers are "
        "comparable to the last digit at equal threads only",
    )
    device: Device = Field(
        "auto",
        description="cuda:N is one GPU, not for gpus_per_training above 1: a fact of the machine, it reruns nothing",
    )
    _all_runs: tuple[Run, ...] = PrivateAttr(())
    _as_written: Config | None = PrivateAttr(None)

    @property
    def data_folder(self) -> str:
        """Where the data set lies: the user's folder, which no rule writes to, or what the workflow draws."""
        return self.root if self.draw is None else f"{self.results}/scenes"

    @property
    def base(self) -> str:
        """Where the paths of the data set begin: its folder, or, if it is converted, the working directory."""
        return self.data_folder if self.convert is None else "."

    @property
    def as_written(self) -> Config:
        """The config before `conversion.applied` set the paths of the data set."""
        return self._as_written or self

    @property
    def results(self) -> str:
        """The folder of the results."""
        return f"results/{self.name or self.dataset}"

    @property
    def logs(self) -> str:
        """The folder of the logs."""
        return f"logs/{self.name or self.dataset}"

    @property
    def tables_name(self) -> str:
        """The folder of the tables and the gallery below `tables`: of some recipes alone, one of its own."""
        return "/".join(filter(None, [self.tables, "+".join(self.only_recipes)]))

    @property
    def tables_folder(self) -> str:
        """The folder of the tables and the gallery."""
        return f"{self.results}/tables/{self.tables_name}" if self.tables_name else self.results

    @property
    def only_recipes(self) -> tuple[str, ...]:
        """The names in `only`."""
        return (self.only,) if isinstance(self.only, str) else self.only

    @property
    def all_runs(self) -> tuple[Run, ...]:
        """Every recipe with every random seed, whatever `only` says; of a config that `configuration.load` made."""
        return self._all_runs

    @property
    def runs(self) -> tuple[Run, ...]:
        """The runs to which `only` restricts, in the order of the recipes."""
        names = self.only_recipes
        return tuple(run for run in self._all_runs if not names or {run.name, run.configured} & set(names))

    def with_runs(self, runs: tuple[Run, ...]) -> Config:
        """The same config, and what `all_runs` says."""
        config = self.model_copy()
        config._all_runs = runs
        return config

    def changed(self, changes: dict[str, Any]) -> Config:
        """The same config with some keys changed, which knows how it was written."""
        config = self.model_copy(update=changes)
        config._as_written = self
        return config


def _with_slots() -> type[Config]:
    """`Config` with a key for every slot that exists."""
    table: Any = Field({}, description="method -> overrides of its defaults")
    slots: dict[str, Any] = {
        slot: (Annotated[Overrides, in_words(f"table of methods, each: table of settings of `{slot}`")], table)
        for slot in METHODS
    }
    return create_model("Config", __base__=Config, **slots)


WHOLE = _with_slots()
"""The whole of config.yaml."""
