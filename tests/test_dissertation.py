"""configs/dissertation_ch2.yaml and _ch3.yaml are the dissertation's setups, key by key, except listed differences."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import snakemake_runs as runs
import tiny_voc
import yaml
from dissertation_table import NOT_SAID, ROWS, Row

from wsss_steps import methods
from wsss_steps.ops.schedules import poly_warmup
from wsss_steps.settings import crf
from wsss_steps.workflow import choices, configuration
from wsss_steps.workflow.config import SLOTS_OF_A_RECIPE, Config

TRAIN_AUG = 10_582  # images, 2.4.1 and 3.4.1
SECTIONS = {2: ("predict", "evaluate"), 3: ("predict", "evaluate", "evaluate_superpixels")}
RECIPES = [(2, "vgg16"), (2, "resnet101"), (3, "resnet101")]


def whole_voc(root: Path) -> Path:
    """A few images in the layout that the two files expect below `root`, with empty weights files; returns it."""
    tiny_voc.make_voc(root)
    tiny_voc.write_list(root, "train_aug", tiny_voc.SPLITS["train"])
    (root / "SegmentationClass").rename(root / "SegmentationClassAug")
    for folder in ("DUTS-TR", "weights"):
        (root / folder).mkdir()
    for name in ("vgg16_coco.pth", "resnet101_coco.pth"):
        (root / "weights" / name).touch()
    return root


def content(repository: Path, chapter: int, root: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((repository / "configs" / f"dissertation_ch{chapter}.yaml").read_text())
    return found | {"root": str(root)}


def choices_of(config: Config, recipe: str) -> Iterator[choices.Choice]:
    """A recipe's choices with settings (not `none`), and the features and saliency maps they name."""
    for slot in SLOTS_OF_A_RECIPE:
        choice = choices.resolve(config, slot, getattr(config.recipes[recipe], slot))
        if choice.method != "none":
            yield choice
        for other in ("features", "saliency"):
            if name := choice.settings.get(other):
                yield choices.resolve(config, other, name)


def flat(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings without `method`, those of the backbone as backbone.<key>."""
    backbone = settings.get("backbone", {})
    if "crf" in settings:  # the preset of these numbers
        settings = settings | {
            "crf": next((name for name in crf.PRESETS if crf.numbers(name) == settings["crf"]), "none")
        }
    plain = {key: value for key, value in settings.items() if key not in ("method", "backbone")}
    return plain | {f"backbone.{key}": value for key, value in backbone.items()}


def highest_rate(settings: dict[str, Any]) -> float:
    """Of the backbone, over a whole training on train_aug."""
    steps = math.ceil(TRAIN_AUG / settings["batch_size"])
    total, warmup = settings["epochs"] * steps, round(settings["warmup_epochs"] * steps)
    base = settings["learning_rate"]
    curve = {
        "total": total,
        "power": settings["power"],
        "warmup": warmup,
        "warmup_from": settings["warmup_from"] / base,
    }
    return float(f"{base * max(poly_warmup(step, **curve) for step in range(total)):.3g}")


def levels_of_decoder(settings: dict[str, Any]) -> int:
    module = methods.load("saliency", "detector")
    return len(module.build(1, **methods.arguments(module.build, settings)).lateral)


def resolved(config: Config, chapter: int, recipe: str) -> dict[str, Any]:
    """Every setting that decides a recipe's numbers, by its key in the table."""
    found = {}
    for choice in choices_of(config, recipe):
        name = f"{choice.slot}.{choice.method}"
        found |= {f"{name}.{key}": value for key, value in flat(choice.settings).items()}
        if choice.slot == "segmenter":
            found[f"{name}.(highest learning rate)"] = highest_rate(choice.settings)
        if name == "saliency.detector":
            found[f"{name}.(levels of the decoder)"] = levels_of_decoder(choice.settings)
    for section in SECTIONS[chapter]:
        found |= {f"{section}.{key}": value for key, value in getattr(config, section).model_dump(mode="json").items()}
    return {
        key: value.replace(config.root, "{root}") if isinstance(value, str) else value for key, value in found.items()
    }


def rows_of(chapter: int, recipe: str) -> list[Row]:
    return [row for row in ROWS if row.chapter == chapter and row.recipe in (None, recipe)]


@pytest.fixture(scope="module")
def voc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return whole_voc(tmp_path_factory.mktemp("data") / "VOC2012")


@pytest.mark.parametrize(("chapter", "recipe"), RECIPES)
def test_every_value_is_the_dissertations_or_a_listed_difference(
    repository: Path, voc: Path, chapter: int, recipe: str
) -> None:
    found = resolved(configuration.load(content(repository, chapter, voc)), chapter, recipe)
    rows = rows_of(chapter, recipe)
    expected = {row.key: row.ours for row in rows}
    assert {key: found.get(key, "no such setting") for key in expected} == expected
    assert len(expected) == len(rows), "two rows of one key"


@pytest.mark.parametrize(("chapter", "recipe"), RECIPES)
def test_every_setting_is_in_the_table_or_known_not_to_be_said(
    repository: Path, voc: Path, chapter: int, recipe: str
) -> None:
    """So that whoever adds a setting looks up what the dissertation says about it."""
    found = resolved(configuration.load(content(repository, chapter, voc)), chapter, recipe)
    said = {row.key for row in rows_of(chapter, recipe)}
    silent = {f"{choice}.{key}" for choice, keys in NOT_SAID[chapter].items() for key in keys}
    assert (found.keys() - said - silent, silent - found.keys(), said & silent) == (set(), set(), set())


@pytest.mark.parametrize("chapter", [2, 3])
def test_what_is_not_said_is_left_at_its_default(repository: Path, chapter: int) -> None:
    written = yaml.safe_load((repository / "configs" / f"dissertation_ch{chapter}.yaml").read_text())
    for choice, keys in NOT_SAID[chapter].items():
        section: dict[str, Any] = written
        for name in choice.split("."):
            section = section.get(name, {})
        assert section.keys() & set(keys) == set(), choice


def test_departures_have_a_reason_and_all_else_none() -> None:
    for row in ROWS:
        assert row.where, row
        assert (row.here != row.says) if row.departs else row.here is None, row


@pytest.mark.parametrize("chapter", [2, 3])
def test_recipes_and_data_set(repository: Path, voc: Path, chapter: int) -> None:
    config = configuration.load(content(repository, chapter, voc))
    expected = {
        2: ("mdc", "cam", "none", "saliency", "masking"),
        3: ("plain", "cam", "dino", "superpixel", "spsrg"),
    }
    chosen = {
        tuple(getattr(recipe, slot).split("~")[0] for slot in SLOTS_OF_A_RECIPE) for recipe in config.recipes.values()
    }
    assert chosen == {expected[chapter]}
    assert [(number, name) for number, name in RECIPES if number == chapter] == [
        (chapter, name) for name in config.recipes
    ]
    voc_classes = yaml.safe_load((repository / "configs" / "voc_subset.yaml").read_text())["mask_classes"]
    assert list(config.classes) == voc_classes
    assert len(voc_classes) == 20
    assert config.train_list == "ImageSets/Segmentation/train_aug.txt"


PLANNED = {
    2: {"train_classifier", "make_cams", "train_saliency", "predict_saliency", "refine_saliency", "make_seeds"},
    3: {"train_classifier", "make_cams", "extract_keys", "make_superpixels", "make_seeds"},
}


@pytest.mark.workflow
@pytest.mark.parametrize("chapter", [2, 3])
def test_the_workflow_plans_it_and_prepares_the_data_set(
    repository: Path, tmp_path: Path, voc: Path, chapter: int
) -> None:
    project = runs.project_in(tmp_path, repository, content(repository, chapter, voc))
    planned = runs.planned(project)
    assert planned >= PLANNED[chapter] | {"prepare", "train_segmenter", "predict", "summarise"}
    assert "make_example" not in planned
    runs.succeed(project, "--until", "prepare")
    assert (project / "results" / f"dissertation_ch{chapter}" / "splits" / "train" / "manifest.json").is_file()
