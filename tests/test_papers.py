"""The configurations of published systems, on skeletons of the archives: what they train, and what their runs plan."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import snakemake_runs as runs
import tiny_archives
import yaml

from wsss_steps.workflow import choices, configuration, trainings
from wsss_steps.workflow.config import Config

WALK_38, WALK_VGG = "cam+random_walk", "cam+random_walk~backbone=vgg16"
TRAINED = {  # the networks of each system, and how many jobs of other kinds there are
    "affinitynet": {
        "plain/classifier",
        f"plain/{WALK_38}/refiner",
        f"plain/{WALK_38}/none/crf/plain/segmenter",
        "plain~backbone=vgg16/classifier",
        f"plain~backbone=vgg16/{WALK_VGG}/refiner",
        f"plain~backbone=vgg16/{WALK_VGG}/none/crf/plain~backbone=vgg16/segmenter",
        "plain~backbone=resnet50~output_stride=16/classifier",
        "plain~backbone=resnet50~output_stride=16/cam+random_walk~backbone=resnet50/refiner",
    },
    "irnet": {"plain/classifier", "plain/cam+irn/refiner", "plain/cam+irn/none/threshold/plain/segmenter"},
    "dsrg": {
        "plain/classifier",
        "plain/cam/none/ficklenet/dsrg/segmenter",
        "plain/cam/none/ficklenet/dsrg+plain/segmenter",
        "plain/cam/none/ficklenet/dsrg~aspp_rates=[6,12,18,24]~backbone=resnet101/segmenter",
        "plain/cam/none/ficklenet/dsrg~aspp_rates=[6,12,18,24]~backbone=resnet101+"
        "plain~aspp_rates=[6,12,18,24]~backbone=resnet101/segmenter",
    },
    "scg": {"plain/classifier"},
    "recurseed": {
        "recurseed/classifier",
        "recurseed~mix=edgepredictmix/classifier",
        "recurseed/cam+random_walk/refiner",
        "recurseed~mix=edgepredictmix/cam+random_walk/refiner",
        "recurseed/cam+random_walk/none/irn/plain/segmenter",
        "recurseed~mix=edgepredictmix/cam+random_walk/none/irn/plain/segmenter",
    },
}
TRAINED["recurseed_coco"] = TRAINED["recurseed"]
JOBS = {
    "affinitynet": "train_classifier 3, train_refiner 3, refine_cams 3, make_seeds 6, train_segmenter 2, predict 2",
    "irnet": "train_classifier 1, make_cams 1, train_refiner 1, refine_cams 1, make_seeds 2, train_segmenter 1",
    "dsrg": "train_classifier 1, predict_saliency 1, train_saliency 0, make_seeds 1, train_segmenter 4, predict 2",
    "scg": "train_classifier 1, make_cams 1, refine_cams 4, make_seeds 0, train_segmenter 0, predict 0",
    "recurseed": "train_classifier 2, make_cams 2, train_refiner 2, train_segmenter 2, predict 4, make_pseudo_labels 4",
}
JOBS["recurseed_coco"] = f"{JOBS['recurseed']}, convert_tags 2"


@pytest.fixture
def content(repository: Path, tmp_path: Path, request: pytest.FixtureRequest) -> dict[str, Any]:
    """The configuration that the test names, for skeletons of the archives."""
    found: dict[str, Any] = yaml.safe_load((repository / f"configs/{request.param}.yaml").read_text())
    is_coco = found["convert"]["format"] == "coco2014"
    root = tiny_archives.make_coco(tmp_path / "coco") if is_coco else tiny_archives.make_voc(tmp_path)
    found["root"] = str(tiny_archives.make_own(root))
    found["convert"]["published_counts"] = False
    if "scored_list" in found:
        tiny_archives.write_ids(root / found["scored_list"], tiny_archives.VOC_LISTS["train"])
    return found


def pairs(table: dict[str, Any]) -> list[tuple[str, Any]]:
    """Argument pairs: the name of a configuration, which `content` reads, and what is expected of it."""
    return [(name, expected) for name, expected in table.items()]


@pytest.mark.parametrize(("content", "expected"), pairs(TRAINED), indirect=["content"])
def test_it_trains_these_networks(content: dict[str, Any], expected: set[str]) -> None:
    found = trainings.trainings(configuration.load(content))[1]
    assert {path.removesuffix(".safetensors") for path in found} == expected


@pytest.mark.workflow
@pytest.mark.parametrize(("content", "expected"), pairs(JOBS), indirect=["content"])
def test_its_run_plans_these_jobs(repository: Path, tmp_path: Path, content: dict[str, Any], expected: str) -> None:
    (tmp_path / "project").mkdir()
    project = runs.project_in(tmp_path / "project", repository, content)
    planned = Counter(job.split(":")[0].removeprefix("local").removeprefix("rule ") for job in runs.jobs(project))
    counts = dict(pair.split() for pair in expected.split(", "))
    assert {name: str(planned[name]) for name in counts} == counts


def method(config: Config, slot: str, text: str) -> dict[str, Any]:
    return choices.resolve(config, slot, text).settings


@pytest.mark.parametrize("content", ["affinitynet"], indirect=True)
def test_affinitynet_has_the_numbers_of_its_public_code(content: dict[str, Any]) -> None:
    config = configuration.load(content)
    walk, seeds = method(config, "refiner", "random_walk"), method(config, "seeds", "affinity")
    assert (walk["radius"], walk["beta"], walk["log_t"], walk["epochs"], walk["batch_size"]) == (5, 8.0, 8, 8, 8)
    assert (seeds["alpha_low"], seeds["alpha_high"], seeds["crf"]["bilateral"]["sxy"]) == (4.0, 32.0, 80.0)
    assert walk["backbone"]["net"] == "wideresnet38"


@pytest.mark.parametrize("content", ["irnet"], indirect=True)
def test_irnet_has_the_numbers_of_its_public_code(content: dict[str, Any]) -> None:
    config = configuration.load(content)
    walk, seeds = method(config, "refiner", "irn"), method(config, "seeds", "irn")
    assert (walk["train_radius"], walk["radius"], walk["beta"], walk["epochs"], walk["batch_size"]) == (
        10,
        5,
        10.0,
        3,
        32,
    )
    assert walk["learning_rate"] * walk["displacement_multiplier"] == 1.0
    assert (seeds["foreground"], seeds["background"], seeds["crf"]["gt_prob"]) == (0.3, 0.05, 0.7)
    assert method(config, "classifier", "plain")["dilated"] is False


@pytest.mark.parametrize("content", ["dsrg"], indirect=True)
def test_dsrg_takes_as_many_steps_as_published(content: dict[str, Any]) -> None:
    config = configuration.load(content)
    first, second = method(config, "segmenter", "dsrg"), method(config, "segmenter", "plain")
    steps = [one["epochs"] * 10582 / one["batch_size"] for one in (first, second)]
    assert steps == [pytest.approx(8_000, rel=0.01), pytest.approx(20_000, rel=0.01)]
    assert (first["theta_bg"], first["theta_fg"], first["lambda_boundary"]) == (0.99, 0.85, 1.0)
    # 0.75, 1 and 1.25 times 321 px are 241, 321 and 401 px
    assert [round(321 * scale) for scale in config.predict.scales] == [241, 321, 401]


@pytest.mark.parametrize("content", ["recurseed", "recurseed_coco"], indirect=True)
def test_recurseed_mixes_after_it_refines(content: dict[str, Any]) -> None:
    config = configuration.load(content)
    mixed = method(config, "classifier", "recurseed~mix=edgepredictmix")
    assert (mixed["rs_epoch"], mixed["mix_epoch"], mixed["delta_fg"], mixed["delta_bg"]) == (5, 15, 0.55, 0.1)
    assert mixed["epochs"] > mixed["mix_epoch"]
    assert config.recipes["rs"].segmenter == "own"


@pytest.mark.parametrize("name", sorted(TRAINED))
def test_its_head_names_paper_numbers_weights_and_command(repository: Path, name: str) -> None:
    head = (repository / f"configs/{name}.yaml").read_text().partition("dataset:")[0]
    assert f"--configfile configs/{name}.yaml --config root=" in head
    assert "ublished" in head
    assert "# Weights: " in head
