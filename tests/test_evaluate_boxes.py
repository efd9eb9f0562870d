"""Scoring the boxes of class activation maps on maps of 6 x 6 pixels, and the table of all scores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wsss_steps import __main__ as commands
from wsss_steps import evaluate_boxes, summarise_boxes
from wsss_steps.data.boxes import ObjectBox, write_boxes
from wsss_steps.data.manifest import Entry, Manifest, write_manifest
from wsss_steps.errors import UserError
from wsss_steps.formats.kinds.cams import CAMS
from wsss_steps.formats.stores import write_store
from wsss_steps.ops.overlap import Box
from wsss_steps.settings.steps import EvaluateBoxes
from wsss_steps.workflow import boxes as rows_of_table
from wsss_steps.workflow import configuration

CLASSES = ("cat", "dog", "cow")
SIDE = 6
EMPTY = np.zeros((0, SIDE, SIDE))
TRUTH = {
    "a": [ObjectBox(1, (0, 0, 2, 2), False), ObjectBox(1, (3, 3, 6, 6), False), ObjectBox(2, (0, 4, 6, 6), False)],
    "b": [ObjectBox(1, (0, 0, 4, 2), False)],
    "c": [ObjectBox(2, (0, 0, 3, 3), False), ObjectBox(2, (4, 4, 6, 6), True)],
    "d": [ObjectBox(1, (2, 2, 4, 4), True)],
    "e": [],
}
MAPS: dict[str, dict[int, list[Box]]] = {
    "a": {1: [(3, 3, 6, 6)], 2: [(0, 0, 2, 2)]},  # the second cat exactly; no dog
    "b": {1: [(0, 0, 2, 2)]},  # half of the cat: IoU 1 / 2
    "c": {2: [(4, 4, 6, 6)]},  # the difficult dog
    "d": {1: [(2, 2, 4, 4)]},  # the difficult cat
    "e": {1: [(0, 0, 1, 1)]},  # a tag without an object
}


def cam_of(boxes: list[Box]) -> np.ndarray:
    """A map of 1 in the boxes, surrounded by what is below the threshold."""
    values = np.full((SIDE, SIDE), 0.1, np.float32)
    for y_min, x_min, y_max, x_max in boxes:
        values[y_min:y_max, x_min:x_max] = 1
    return values


def write_maps(path: Path, maps: dict[str, dict[int, np.ndarray]]) -> None:
    items = [
        (name, {"cam": np.array(list(found.values()) or EMPTY, np.float32), "class": np.array(list(found), np.uint8)})
        for name, found in maps.items()
    ]
    write_store(path, CAMS, items, stamp="{}", classes=list(CLASSES))


def whole_maps() -> dict[str, dict[int, np.ndarray]]:
    return {name: {label: cam_of(boxes) for label, boxes in found.items()} for name, found in MAPS.items()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Manifest, boxes and maps of five images; the boxes of a sixth are not known."""
    entries = [Entry(name, "train", f"{name}.jpg", SIDE, SIDE, tuple(MAPS.get(name, ()))) for name in "abcdef"]
    write_manifest(tmp_path / "m.json", Manifest("test", CLASSES, tuple(entries)))
    write_boxes(tmp_path / "b.json", {name: tuple(found) for name, found in TRUTH.items()})
    write_maps(tmp_path / "cams.h5", whole_maps())
    return tmp_path


def run(folder: Path, **overrides: Any) -> dict[str, Any]:
    settings = EvaluateBoxes(**{"bootstrap": 50} | overrides).model_dump(mode="json")
    names = {"manifest": "m.json", "boxes": "b.json", "cams": "cams.h5", "output": "pairs.csv", "score": "score.json"}
    paths = {key: folder / name for key, name in names.items()}
    evaluate_boxes.run(**paths, settings=settings, stamp='{"step": "test"}')
    score: dict[str, Any] = json.loads(paths["score"].read_text())
    return score


def test_by_hand(folder: Path) -> None:
    """Cats: both right, one at exactly the threshold; dogs: both wrong; no cow. In d and e nothing counts."""
    score = run(folder)
    assert [(one["class"], one["right"], one["images"], one["corloc"]) for one in score["per_class"]] == [
        ("cat", 2, 2, 1.0),
        ("dog", 0, 2, 0.0),
        ("cow", 0, 0, None),
    ]
    assert (score["corloc"], score["localisation_error"]) == (1 / 2, 2 / 4)
    assert (score["images"], score["pairs"], score["without_box"]) == (3, 4, 0)
    assert 0 <= score["ci_low"] <= 0.5 <= score["ci_high"] <= 1
    assert (score["split"], score["gt_used_for"], score["provenance"]) == ("train", "evaluation", {"step": "test"})
    assert (folder / "pairs.csv").read_bytes().decode() == (
        "id,class,y_min,x_min,y_max,x_max,iou,right\n"
        "a,cat,3,3,6,6,1.000000,1\n"
        "a,dog,0,0,2,2,0.000000,0\n"
        "b,cat,0,0,2,2,0.500000,1\n"
        "c,dog,4,4,6,6,0.000000,0\n"
    )


def test_difficult_objects_count_if_they_are_to(folder: Path) -> None:
    score = run(folder, difficult="include")
    assert [(one["right"], one["images"]) for one in score["per_class"]] == [(3, 3), (1, 2), (0, 0)]
    assert (score["images"], score["localisation_error"]) == (4, 1 / 5)
    assert score["corloc"] == (1 + 1 / 2) / 2


def test_the_error_is_that_of_all_pairs_and_corloc_the_mean_of_the_classes(folder: Path) -> None:
    more = {**TRUTH, "f": [ObjectBox(1, (0, 0, 1, 1), False)]}
    write_boxes(folder / "b.json", {name: tuple(found) for name, found in more.items()})
    write_maps(folder / "cams.h5", whole_maps() | {"f": {1: cam_of([(0, 0, 1, 1)])}})
    score = run(folder)
    assert (score["corloc"], score["localisation_error"]) == (1 / 2, 2 / 5)


@pytest.mark.parametrize("empty", ["a map of zeros", "no map of the class", "no map at all"])
def test_without_a_box_the_pair_is_wrong(empty: str, folder: Path) -> None:
    maps = whole_maps()
    maps["b"] = {
        "a map of zeros": {1: np.zeros((SIDE, SIDE), np.float32)},
        "no map of the class": {2: cam_of([(0, 0, 4, 2)])},
        "no map at all": {},
    }[empty]
    write_maps(folder / "cams.h5", maps)
    score = run(folder)
    assert (score["without_box"], score["pairs"], score["localisation_error"]) == (1, 4, 3 / 4)
    assert score["per_class"][0]["corloc"] == 1 / 2
    assert "b,cat,,,,,0.000000,0\n" in (folder / "pairs.csv").read_text()


def test_settings_decide(folder: Path) -> None:
    assert run(folder, iou=0.6)["per_class"][0]["right"] == 1
    assert run(folder, threshold=0.05)["per_class"][0]["right"] == 0, "all of the map"
    maps = whole_maps()
    maps["b"] = {1: cam_of([(0, 0, 2, 1), (2, 1, 4, 2)])}  # they touch at a corner
    write_maps(folder / "cams.h5", maps)
    assert run(folder)["per_class"][0]["right"] == 2
    assert run(folder, connectivity=4)["per_class"][0]["right"] == 1
    assert run(folder, seed=1)["ci_low"] is not None
    assert run(folder, bootstrap=0)["ci_low"] is None


def test_strided_maps_are_enlarged(folder: Path) -> None:
    """2 x 2 cells for 6 x 6 pixels, of which the upper left one reaches 20 % up to its neighbours' middles."""
    maps = whole_maps()
    maps["b"] = {1: np.array([[1, 0], [0, 0]], np.float32)}
    write_maps(folder / "cams.h5", {"b": maps["b"]})
    write_boxes(folder / "b.json", {"b": (ObjectBox(1, (0, 0, 4, 4), False),)})
    run(folder)
    assert (folder / "pairs.csv").read_text().splitlines()[1] == "b,cat,0,0,4,4,1.000000,1"


def test_without_any_object_the_score_is_empty(folder: Path) -> None:
    write_boxes(folder / "b.json", {"e": ()})
    score = run(folder)
    assert (score["corloc"], score["ci_low"], score["localisation_error"]) == (None, None, None)
    assert (score["images"], score["pairs"], score["gt_used_for"]) == (0, 0, "nothing")
    assert len((folder / "pairs.csv").read_text().splitlines()) == 1


def test_the_same_twice(folder: Path) -> None:
    run(folder)
    before = [(folder / name).read_bytes() for name in ("pairs.csv", "score.json")]
    run(folder)
    assert before == [(folder / name).read_bytes() for name in ("pairs.csv", "score.json")]


def test_guards(folder: Path) -> None:
    maps = whole_maps()
    write_maps(folder / "cams.h5", {name: maps[name] for name in "ad"})
    with pytest.raises(UserError, match=r"cams\.h5: images without class maps \(3\):\n  b\n  c\n  e$"):
        run(folder)
    for name in "bc":
        maps[name] = {1: np.ones((5, 7), np.float32)}
    write_maps(folder / "cams.h5", maps)
    expected = r"expected class maps of \(6, 6\) or \(2, 2\) \(H, W\), found \(5, 7\)"
    with pytest.raises(UserError, match=rf"(?s)that do not fit their images \(2\):\n  b: {expected}\n  c: {expected}"):
        run(folder)
    assert not (folder / "score.json").exists()


# ---- the table


def test_the_table_has_a_row_per_maps_and_is_printed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(folder, bootstrap=0)
    first = folder / "score.json"
    second = first.rename(folder / "first.json")
    run(folder, bootstrap=0, difficult="include", iou=0.25)
    rows = [{"recipe": "cam", "random_seed": seed, "cams": cams} for seed, cams in ((0, "cam"), (1, "cam+pamr"))]
    table = folder / "boxes.csv"
    settings = {"rows": rows, "classes": list(CLASSES)}
    summarise_boxes.run(scores=[second, first], output=table, settings=settings)
    assert table.read_bytes().decode() == (
        "recipe,random_seed,cams,split,corloc,ci_low,ci_high,localisation_error,images,pairs,without_box,"
        "threshold,connectivity,iou,difficult,gt_used_for,corloc_cat,corloc_dog,corloc_cow\n"
        "cam,0,cam,train,0.500000,,,0.500000,3,4,0,0.2,8,0.5,exclude,evaluation,1.000000,0.000000,\n"
        "cam,1,cam+pamr,train,0.750000,,,0.200000,4,5,0,0.2,8,0.25,include,evaluation,1.000000,0.500000,\n"
    )
    commands.main(["show", str(table)])
    printed = capsys.readouterr().out
    assert "recipe              cams      split  CorLoc  95 % interval  error  images" in printed
    assert "cam, random seed 1  cam+pamr  train    75.0              -   20.0       4" in printed


def test_an_empty_table_of_scores_without_objects(folder: Path) -> None:
    write_boxes(folder / "b.json", {"e": ()})
    run(folder)
    rows = [{"recipe": "cam", "random_seed": None, "cams": "cam"}]
    table = folder / "boxes.csv"
    summarise_boxes.run(scores=[folder / "score.json"], output=table, settings={"rows": rows, "classes": list(CLASSES)})
    assert table.read_text().splitlines()[1] == "cam,,cam,train,,,,,0,0,0,0.2,8,0.5,exclude,nothing,,,"


def test_rows_are_the_links_of_every_run() -> None:
    config = configuration.load(
        {
            "dataset": "x",
            "draw": {},
            "classes": ["a"],
            "boxes": "Annotations",
            "random_seeds": [0, 1],
            "recipes": {"chain": {"cams": "cam+pamr+scg"}, "one": {"classifier": "mdc", "cams": "gradcam"}},
        }
    )
    found = [(row.name, row.random_seed, row.cams) for row in rows_of_table.rows(config)]
    chain = ("cam", "cam+pamr", "cam+pamr+scg")
    assert found == [
        *(("chain", seed, cams) for seed in (0, 1) for cams in chain),
        *(("one", seed, "gradcam") for seed in (0, 1)),
    ]
    assert rows_of_table.scores(config)[1].endswith("/cam+pamr/evaluation/boxes/train.json")
    assert rows_of_table.table(config) == ["<tables>/boxes.csv"]
    assert rows_of_table.table(config.model_copy(update={"boxes": None})) == []
