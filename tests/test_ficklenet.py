"""configs/ficklenet.yaml and configs/tables/ficklenet.yaml: the paper's rates and recipes, and what they plan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import snakemake_runs as runs
import tiny_voc
import yaml

from wsss_steps.workflow import choices, configuration
from wsss_steps.workflow.config import Config


def content(repository: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((repository / "configs" / name).read_text())
    return found


def dropout_of(config: Config, text: str) -> tuple[str, float]:
    settings = choices.resolve(config, "classifier", text).settings
    return settings["form"], 0.0 if settings["form"] == "none" else settings["dropout"]


def test_the_table_has_the_rates_of_table_5(repository: Path) -> None:
    config = configuration.load(content(repository, "tables/ficklenet.yaml"))
    maps = {run.recipe.cams.split("~seed")[0] for run in config.runs}
    assert maps == {"ficklenet", "ficklenet~aggregate=mean", "cam"}
    rates = {dropout_of(config, run.recipe.classifier) for run in config.runs if run.recipe.cams != "cam"}
    expected = [("none", 0.0), ("general", 0.5), ("general", 0.9)]
    assert rates == {*expected, *(("centre_preserving", rate) for rate in (0.3, 0.5, 0.7, 0.9))}
    assert len(config.random_seeds) == 3


@pytest.fixture
def paper(repository: Path, tmp_path: Path) -> dict[str, Any]:
    """The paper's configuration, with a few images in the layout that it expects."""
    root = tiny_voc.make_voc(tmp_path / "VOC2012")
    tiny_voc.write_list(root, "train_aug", tiny_voc.SPLITS["train"])
    (root / "SegmentationClass").rename(root / "SegmentationClassAug")
    (root / "saliency").mkdir()
    return content(repository, "ficklenet.yaml") | {"root": str(root)}


def test_maps_and_seeds_have_the_same_threshold(paper: dict[str, Any]) -> None:
    """So that labels are those of the paper's rule."""
    config = configuration.load(paper)
    maps, seeds = (choices.resolve(config, slot, "ficklenet").settings for slot in ("cams", "seeds"))
    assert maps["theta"] == seeds["theta"] == 0.35


@pytest.mark.workflow
def test_the_workflow_plans_the_papers_configuration(repository: Path, tmp_path: Path, paper: dict[str, Any]) -> None:
    planned = runs.planned(runs.project_in(tmp_path, repository, paper))
    steps = {"train_classifier", "make_cams", "predict_saliency", "make_seeds", "train_segmenter", "predict"}
    assert planned >= steps
    assert not planned & {"make_example", "train_saliency", "refine_saliency"}


@pytest.mark.workflow
def test_the_workflow_plans_the_table(repository: Path, tmp_path: Path) -> None:
    table = content(repository, "tables/ficklenet.yaml")
    planned = runs.planned(runs.project_in(tmp_path, repository, table))
    assert planned >= {"make_example", "train_classifier", "make_cams", "evaluate", "summarise"}
    assert not planned & {"make_seeds", "train_segmenter"}
