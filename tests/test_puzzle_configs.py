"""configs/puzzle.yaml and configs/tables/puzzle.yaml: the losses of each row of the ablation, the networks, a plan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import snakemake_runs as runs
import tiny_voc
import yaml

from wsss_steps.workflow import choices, configuration
from wsss_steps.workflow.config import Config

# the paper's ablation: L_cls, L_p-cls, L_re
TICKS = {"tags": (True, False, False), "tiles": (True, True, False), "rec": (True, False, True)}
ALL = (True, True, True)


def content(repository: Path, path: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((repository / "configs" / path).read_text())
    return found


@pytest.fixture
def voc(tmp_path: Path) -> Path:
    """A few images in the layout that configs/puzzle.yaml expects below `root`."""
    root = tmp_path / "voc"
    tiny_voc.make_voc(root)
    tiny_voc.write_list(root, "train_aug", tiny_voc.SPLITS["train"])
    (root / "SegmentationClass").rename(root / "SegmentationClassAug")
    return root


def classifiers(config: Config) -> dict[str, dict[str, Any]]:
    return {
        name: choices.resolve(config, "classifier", recipe.classifier).settings
        for name, recipe in config.recipes.items()
    }


def losses(settings: dict[str, Any]) -> tuple[bool, ...]:
    return tuple(bool(settings[name]) for name in ("lambda_tags", "lambda_tiles", "alpha"))


def test_the_rows_of_the_ablation(repository: Path, voc: Path) -> None:
    for given in (content(repository, "tables/puzzle.yaml"), content(repository, "puzzle.yaml") | {"root": str(voc)}):
        found = {name: losses(settings) for name, settings in classifiers(configuration.load(given)).items()}
        assert found == {name: TICKS.get(name, ALL) for name in found}
        assert found.keys() > TICKS.keys()


def test_its_first_row_is_the_plain_classifier_of_the_other_tables(repository: Path) -> None:
    row = classifiers(configuration.load(content(repository, "tables/puzzle.yaml")))["tags"]
    config = configuration.load(content(repository, "tables/refiners.yaml"))
    other = choices.resolve(config, "classifier", "plain").settings
    own = {"method", "lambda_tags", "lambda_tiles", "alpha", "schedule"}
    assert {key: row[key] for key in row.keys() - own} == {key: other[key] for key in other.keys() - own}


def test_the_networks_of_each_recipe(repository: Path, voc: Path) -> None:
    config = configuration.load(content(repository, "puzzle.yaml") | {"root": str(voc)})
    for name, settings in classifiers(config).items():
        net = settings["backbone"]["net"].removeprefix("timm:")
        assert net == next(
            (one for one in ("resnest50d", "resnest101e", "resnest269e") if one[:-1] in name), "resnet50"
        )
        assert settings["dilated"] == net.startswith("resnest")
        if "random_walk" in config.recipes[name].cams:
            walk = choices.chain(config, "cams", config.recipes[name].cams)[1]
            assert walk.settings["backbone"] == settings["backbone"]
            assert (walk.settings["beta"], walk.settings["log_t"]) == (10, 8)
            affinity = choices.resolve(config, "seeds", walk.settings["seeds"]).settings
            assert (affinity["foreground"], affinity["background"], affinity["crf"]["iterations"]) == (0.4, 0.1, 10)
    labels = choices.resolve(config, "seeds", "irn").settings
    assert (labels["foreground"], labels["background"], labels["crf"]["iterations"]) == (0.35, 0.35, 1)


@pytest.mark.workflow
def test_the_workflow_plans_the_paper(repository: Path, tmp_path: Path, voc: Path) -> None:
    given = content(repository, "puzzle.yaml") | {"root": str(voc)}
    project = runs.project_in(tmp_path, repository, given)
    expected = {
        "train_classifier",
        "make_cams",
        "make_seeds",
        "train_refiner",
        "refine_cams",
        "train_segmenter",
        "predict",
    }
    assert runs.planned(project) >= expected | {"prepare", "summarise", "compare_recipes"}


@pytest.mark.workflow
def test_the_workflow_plans_the_ablation_and_no_segmenter(repository: Path, tmp_path: Path) -> None:
    planned = runs.planned(runs.project_in(tmp_path, repository, content(repository, "tables/puzzle.yaml")))
    assert planned >= {"make_example", "train_classifier", "make_cams", "evaluate", "summarise", "compare_recipes"}
    assert not planned & {"train_segmenter", "make_seeds"}
