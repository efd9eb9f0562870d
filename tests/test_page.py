"""What the page of a run is made of, as it follows from a configuration; without Snakemake."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest

from wsss_steps.workflow import configuration, page, targets
from wsss_steps.workflow.config import Config

CAM, CHAIN, MAPS, SEEDS = {}, {"cams": "cam+pamr", "segmenter": "plain+plain"}, "maps", "seeds"
RECIPES: dict[str, Any] = {
    "cam": CAM,
    "chain": CHAIN,
    MAPS: {"seeds": "none", "segmenter": "none"},
    SEEDS: {"segmenter": "none"},
}
LABELS = "<results>/plain/cam/none/threshold"


def load(**changes: Any) -> Config:
    base = {"dataset": "x", "draw": {}, "classes": ["a"], "recipes": RECIPES}
    return configuration.load(base | changes)


def about(config: Config) -> dict[str, Any]:
    return dict(json.loads(page.settings(config)))


@pytest.mark.parametrize("changes", [{}, {"mask_folder": None}, {"only": "cam"}, {"recipes": {"one": {}}}])
def test_every_run_has_a_page_and_makes_what_it_needs(changes: dict[str, Any]) -> None:
    """Nothing is made for the page alone, but what a run with masks makes anyway."""
    config = load(**changes)
    assert targets.INDEX in targets.targets(config)
    assert len(page.scores(config)) == len(page.confusions(config)) == len(set(page.scores(config)))
    assert len(page.histories(config)) == len(about(config)["histories"])
    assert len(page.tags(config)) == len(about(config)["tags"])


def test_tables_are_those_that_the_run_makes() -> None:
    names = ["summary", "means", "differences", "per_class", "by_size", "superpixels", "boxes"]
    config = load(compare_superpixels=["slic"], boxes="Annotations")
    assert page.tables(config) == [f"<tables>/{name}.csv" for name in names]
    assert page.tables(load(compare_superpixels=["slic"], only="cam")) == [f"<tables>/{name}.csv" for name in names[:5]]
    without = load(mask_folder=None, compare_superpixels=["slic"])
    assert (page.tables(without), page.scores(without), page.confusions(without)) == ([], [], [])
    assert about(without)["rows"] == about(without)["superpixels"] == []
    assert page.tables(load(mask_folder=None, boxes="Annotations")) == ["<tables>/boxes.csv"]


def test_rows_point_to_their_score_which_recipes_may_share() -> None:
    config = load()
    scores, rows = page.scores(config), about(config)["rows"]
    of = {(row["recipe"], row["stage"]): scores[row["score"]] for row in rows}
    assert (
        of["cam", "cams"] == of[MAPS, "cams"] == of[SEEDS, "cams"] == "<results>/plain/cam/evaluation/cams/train.json"
    )
    assert of["chain", "cams"] == "<results>/plain/cam+pamr/evaluation/cams/train.json"
    assert of["cam", "seeds"] == of[SEEDS, "seeds"] == f"{LABELS}/evaluation/seeds/train.json"
    assert (MAPS, "seeds") not in of
    assert (SEEDS, "segmentation") not in of
    assert of["cam", "segmentation"] == f"{LABELS}/plain/evaluation/segmentation/val.json"
    assert page.confusions(config) == [path.replace(".json", ".h5") for path in scores]


def test_histories_are_those_of_every_network_with_the_recipes_that_use_it() -> None:
    config = load(random_seeds=[0, 1])
    found = {one["network"]: one["recipes"] for one in about(config)["histories"]}
    everybody = ["cam", "chain", MAPS, SEEDS]
    assert found["plain/classifier.safetensors"] == found["plain~seed=1/classifier.safetensors"] == everybody
    chain = "plain/cam+pamr/none/threshold/plain"
    assert found[f"{chain}/segmenter.safetensors"] == found[f"{chain}+plain/segmenter.safetensors"] == ["chain"]
    assert page.histories(config)[0] == "<results>/plain/classifier_history.csv"
    assert len(found) == 2 * (1 + 1 + 2)  # of each random seed: classifier, network of cam, two networks of chain


def test_every_split_has_its_images() -> None:
    config = load(splits={"val": "v.txt", "extra": "e.txt"}, unscored=["extra"])
    assert page.manifests(config) == [f"<results>/splits/{name}/manifest.json" for name in ("train", "val", "extra")]
    assert about(config)["unscored"] == ["extra"]


def test_recipes_keep_their_order_and_only_restricts_them() -> None:
    names = [one["recipe"] for one in about(load())["recipes"]]
    assert names == list(RECIPES)
    alone = about(load(only="chain"))
    assert [one["recipe"] for one in alone["recipes"]] == ["chain"]
    assert alone["lineages"] == ["plain/cam+pamr/none/threshold/plain+plain"]


def test_choices_of_superpixels_that_differ_in_one_number_lie_on_a_curve() -> None:
    """By hand, as the example compares them."""
    curves = {
        "dino": "dino",
        "dino~tau=0.2": "dino",
        "dino~features=rgb~tau=0.6": "dino~features=rgb",
        "dino~tau=0.45": "dino",
        "slic~count=6": "slic",
        "slic~count=7": "slic",
        "slic~compactness=40~count=7": "slic~compactness=40",
    }
    assert {one["superpixels"]: one["curve"] for one in page.curves(list(curves))} == curves
    odd = "x~list=[1, 2]~flag=true"
    assert [one["curve"] for one in page.curves([odd, "x"])] == ["x~flag=true~list=[1,2]", "x"]


def test_an_edited_script_of_the_page_makes_it_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripts are no Python, so the digest of the code does not cover them."""
    (tmp_path / "plots.js").write_text("one")
    monkeypatch.setattr(page, "STATIC", tmp_path)
    before = about(load())["static"]
    (tmp_path / "plots.js").write_text("other")
    assert about(load())["static"] != before


def test_the_end_of_a_run_names_the_page(tmp_path: Path) -> None:
    with contextlib.chdir(tmp_path):
        assert "Page" not in targets.printed(load())
        Path("results/x/tables/cam/report").mkdir(parents=True)
        Path("results/x/tables/cam/report/index.html").touch()
        assert targets.printed(load(only="cam")).endswith("Page: results/x/tables/cam/report/index.html")
        assert "Page" not in targets.printed(load())
