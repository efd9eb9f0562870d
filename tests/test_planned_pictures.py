"""Which layers the gallery has for a configuration, and the inputs of its rule."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tiny_voc import config, make_voc, write_list

from wsss_steps import methods
from wsss_steps.report.layers import KINDS
from wsss_steps.workflow import pictures, targets

BASE = "<results>/plain/cam/none/threshold"


def found(tmp_path: Path, root: Path | None = None, **overrides: Any) -> dict[tuple[str, str], list[pictures.Layer]]:
    """The layers by row and split."""
    rows: dict[tuple[str, str], list[pictures.Layer]] = {}
    for layer in pictures.layers(config(root or make_voc(tmp_path / "voc"), **overrides)):
        assert layer.kind in KINDS
        rows.setdefault((layer.row, layer.split), []).append(layer)
    return rows


def test_what_recipes_share_appears_once_with_their_names(tmp_path: Path) -> None:
    rows = found(tmp_path, recipes={"a": {}, "b": {"segmenter": "plain~epochs=3"}, "c": {"cams": "gradcam"}})
    maps = {layer.path: layer.recipes for layer in rows["class activation maps", "train"]}
    assert maps == {"<results>/plain/cam/cams.h5": ("a", "b"), "<results>/plain/gradcam/cams.h5": ("c",)}
    assert [layer.recipes for layer in rows["seeds", "train"]] == [("a", "b"), ("c",)]
    assert [layer.recipes for layer in rows["pseudo-labels", "train"]] == [("a",), ("b",), ("c",)]
    assert [layer.recipes for layer in rows["ground truth", "val"]] == [("a", "b", "c")]


def test_every_link_of_a_chain_of_maps_is_a_row(tmp_path: Path) -> None:
    rows = found(tmp_path, recipes={"a": {"cams": "cam+scg+pamr"}})
    maps = [row for row, split in rows if split == "train" and "maps" in row]
    assert maps == ["class activation maps", "refined maps", "refined maps, link 2"]
    places = ["cam", "cam+scg", "cam+scg+pamr"]
    assert [rows[row, "train"][0].path for row in maps] == [f"<results>/plain/{one}/cams.h5" for one in places]
    scored = [rows[row, "train"][0].confusions for row in maps]
    assert scored == [None, None, "<results>/plain/cam+scg+pamr/evaluation/cams/train.h5"], "of the last link alone"
    assert [rows[row, "train"][0].scores for row in maps] == ["<results>/plain/scores/train.csv", None, None]


def test_a_stage_before_the_crf_is_known_to_the_one_after(tmp_path: Path) -> None:
    rows = found(tmp_path)
    before, after = rows["prediction", "val"][0], rows["prediction after the dense CRF", "val"][0]
    assert after.before == before.path == f"{BASE}/plain/segmentation/val"
    assert after.confusions == f"{BASE}/plain/evaluation/segmentation_crf/val.h5"
    assert (before.final, after.final, rows["pseudo-labels", "train"][0].final) == (False, True, True)


def test_seeds_grow_in_the_segmenters_that_record_it(tmp_path: Path) -> None:
    names = {path.stem for path in (Path(methods.__file__).parent / "segmenter").glob("[a-z]*.py")}
    assert set(pictures.GROW) == {name for name in names if hasattr(methods.load("segmenter", name), "grown")}
    rows = found(tmp_path, recipes={"a": {}, "b": {"segmenter": "dsrg"}, "c": {"segmenter": "dsrg+plain"}})
    assert [layer.recipes for layer in rows["seeds as they grew", "train"]] == [("b",)]
    assert rows["seeds as they grew", "train"][0].path == f"{BASE}/dsrg/growth.h5"


def test_masked_images_only_where_a_classifier_judged_them(tmp_path: Path) -> None:
    rows = found(tmp_path, recipes={"a": {}, "b": {"segmenter": "plain+masking"}, "c": {"segmenter": "masking+plain"}})
    assert [layer.recipes for layer in rows["masked images", "train"]] == [("b",)]
    assert rows["masked images", "val"][0].path.endswith("plain+masking/segmentation_crf/val")
    assert rows["masked images", "val"][0].confusions is None


def test_a_recipe_that_ends_with_seeds_or_with_maps(tmp_path: Path) -> None:
    rows = found(tmp_path, recipes={"a": {"segmenter": "none"}, "b": {"seeds": "none", "segmenter": "none"}})
    assert [(layer.recipes, layer.final) for layer in rows["seeds", "train"]] == [(("a",), True)]
    assert not {"pseudo-labels", "prediction"} & {row for row, _ in rows}
    assert rows["class activation maps", "train"][0].recipes == ("a", "b")


def test_the_first_random_seed_is_shown(tmp_path: Path) -> None:
    rows = found(tmp_path, random_seeds=[3, 4])
    assert [layer.path for layer in rows["class activation maps", "train"]] == ["<results>/plain~seed=3/cam/cams.h5"]


def test_without_masks_no_ground_truth_and_no_scores(tmp_path: Path) -> None:
    mine = config(make_voc(tmp_path / "voc"), mask_folder=None)
    assert pictures.ground_truths(mine) == pictures.confusions(mine) == []
    assert "<tables>/report/pictures" in targets.targets(mine)


def test_an_unscored_split_is_shown_without_iou(tmp_path: Path) -> None:
    root = make_voc(tmp_path / "voc")
    for split, names in {"val": ("v0",), "extra": ("v1",)}.items():
        write_list(root, split, names)
    splits = {name: f"ImageSets/Segmentation/{name}.txt" for name in ("val", "extra")}
    rows = found(tmp_path, root, splits=splits, unscored=["extra"])
    assert ("ground truth", "extra") not in rows
    assert rows["prediction", "extra"][0].confusions is None
    assert rows["prediction", "val"][0].confusions is not None


def test_settings_name_files_by_their_place_in_the_inputs(tmp_path: Path) -> None:
    mine = config(make_voc(tmp_path / "voc"), recipes={"a": {}, "b": {"segmenter": "masking"}})
    settings, layers = json.loads(pictures.settings(mine)), pictures.layers(mine)
    assert settings["recipes"] == ["a", "b"]
    assert (settings["images"], settings["pred_ignore"]) == (2000, "count_as_wrong")
    lists = {name: getattr(pictures, name)(mine) for name in ("sources", "confusions", "scores", "ground_truths")}
    for row, layer in zip(settings["layers"], layers, strict=True):
        place = "ground_truths" if layer.kind == "ground_truth" else "sources"
        assert lists[place][row["source"]] == layer.path
        for name in ("confusions", "scores"):
            assert (None if row[name] is None else lists[name][row[name]]) == getattr(layer, name)
        assert (None if row["before"] is None else layers[row["before"]].path) == layer.before
    assert all(len(set(paths)) == len(paths) for paths in lists.values())
