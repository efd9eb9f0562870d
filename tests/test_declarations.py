"""The extra supervision that the summary declares for each stage of each recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tiny_voc import make_voc

from wsss_steps.workflow import configuration, declarations, planning
from wsss_steps.workflow.config import Config
from wsss_steps.workflow.stages import Row


def load(**changes: Any) -> Config:
    coco = {"net": "small", "supervision": "COCO segmentation"}
    base: dict[str, Any] = {"dataset": "tiny", "draw": {}, "classes": ["cat"], "backbones": {"coco": coco}}
    small = {"backbone": "small"}  # it starts from random weights
    base |= {"classifier": dict.fromkeys(("plain", "mdc"), small)}
    base |= {"segmenter": dict.fromkeys(("plain", "dsrg", "masking"), small)}
    return configuration.load(base | changes)


def declared(config: Config, stage: str, name: str = "a") -> str:
    return declarations.extra_supervision(config, config.recipes[name], stage)


def test_tags_alone_are_no_extra_supervision() -> None:
    config = load(recipes={"a": {}})
    assert {declared(config, stage) for stage in ("cams", "seeds", "pseudo_labels", "segmentation_crf")} == {""}
    row = declarations.about_row(config, Row("a", config.recipes["a"], "segmentation", "val"))
    assert row == {
        "recipe": "a",
        "random_seed": None,
        "stage": "segmentation",
        "network": "segmenter",
        "split": "val",
        "crf": "none",
        "scales": [1.0, 0.75, 0.5],
        "label_images": "",
        "extra_supervision": "",
        "saliency": None,
        "made_of_ground_truth": "",
    }


def test_crf_and_scales_are_those_that_made_the_stage() -> None:
    config = load(recipes={"a": {}}, cams={"cam": {"scales": [1.0, 2.0]}}, predict={"scales": [0.5], "crf": "toco"})
    stages = ("cams", "seeds", "pseudo_labels", "segmentation", "segmentation_crf")
    rows = [declarations.about_row(config, Row("a", config.recipes["a"], stage, "train")) for stage in stages]
    assert [row["crf"] for row in rows] == ["none", "none", "toco", "none", "toco"]
    assert [row["scales"] for row in rows] == [[1.0, 2.0]] * 2 + [[0.5]] * 3
    config = load(recipes={"a": {}}, predict={"crf": "toco", "crf_labels": "winning"})
    assert (
        declarations.about_row(config, Row("a", config.recipes["a"], stages[-1], "val"))["crf"]
        == "toco, winning labels"
    )


def test_weights_are_declared_from_the_stage_on_that_uses_them() -> None:
    config = load(recipes={"a": {"segmenter": "plain~backbone=coco"}, "b": {"classifier": "plain~backbone=coco"}})
    assert (declared(config, "seeds"), declared(config, "segmentation")) == ("", "COCO segmentation weights")
    assert declared(config, "cams", "b") == declared(config, "segmentation", "b") == "COCO segmentation weights"


def test_features_of_superpixels_are_declared() -> None:
    recipe = {"superpixels": "dino~features=backbone", "seeds": "superpixel"}
    config = load(recipes={"a": recipe}, features={"backbone": {"backbone": "coco"}})
    assert (declared(config, "cams"), declared(config, "seeds")) == ("", "COCO segmentation weights")


def test_what_a_refiner_learns_is_declared_from_the_maps_on() -> None:
    """Its seeds may rest on saliency maps, and its superpixels on features, whatever the recipe's own do."""
    stages = ("cams", "seeds", "segmentation_crf")
    config = load(recipes={"a": {"cams": "cam+deeplab~backbone=coco~seeds=(saliency_class~saliency=ground_truth)"}})
    found = {declared(config, stage) for stage in stages}
    assert found == {"COCO segmentation weights; saliency: ground truth"}
    row = declarations.about_row(config, Row("a", config.recipes["a"], "cams", "train"))
    assert (row["saliency"], row["made_of_ground_truth"]) == (None, "saliency")
    recipe = {"cams": "cam+superpixel~superpixels=(dino~features=backbone)"}
    config = load(recipes={"a": recipe}, features={"backbone": {"backbone": "coco"}})
    assert {declared(config, stage) for stage in stages} == {"COCO segmentation weights"}


def test_saliency_of_the_ground_truth_is_declared() -> None:
    recipe = {"seeds": "saliency~saliency=ground_truth", "segmenter": "masking~backbone=coco", "classifier": "mdc"}
    config = load(recipes={"a": recipe})
    assert declared(config, "cams") == ""
    assert declared(config, "seeds") == "saliency: ground truth"
    assert declared(config, "segmentation") == "saliency: ground truth; COCO segmentation weights"
    seeds, cams = (
        declarations.about_row(config, Row("a", config.recipes["a"], stage, "train")) for stage in ("seeds", "cams")
    )
    assert (seeds["saliency"], seeds["made_of_ground_truth"]) == ("ground_truth", "saliency")
    assert (cams["saliency"], cams["made_of_ground_truth"]) == (None, "")


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ("given", "saliency: given"),
        ("detector", "saliency: detector trained on DUTS-TR"),
        ("unsupervised", "unlabelled ImageNet weights"),
    ],
)
def test_what_saliency_maps_were_made_of_is_declared(tmp_path: Path, chosen: str, words: str) -> None:
    root = make_voc(tmp_path / "voc")
    for name in ("DUTS-TR", "maps"):
        (root / name).mkdir()
    config = load(
        root=str(root),
        draw=None,
        recipes={"a": {"seeds": f"saliency~saliency={chosen}"}},
        saliency={"given": {"folder": "{root}/maps"}, "detector": {"backbone": "small"}},
    )
    assert declared(config, "seeds") == declared(config, "segmentation") == words


def test_raw_saliency_maps_are_declared_from_the_seeds_on(tmp_path: Path) -> None:
    """Seeds that take saliency maps as they are rest on what these were learnt from, as the network does."""
    root = make_voc(tmp_path / "voc")
    (root / "DUTS-TR").mkdir()
    recipe = {"seeds": "saliency_class~saliency=detector", "segmenter": "dsrg+plain"}
    config = load(root=str(root), draw=None, recipes={"a": recipe}, saliency={"detector": {"backbone": "small"}})
    stages = ("cams", "seeds", "pseudo_labels", "segmentation", "segmentation_crf")
    found = {stage: declared(config, stage) for stage in stages}
    assert found == {stage: "" if stage == "cams" else "saliency: detector trained on DUTS-TR" for stage in stages}
    config = load(recipes={"a": {"seeds": "saliency_class~saliency=ground_truth"}})
    row = declarations.about_row(config, Row("a", config.recipes["a"], "seeds", "train"))
    assert (row["saliency"], row["made_of_ground_truth"]) == ("ground_truth", "saliency")
    assert row["extra_supervision"] == "saliency: ground truth"


def test_a_detectors_own_weights_are_declared(tmp_path: Path) -> None:
    root = make_voc(tmp_path / "voc")
    (root / "own.safetensors").touch()
    overrides = {"backbone": "coco", "weights": "{root}/own.safetensors"}
    recipes = {"a": {"seeds": "saliency~saliency=detector"}}
    config = load(root=str(root), draw=None, recipes=recipes, saliency={"detector": overrides})
    expected = "saliency: detector with the weights own.safetensors; COCO segmentation weights"
    assert declared(config, "seeds") == expected
    lite = {"net": "timm:tf_efficientnet_lite0", "weights": "efficientnet_lite0"}  # that it started from
    named = {"detector": overrides | {"backbone": lite}}
    config = load(root=str(root), draw=None, recipes=recipes, saliency=named)
    expected = "saliency: detector with the weights own.safetensors; ImageNet tags weights"
    assert declared(config, "seeds") == expected
    assert planning.source_of_saliency(config, {"saliency": "detector"}) == f"{root}/own.safetensors"
