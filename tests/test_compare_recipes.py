"""The tables over random seeds: worked by hand on two images, two random seeds, background and one class."""

from __future__ import annotations

import csv
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from wsss_steps import compare_recipes
from wsss_steps.errors import UserError
from wsss_steps.formats.kinds.confusions import CONFUSIONS
from wsss_steps.formats.stores import write_store
from wsss_steps.ops.bootstrap import bootstrap_miou
from wsss_steps.ops.evaluation import measures
from wsss_steps.report import tables

# (recipe, random seed) -> pixels of both images by ground truth (row) and prediction (column); the last is unlabelled
COUNTS = {
    ("cam", "0"): [[[5, 1, 0], [1, 3, 0]], [[8, 0, 0], [1, 0, 1]]],
    ("cam", "1"): [[[6, 0, 0], [2, 2, 0]], [[7, 1, 0], [1, 1, 0]]],
    ("sp", "0"): [[[6, 0, 0], [0, 4, 0]], [[8, 0, 0], [1, 1, 0]]],
    ("sp", "1"): [[[6, 0, 0], [3, 1, 0]], [[8, 0, 0], [1, 1, 0]]],
}
IOU = {  # background, cat
    ("cam", "0"): (Fraction(13, 16), Fraction(3, 7)),
    ("cam", "1"): (Fraction(13, 17), Fraction(3, 7)),
    ("sp", "0"): (Fraction(14, 15), Fraction(5, 6)),
    ("sp", "1"): (Fraction(14, 18), Fraction(2, 6)),
}
MIOU = {run: float(sum(iou) / 2) for run, iou in IOU.items()}
SETTINGS = {
    "pred_ignore": "count_as_wrong",
    "absent": "nan_skip",
    "bootstrap": 300,
    "seed": 0,
    "object_sizes": [0.3],  # the cat has 4 of 10 pixels in one image, 2 of 10 in the other
}
OUTPUTS = ("means", "differences", "per_class", "by_size", "tables")
STAGES = (("cams", "train"), ("segmentation_crf", "val"))


def summary_row(recipe: str, seed: str, stage: str, split: str, **changes: str) -> dict[str, str]:
    row = dict.fromkeys(tables.COLUMNS, "") | {"recipe": recipe, "random_seed": seed, "stage": stage, "split": split}
    row |= {"miou": f"{MIOU[recipe, seed]:.6f}", "fp": {"0": "0.1", "1": "0.2"}[seed], "images": "2", "left_out": "0"}
    row |= {"gt_used_for": "evaluation", "init_weights": "random", "crf": "deeplab"}
    if stage == "cams":
        row |= {"threshold": {"0": "0.3", "1": "0.4"}[seed], "gt_used_for": "evaluation and choice of the threshold"}
    return row | changes


class Case:
    """The inputs of the step for some runs, all stages with the same pixels, and where its outputs go."""

    def __init__(self, folder: Path, runs: dict[tuple[str, str], tuple[str, str]] | None = None) -> None:
        self.folder = folder
        self.runs = runs or {run: run for run in COUNTS}
        self.rows = [
            summary_row(*run, *place) | {"recipe": recipe, "random_seed": seed}
            for (recipe, seed), run in self.runs.items()
            for place in STAGES
        ]
        self.paths = [self.store(run, stage) for run in self.runs.values() for stage, _ in STAGES]

    def store(self, run: tuple[str, str], stage: str) -> Path:
        path = self.folder / f"{run[0]}-{run[1]}-{stage}.h5"
        items = [(image, {"confusion": np.array(table)}) for image, table in zip("ab", COUNTS[run], strict=True)]
        write_store(path, CONFUSIONS, items, stamp="{}", classes=["cat"])
        return path

    def run(self, **settings: Any) -> dict[str, Any]:
        with (self.folder / "summary.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, tables.COLUMNS)
            writer.writeheader()
            writer.writerows(self.rows)
        outputs = {name: self.folder / f"{name}.{'md' if name == 'tables' else 'csv'}" for name in OUTPUTS}
        given = {"summary": self.folder / "summary.csv", "confusions": self.paths, "settings": SETTINGS | settings}
        compare_recipes.run(**given, **outputs)
        found = {name: pd.read_csv(path) for name, path in outputs.items() if name != "tables"}
        return found | {"tables": outputs["tables"].read_text(encoding="utf-8")}


def of_stage(frame: pd.DataFrame, stage: str = "segmentation_crf") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = frame[frame["stage"] == stage].to_dict("records")
    return found


def test_the_scores_by_hand_are_those_of_the_counts() -> None:
    for run, table in COUNTS.items():
        assert measures(np.array(table).sum(axis=0)).iou.tolist() == pytest.approx([float(iou) for iou in IOU[run]])


def test_means_by_hand(tmp_path: Path) -> None:
    found = Case(tmp_path).run()["means"]
    assert tuple(found.columns) == tables.MEANS
    assert list(found["recipe"] + " " + found["stage"]) == [
        f"{recipe} {stage}" for recipe in ("cam", "sp") for stage, _ in STAGES
    ]
    cams, last = found.to_dict("records")[:2]
    first, second = MIOU["cam", "0"], MIOU["cam", "1"]
    assert (last["split"], last["n"], last["images"], last["crf"]) == ("val", 2, 2, "deeplab")
    assert last["miou"] == pytest.approx((first + second) / 2, abs=1e-6)
    assert last["sd"] == pytest.approx(abs(first - second) / 2**0.5, abs=1e-6)
    assert (last["min"], last["max"]) == pytest.approx((min(first, second), max(first, second)), abs=1e-6)
    assert last["ci_low"] < last["miou"] < last["ci_high"]
    assert last["fp"] == pytest.approx(0.15)
    assert np.isnan(last["fn"])
    assert (cams["threshold"], cams["gt_used_for"]) == ("0.3; 0.4", "evaluation and choice of the threshold")


def test_differences_by_hand(tmp_path: Path) -> None:
    found = Case(tmp_path).run()["differences"]
    assert list(found["stage"]) == ["cams", "segmentation_crf"]
    (row,) = of_stage(found)
    expected = [MIOU["sp", seed] - MIOU["cam", seed] for seed in "01"]
    assert (row["recipe"], row["other"], row["n"], row["better"]) == ("sp", "cam", 2, 1)
    assert row["difference"] == pytest.approx(sum(expected) / 2, abs=1e-6)
    assert row["ci_low"] < row["difference"] < row["ci_high"]


def test_scores_per_class_by_hand(tmp_path: Path) -> None:
    found = of_stage(Case(tmp_path).run()["per_class"])
    assert [(row["recipe"], row["class"], row["n"]) for row in found] == [
        (recipe, name, 2) for recipe in ("cam", "sp") for name in ("background", "cat")
    ]
    assert [row["share"] for row in found] == pytest.approx([14 / 20, 6 / 20] * 2)
    for row in found:
        values = [float(IOU[row["recipe"], seed][row["class"] == "cat"]) for seed in "01"]
        assert (row["iou"], row["sd"]) == pytest.approx((np.mean(values), np.std(values, ddof=1)), abs=1e-6)


def test_scores_by_size_by_hand(tmp_path: Path) -> None:
    small, large = of_stage(Case(tmp_path).run()["by_size"])[:2]  # of cam
    assert [(row["from"], row["to"], row["n"], row["objects"]) for row in (small, large)] == [
        (0, 0.3, 2, 1),
        (0.3, 1, 2, 1),
    ]
    assert (small["iou"], small["sd"]) == pytest.approx((1 / 6, (1 / 3) / 2**0.5), abs=1e-6)  # 0 of 2, then 1 of 3
    assert large["iou"] == pytest.approx((3 / 5 + 2 / 4) / 2, abs=1e-6)


def test_one_seed_has_no_deviation_and_the_interval_over_images(tmp_path: Path) -> None:
    found = Case(tmp_path, {("cam", ""): ("cam", "0"), ("sp", ""): ("sp", "0")}).run()
    row = of_stage(found["means"])[0]
    assert row["n"] == 1
    assert np.isnan(row["sd"])
    expected = bootstrap_miou(np.array(COUNTS["cam", "0"]), draws=300, seed=0)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(expected, abs=1e-6)
    assert found["tables"].count("n = 1 is a single run") == 2


def test_recipes_that_are_the_same_do_not_differ(tmp_path: Path) -> None:
    runs = {(name, seed): ("sp", seed) for name in ("a", "b") for seed in "01"}
    (row,) = of_stage(Case(tmp_path, runs).run()["differences"])
    assert (row["difference"], row["ci_low"], row["ci_high"], row["better"], row["n"]) == (0, 0, 0, 0, 2)


def test_the_other_order_of_recipes_negates_differences(tmp_path: Path) -> None:
    turned = dict(reversed([(run, run) for run in COUNTS]))
    (row,), (other,) = (of_stage(case.run()["differences"]) for case in (Case(tmp_path), Case(tmp_path, turned)))
    assert (other["recipe"], other["other"], other["better"]) == ("cam", "sp", 1)
    assert [other["difference"], other["ci_low"], other["ci_high"]] == pytest.approx(
        [-row["difference"], -row["ci_high"], -row["ci_low"]], abs=2e-6
    )


def test_a_network_that_is_the_same_for_all_seeds_is_one_run(tmp_path: Path) -> None:
    found = Case(tmp_path, {run: ("sp", "0") if run[0] == "sp" else run for run in COUNTS}).run()
    rows = {row["recipe"]: row for row in of_stage(found["means"])}
    assert (rows["cam"]["n"], rows["sp"]["n"]) == (2, 1)
    assert np.isnan(rows["sp"]["sd"])
    (row,) = of_stage(found["differences"])
    assert (row["n"], row["better"]) == (2, 2)  # against each run of the other recipe
    assert row["difference"] == pytest.approx(MIOU["sp", "0"] - (MIOU["cam", "0"] + MIOU["cam", "1"]) / 2, abs=1e-6)


def test_two_networks_that_are_the_same_for_all_seeds_are_one_pair(tmp_path: Path) -> None:
    found = Case(tmp_path, {run: (run[0], "0") for run in COUNTS}).run()
    (row,) = of_stage(found["differences"])
    assert (row["n"], row["better"]) == (1, 1)
    assert found["tables"].count("n = 1 is a single run") == 2


def test_people_see_the_differences_from_the_first_recipe(tmp_path: Path) -> None:
    runs = {(name, seed): ("sp" if name == "sp" else "cam", seed) for name in ("cam", "sp", "other") for seed in "01"}
    found = Case(tmp_path, runs).run()
    pairs = [(row["recipe"], row["other"]) for row in of_stage(found["differences"])]
    assert pairs == [("sp", "cam"), ("other", "cam"), ("other", "sp")]
    section = found["tables"].partition("## Differences from `cam`")[2].partition("##")[0]
    assert re.findall(r"\| `(\w+)` +\| segmentation_crf +\| val +\| +2 \| +(-?\d+\.\d) ", section) == [
        ("sp", "11.1"),
        ("other", "0.0"),
    ]


def test_the_policy_of_unlabelled_pixels_is_that_of_the_scores(tmp_path: Path) -> None:
    case = Case(tmp_path)
    excluded = f"{float(Fraction(13, 16) + Fraction(3, 6)) / 2:.6f}"
    for row in case.rows[:2]:
        row["miou"] = excluded
    found = case.run(pred_ignore="exclude")
    assert of_stage(found["means"])[0]["max"] == pytest.approx(float(excluded), abs=1e-6)
    assert of_stage(found["by_size"])[0]["objects"] == 1  # the pixels of the ground truth are all counted


def test_a_stage_that_is_not_scored_has_empty_fields(tmp_path: Path) -> None:
    case = Case(tmp_path)
    for row, path in zip(case.rows, case.paths, strict=True):
        if row["stage"] == "cams":
            row |= {"miou": "", "fp": "", "images": "0", "threshold": "", "gt_used_for": "nothing"}
            write_store(path, CONFUSIONS, [], stamp="{}", classes=["cat"])
    found = case.run()
    (row,) = [row for row in of_stage(found["means"], "cams") if row["recipe"] == "cam"]
    assert np.isnan([row[name] for name in ("miou", "sd", "ci_low", "fp")]).all()
    assert np.isnan(of_stage(found["differences"], "cams")[0]["difference"])
    assert [row["objects"] for row in of_stage(found["by_size"], "cams")] == [0] * 4


def test_one_recipe_has_no_differences(tmp_path: Path) -> None:
    found = Case(tmp_path, {("cam", seed): ("cam", seed) for seed in "01"}).run()
    assert found["differences"].empty
    assert list(found["differences"].columns)[:4] == ["stage", "split", "recipe", "other"]
    assert "## Differences" not in found["tables"]


def test_the_tables_for_people(tmp_path: Path) -> None:
    case = Case(tmp_path)
    for row in case.rows[4:]:
        row["extra_supervision"] = "saliency: given"
    text = case.run()["tables"]
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        "# Recipes compared",
        "## Means",
        "## Differences from `cam`",
        "## Per class",
        "## By object size",
    ]
    assert "\\* background threshold chosen by the ground truth of the same images: 0.3; 0.4." in text
    assert "Extra supervision: saliency: given (`sp`)." in text
    assert "single run" not in text
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("|")]
    assert ["`cam`", "segmentation_crf", "val", "2", "60.9 ± 1.7"] in [row[:5] for row in rows]
    assert ["`cam`", "cams\\*", "train", "2"] in [row[:4] for row in rows]
    assert ["`sp`", "segmentation_crf", "val", "2", "11.1", "1 of 2"] in [[*row[:5], row[-1]] for row in rows]
    assert ["cat", "42.9 ± 0.0", "58.3 ± 35.4"] in rows
    assert ["0.0 to 30.0", "1", "16.7 ± 23.6", "50.0 ± 0.0"] in rows


def test_means_are_printed_within_the_width(tmp_path: Path) -> None:
    Case(tmp_path).run()
    lines = tables.printed(tmp_path / "means.csv").splitlines()
    assert max(map(len, lines)) <= tables.WIDTH
    head = next(line for line in lines if "mIoU" in line)
    row = next(line for line in lines if line.strip().startswith("segmentation_crf"))
    assert head.split()[2:5] == ["mIoU", "n", "sd"]
    assert row.split()[2:5] == ["60.9", "2", "1.7"]
    assert "Means over n random seeds, which the interval draws again too; sd: deviation between them." in lines
    assert "* background threshold chosen by the ground truth of the same images: 0.3; 0.4" in lines


# ---- what is refused


def test_stores_of_other_images_are_refused(tmp_path: Path) -> None:
    case = Case(tmp_path)
    items = [(image, {"confusion": np.array(table)}) for image, table in zip("ac", COUNTS["sp", "1"], strict=True)]
    write_store(case.paths[-1], CONFUSIONS, items, stamp="{}", classes=["cat"])
    with pytest.raises(UserError, match="sp-1-segmentation_crf.h5: expected the 2 images of .*, not all the same"):
        case.run()


def test_stores_in_another_order_than_the_rows_are_refused(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.paths.reverse()
    with pytest.raises(UserError, match=r"expected the mIoU 0\.\d{6} of summary.csv, found") as caught:
        case.run()
    assert "(4):" in str(caught.value)
    assert not (tmp_path / "means.csv").exists()


def test_lists_of_unequal_length_are_refused(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.paths.pop()
    with pytest.raises(ValueError, match="for each of 8 rows, found 7"):
        case.run()
