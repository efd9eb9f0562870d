"""Plots of two recipes, read back from their SVG; and what the configuration says of them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from wsss_steps import draw_plots
from wsss_steps.errors import UserError
from wsss_steps.formats.files import write_json
from wsss_steps.workflow import configuration, plots

PER_CLASS = """recipe,stage,split,class,n,iou,sd,share
cam,cams,train,background,1,0.8,,0.9
cam,cams,train,cat,1,0.5,,0.1
cam,segmentation,val,background,1,0.75,,0.9
cam,segmentation,val,cat,1,,,0.0
$x & <b>,cams,train,background,2,0.8,0.1,0.9
$x & <b>,cams,train,cat,2,0.25,0.05,0.1
$x & <b>,segmentation,val,background,2,0.7,0.01,0.9
$x & <b>,segmentation,val,cat,2,,,0.0
"""
ODD = "$x & <b>"


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "per_class.csv").write_text(PER_CLASS)
    sweep = [{"threshold": one, "miou": miou} for one, miou in ((0.1, 0.2), (0.3, 0.4567), (0.5, None))]
    write_json(tmp_path / "maps.json", {"format": "wsss/score", "version": 1, "sweep": sweep})
    (tmp_path / "history.csv").write_text("epoch,learning_rate,loss,share_seeded\n1,0.1,3.5,0.25\n2,0.1,2.5,0.25\n")
    own = {"maps": {"cams": 0}, "histories": {"plain/classifier.safetensors": 0}}
    return {
        "per_class": tmp_path / "per_class.csv",
        "maps": [tmp_path / "maps.json"],
        "histories": [tmp_path / "history.csv"],
        "output": tmp_path / "plots",
        "settings": {"recipes": {"cam": own, ODD: own}},
    }


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.svg"))


def texts(path: Path) -> list[str]:
    """What stands in a plot."""
    found = re.findall(r"<text[^>]*>(.*?)</text>", path.read_text(encoding="utf-8"), re.DOTALL)
    return [
        re.sub(r"<[^>]*>", "", one).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") for one in found
    ]


def test_every_recipe_has_its_plots(inputs: dict[str, Any]) -> None:
    draw_plots.run(**inputs)
    quoted = draw_plots.folder_of(ODD)
    names = ["iou_per_class.svg", "thresholds.svg", "training.svg"]
    expected = [f"{recipe}/{name}" for recipe in ("cam", quoted) for name in names]
    assert files(inputs["output"]) == sorted(["all recipes/iou_per_class.svg", *expected])
    stages = {"cams of train", "segmentation of val", "cat"}
    assert stages <= set(texts(inputs["output"] / "cam" / "iou_per_class.svg"))
    shown = texts(inputs["output"] / "all recipes" / "iou_per_class.svg")
    assert {"cam", ODD, "background", "cat", "segmentation of val"} <= set(shown)
    assert "cams: best 45.7 at 0.3" in texts(inputs["output"] / quoted / "thresholds.svg")
    assert {"plain/classifier.safetensors", "seeded", "loss"} <= set(texts(inputs["output"] / "cam" / "training.svg"))


def test_the_same_numbers_give_the_same_bytes(inputs: dict[str, Any], tmp_path: Path) -> None:
    draw_plots.run(**inputs)
    draw_plots.run(**inputs | {"output": tmp_path / "again"})
    for name in files(tmp_path / "again"):
        assert (tmp_path / "again" / name).read_bytes() == (inputs["output"] / name).read_bytes()


def test_bars_are_as_long_as_the_scores(inputs: dict[str, Any]) -> None:
    """Both classes at the first stage, then at the second, where one has no score."""
    figures: list[tuple[str, Any]] = []
    draw = draw_plots.plots.save

    def keep(figure: Any, path: Path) -> None:
        figures.append((path.parent.name, figure))
        draw(figure, path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(draw_plots.plots, "save", keep)
        draw_plots.run(**inputs)
    [axes] = next(figure for name, figure in figures if name == "cam").axes
    lengths = [bar.get_width() for bars in axes.containers if hasattr(bars, "patches") for bar in bars]
    assert lengths == pytest.approx([80, 50, 75, float("nan")], nan_ok=True)


def test_without_ground_truth_there_are_trainings_alone(inputs: dict[str, Any]) -> None:
    own = {"maps": {}, "histories": {"plain/classifier.safetensors": 0}}
    draw_plots.run(**inputs | {"per_class": None, "maps": [], "settings": {"recipes": {"cam": own}}})
    assert files(inputs["output"]) == ["cam/training.svg"]


@pytest.mark.parametrize("text", ["", "recipe,stage\n", PER_CLASS.splitlines()[0]])
def test_a_table_that_is_none_is_refused(inputs: dict[str, Any], text: str) -> None:
    inputs["per_class"].write_text(text)
    with pytest.raises(UserError, match=r"per_class\.csv: (not a readable table|expected rows with the columns)"):
        draw_plots.run(**inputs)
    assert not inputs["output"].exists()


@pytest.mark.parametrize(
    ("recipe", "folder"),
    [
        ("superpixel~alpha=0.3", "superpixel~alpha=0.3"),
        ("a/b", "a%2Fb"),
        ("..", "%2E%2E"),
        ("all recipes", "all%20recipes"),
    ],
)
def test_no_recipe_leaves_the_folder_or_takes_that_of_all(recipe: str, folder: str) -> None:
    assert draw_plots.folder_of(recipe) == folder


def test_the_configuration_says_what_is_whose() -> None:
    base = {"dataset": "x", "draw": {}, "classes": ["a"], "random_seeds": [0, 1]}
    recipes = {"cam": {}, "maps": {"seeds": "none", "segmenter": "none"}}
    config = configuration.load(base | {"recipes": recipes})
    found = json.loads(plots.settings(config))["recipes"]
    assert found["cam"]["maps"] == found["maps"]["maps"] == {"cams, random seed 0": 0, "cams, random seed 1": 1}
    assert len(plots.scores_of_maps(config)) == 2
    for recipe, count in (("cam", 4), ("maps", 2)):
        own = found[recipe]["histories"]
        assert len(own) == count
        for path, number in own.items():
            assert plots.histories(config)[number] == f"<results>/{path.removesuffix('.safetensors')}_history.csv"
    without = configuration.load(base | {"recipes": recipes, "mask_folder": None})
    assert (plots.scores_per_class(without), plots.scores_of_maps(without)) == ([], [])
    assert json.loads(plots.settings(without))["recipes"]["cam"]["maps"] == {}
