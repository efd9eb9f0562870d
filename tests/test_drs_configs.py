"""configs/drs.yaml has what slides on DRS state, and configs/tables/drs.yaml the ablation of delta; both plan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import snakemake_runs as runs
import tiny_voc
import yaml

from wsss_steps.workflow import choices, configuration
from wsss_steps.workflow.config import SLOTS_OF_A_RECIPE, Config

STATED: dict[tuple[str, str], dict[str, Any]] = {  # the slides' "Experiment"
    ("classifier", "drs"): {"crop": 320, "batch_size": 3, "epochs": 15},
    ("refiner", "drs_refine"): {"crop": 320, "batch_size": 3, "epochs": 15},
    ("segmenter", "plain"): {"crop": 320, "batch_size": 2, "epochs": 1, "head": "v3plus"},
}
OF_THE_PROGRAM: dict[tuple[str, str], dict[str, Any]] = {
    ("classifier", "drs"): {"learning_rate": 1e-3, "weight_decay": 5e-4, "momentum": 0.9, "head_multiplier": 10.0},
    ("seeds", "drs"): {"alpha": 0.2, "binarise": 50, "conflict": 0.9, "rivals": 2},
    ("cams", "cam"): {"merge": "max"},
}


def read(repository: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((repository / "configs" / name).read_text())
    return found


@pytest.fixture
def voc(repository: Path, tmp_path: Path) -> dict[str, Any]:
    """The configuration, for a few images in the layout that it expects."""
    root = tiny_voc.make_voc(tmp_path / "VOC2012")
    tiny_voc.write_list(root, "train_aug", tiny_voc.SPLITS["train"])
    (root / "SegmentationClass").rename(root / "SegmentationClassAug")
    (root / "DUTS-TR").mkdir()
    return read(repository, "drs.yaml") | {"root": str(root)}


def resolved(config: Config) -> dict[tuple[str, str], dict[str, Any]]:
    """The settings of every method of the recipe drs."""
    recipe = config.recipes["drs"]
    links = [link for slot in SLOTS_OF_A_RECIPE for link in choices.chain(config, slot, getattr(recipe, slot))]
    return {(link.slot, link.method): link.settings for link in links}


def test_what_is_stated_is_there(voc: dict[str, Any]) -> None:
    found = resolved(configuration.load(voc))
    for expected in (STATED, OF_THE_PROGRAM):
        for method, settings in expected.items():
            assert {name: found[method][name] for name in settings} == settings, method
    assert [found[method]["backbone"]["net"] for method in STATED] == ["vgg16", "vgg16", "resnet101"]
    assert found["classifier", "drs"]["delta"] is None


def test_the_ablation_has_every_share_and_the_learnt_one(repository: Path) -> None:
    config = configuration.load(read(repository, "tables/drs.yaml"))
    classifiers = {run.recipe.classifier.replace("~seed=1", "").replace("~seed=2", "") for run in config.runs}
    shares = {choices.resolve(config, "classifier", text).settings["delta"] for text in classifiers}
    assert shares == {None, 0.3, 0.5, 0.55, 0.6, 0.8, 1.0}
    assert (len(config.runs), len({run.name for run in config.runs})) == (24, 8)
    assert {run.recipe.segmenter for run in config.runs} == {"none"}


@pytest.mark.workflow
def test_both_plan(repository: Path, tmp_path: Path, voc: dict[str, Any]) -> None:
    (tmp_path / "project").mkdir()
    project = runs.project_in(tmp_path / "project", repository, voc)
    planned = runs.planned(project)
    trained = {"train_classifier", "train_refiner", "train_saliency", "train_segmenter"}
    assert planned >= trained | {"make_cams", "refine_cams", "predict_saliency", "make_seeds", "summarise"}
    assert "refine_saliency" not in planned
    runs.configure(project, read(repository, "tables/drs.yaml"))
    planned = runs.planned(project)
    assert planned >= {"make_example", "train_classifier", "make_cams", "train_refiner", "refine_cams", "summarise"}
    assert not {"make_seeds", "train_segmenter"} & planned
