from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from wsss_steps import __main__ as commands
from wsss_steps import summarise
from wsss_steps.errors import UserError
from wsss_steps.formats.files import VERSION, write_json
from wsss_steps.formats.kinds.saliency import SALIENCY
from wsss_steps.formats.stores import write_store
from wsss_steps.formats.weights import write_weights
from wsss_steps.report import tables

STAGES = ("cams", "seeds", "pseudo_labels", "segmentation_crf")


def write_score(path: Path, stage: str, **overrides: Any) -> Path:
    numbers = {"miou": 0.5, "ci_low": 0.4567891, "ci_high": 0.55, "fp": 0.2, "fn": 0.25, "pixel_acc": 0.9}
    content = {"format": "wsss/score", "version": VERSION, "stage": stage, "split": "train", **numbers}
    content |= {"coverage": 0.75, "precision": 0.875, "images": 400, "threshold": None, "gt_used_for": "evaluation"}
    write_json(path, {**content, **overrides})
    return path


def write_checkpoint(path: Path, kind: str, init_weights: str) -> Path:
    content = {"init_weights": init_weights, "compute_precision": "tf32"}
    write_weights(path, kind, {"w": torch.zeros(2)}, content=content, stamp="{}")
    return path


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, Any]:
    """Scores and checkpoints of two recipes, and `settings` about them."""
    classifier = write_checkpoint(tmp_path / "c.safetensors", "classifier", "torchvision resnet50-0676ba61.pth")
    segmenter = write_checkpoint(tmp_path / "s.safetensors", "segmenter", "random")
    scores, checkpoints, rows = [], [], []
    for recipe in ("cam", "superpixel"):
        for stage in STAGES:
            chosen = (
                {"threshold": 0.3, "gt_used_for": "evaluation and choice of the threshold"} if stage == "cams" else {}
            )
            scores.append(write_score(tmp_path / recipe / f"{stage}.json", stage, **chosen))
            checkpoints.append(classifier if stage in ("cams", "seeds") else segmenter)
            crf = "deeplab" if stage == "segmentation_crf" else "none"
            network = "classifier" if stage in ("cams", "seeds") else "segmenter"
            about = {"recipe": recipe, "random_seed": None, "stage": stage, "split": "train", "network": network}
            rows.append(about | {"crf": crf, "scales": [1.0, 0.75, 0.5]})
            rows[-1] |= {"extra_supervision": "", "saliency": None, "made_of_ground_truth": "", "label_images": ""}
    return {
        "scores": scores,
        "checkpoints": checkpoints,
        "saliency": [],
        "settings": {"rows": rows, "saliency": []},
    }


def with_saliency(inputs: dict[str, Any], folder: Path, name: str, supervision: str) -> None:
    """Let the second recipe use saliency maps that leave out two images."""
    grid = np.zeros((2, 2), np.uint8)
    items = [(image, {"saliency": grid}) for image in "abc"]
    write_store(folder / "saliency.h5", SALIENCY, items, stamp="{}", left_out=["b", "c"])
    inputs["saliency"], inputs["settings"]["saliency"] = [folder / "saliency.h5"], [name]
    for row in inputs["settings"]["rows"][5:]:
        row |= {"extra_supervision": supervision, "saliency": name}
        row |= {"made_of_ground_truth": "saliency" if name == "ground_truth" else ""}


def test_one_row_per_score(inputs: dict[str, Any], tmp_path: Path) -> None:
    summarise.run(**inputs, output=tmp_path / "summary.csv")
    with (tmp_path / "summary.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["recipe"], row["stage"]) for row in rows] == [(r, s) for r in ("cam", "superpixel") for s in STAGES]
    assert rows[0] == {
        "recipe": "cam",
        "random_seed": "",
        "stage": "cams",
        "split": "train",
        "miou": "0.500000",
        "ci_low": "0.456789",
        "ci_high": "0.550000",
        "fp": "0.200000",
        "fn": "0.250000",
        "pixel_acc": "0.900000",
        "coverage": "0.750000",
        "precision": "0.875000",
        "images": "400",
        "threshold": "0.3",
        "gt_used_for": "evaluation and choice of the threshold",
        "init_weights": "torchvision resnet50-0676ba61.pth",
        "compute_precision": "tf32",
        "crf": "none",
        "scales": "1 0.75 0.5",
        "label_images": "",
        "extra_supervision": "",
        "left_out": "0",
    }
    assert (rows[3]["init_weights"], rows[3]["threshold"], rows[3]["crf"]) == ("random", "", "deeplab")


def test_the_file_to_the_byte(inputs: dict[str, Any], tmp_path: Path) -> None:
    nothing = dict.fromkeys(("miou", "ci_low", "ci_high", "fp", "fn", "pixel_acc", "coverage", "precision"))
    write_score(inputs["scores"][1], "seeds", **nothing, images=0, gt_used_for="nothing")
    with_saliency(inputs, tmp_path, "given", 'saliency: "given"')
    for name in ("scores", "checkpoints"):
        inputs[name] = [inputs[name][0], inputs[name][1], inputs[name][7]]
    inputs["settings"]["rows"] = [inputs["settings"]["rows"][number] for number in (0, 1, 7)]
    for row, seed in zip(inputs["settings"]["rows"], (0, 0, 1), strict=True):
        row["random_seed"] = seed
    inputs["settings"]["rows"][2]["scales"] = None
    summarise.run(**inputs, output=tmp_path / "summary.csv")
    lines = (tmp_path / "summary.csv").read_bytes().decode().split("\n")
    weights, numbers = "torchvision resnet50-0676ba61.pth", "0.500000,0.456789,0.550000,0.200000,0.250000,0.900000"
    assert lines == [
        ",".join(tables.COLUMNS),
        f"cam,0,cams,train,{numbers},0.750000,0.875000,400,0.3,evaluation and choice of the threshold,"
        f"{weights},tf32,none,1 0.75 0.5,,,0",
        f"cam,0,seeds,train,,,,,,,,,0,,nothing,{weights},tf32,none,1 0.75 0.5,,,0",
        f"superpixel,1,segmentation_crf,train,{numbers},0.750000,0.875000,400,,evaluation,"
        'random,tf32,deeplab,,,"saliency: ""given""",2',
        "",
    ]


def test_extra_supervision_is_declared(inputs: dict[str, Any], tmp_path: Path) -> None:
    with_saliency(inputs, tmp_path, "given", "saliency: given; COCO segmentation weights")
    summarise.run(**inputs, output=tmp_path / "summary.csv")
    rows = tables.read(tmp_path / "summary.csv")
    assert rows["extra_supervision"].tolist() == [""] * 5 + ["saliency: given; COCO segmentation weights"] * 3
    assert rows["left_out"].tolist() == ["0"] * 5 + ["2"] * 3
    lines = tables.table(rows)
    assert "Extra supervision: saliency: given; COCO segmentation weights (recipes: superpixel)" in lines
    assert "Training images left out without a saliency map: 2 (recipes: superpixel)" in lines


def test_saliency_made_of_the_ground_truth_is_declared(inputs: dict[str, Any], tmp_path: Path) -> None:
    with_saliency(inputs, tmp_path, "ground_truth", "saliency: ground truth")
    write_score(inputs["scores"][5], "seeds", gt_used_for="nothing")
    summarise.run(**inputs, output=tmp_path / "summary.csv")
    rows = tables.read(tmp_path / "summary.csv")
    assert rows["gt_used_for"][4] == "evaluation and choice of the threshold"
    assert rows["gt_used_for"].tolist()[5:] == ["saliency", *["evaluation and saliency"] * 2]
    line = "Saliency made of the ground truth, an upper bound and no weak supervision: superpixel"
    assert line in tables.table(rows)


def test_without_extra_supervision_the_table_says_so(inputs: dict[str, Any], tmp_path: Path) -> None:
    summarise.run(**inputs, output=tmp_path / "summary.csv")
    lines = tables.table(tables.read(tmp_path / "summary.csv"))
    assert "Extra supervision: none; training was given image-level tags alone" in lines


def test_a_stage_without_ground_truth_has_empty_fields(inputs: dict[str, Any], tmp_path: Path) -> None:
    nothing = dict.fromkeys(("miou", "ci_low", "ci_high", "fp", "fn", "pixel_acc", "coverage", "precision"))
    write_score(inputs["scores"][1], "seeds", **nothing, images=0, gt_used_for="nothing")
    summarise.run(**inputs, output=tmp_path / "summary.csv")
    rows = tables.read(tmp_path / "summary.csv")
    assert (rows["miou"][1], rows["images"][1]) == ("", "0")
    lines = tables.table(rows)
    assert "- no ground truth: not scored" in lines
    assert next(line for line in lines if "seeds" in line).split()[2:9] == ["-"] * 7


def test_scores_in_another_order_are_refused(inputs: dict[str, Any], tmp_path: Path) -> None:
    inputs["scores"][:2] = inputs["scores"][1::-1]
    words = r"seeds\.json: expected the score of stage cams, train, found seeds, train"
    with pytest.raises(UserError, match=words) as caught:
        summarise.run(**inputs, output=tmp_path / "summary.csv")
    assert "(2):" in str(caught.value)


def test_lists_of_unequal_length_are_refused(inputs: dict[str, Any], tmp_path: Path) -> None:
    inputs["checkpoints"].pop()
    with pytest.raises(ValueError, match="of 8 rows, 8 of them with a network; found 8, 7"):
        summarise.run(**inputs, output=tmp_path / "summary.csv")


def test_a_row_without_a_network_has_no_checkpoint(inputs: dict[str, Any], tmp_path: Path) -> None:
    inputs["settings"]["rows"][0]["network"] = None
    inputs["checkpoints"].pop(0)
    summarise.run(**inputs, output=tmp_path / "summary.csv")
    found = pd.read_csv(tmp_path / "summary.csv", dtype=str, keep_default_na=False)
    assert found["init_weights"].tolist()[:3] == ["", "torchvision resnet50-0676ba61.pth", "random"]
    assert found["compute_precision"].tolist()[:2] == ["", "tf32"]


def test_a_checkpoint_of_another_kind_is_refused(inputs: dict[str, Any], tmp_path: Path) -> None:
    inputs["checkpoints"].reverse()
    with pytest.raises(UserError, match="expected weights wsss/classifier version 1, found wsss/segmenter"):
        summarise.run(**inputs, output=tmp_path / "summary.csv")
    assert not (tmp_path / "summary.csv").exists()


# ---- the printed table ---------------------------------------------------------------------------------------------


def test_the_table_is_grouped_aligned_and_narrow(
    inputs: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    path = tmp_path / "summary.csv"
    summarise.run(**inputs, output=path)
    commands.main(["show", str(path)])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 120
    assert [line for line in lines if line in ("cam", "superpixel")] == ["cam", "superpixel"]
    head = next(line for line in lines if "mIoU" in line and "FP" in line and "interval" in line)
    row = next(line for line in lines if "segmentation_crf" in line)
    assert row[: head.index("mIoU") + 4].endswith("50.0")
    assert "45.7 - 55.0" in row
    assert "* background threshold chosen by the ground truth of the same images: 0.3" in lines
    assert sum("cams*" in line for line in lines) == 2
    assert "Initial weights, classifier: torchvision resnet50-0676ba61.pth" in lines
    assert "Initial weights, segmenter: random" in lines
    assert f"Table: {path}" in lines


def test_the_rows_of_each_random_seed_are_apart(inputs: dict[str, Any], tmp_path: Path) -> None:
    for number, row in enumerate(inputs["settings"]["rows"]):
        row |= {"recipe": "cam", "random_seed": number // len(STAGES)}
    summarise.run(**inputs, output=tmp_path / "summary.csv")
    rows = tables.read(tmp_path / "summary.csv")
    assert rows["random_seed"].tolist() == ["0"] * 4 + ["1"] * 4
    lines = tables.table(rows)
    assert [line for line in lines if line.startswith("cam")] == ["cam, random seed 0", "cam, random seed 1"]


def test_long_names_keep_the_width(inputs: dict[str, Any], tmp_path: Path) -> None:
    for row in inputs["settings"]["rows"]:
        row["recipe"], row["scales"] = "x" * 300, [round(0.1 * step, 1) for step in range(1, 30)]
    summarise.run(**inputs, output=tmp_path / "summary.csv")
    assert max(map(len, tables.table(tables.read(tmp_path / "summary.csv")))) <= 120


def test_a_table_of_superpixels_is_printed_as_it_stands(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = tmp_path / "superpixels.csv"
    path.write_text("superpixels,images,ue\ndino,400,0.1234\nslic~count=7,400,0.5\n")
    commands.main(["show", str(path)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:4] == [
        "superpixels   images      ue",
        "dino             400  0.1234",
        "slic~count=7     400     0.5",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "expected the columns recipe, random_seed, stage, .*; found a, b"),
        ("", "found none"),
        (",".join(tables.COLUMNS) + "\n", "the table has no rows"),
        (
            "# Some text\n\nwith commas, of which\nsome lines, but not all, have more",
            "expected a table in CSV .*line 4",
        ),
    ],
)
def test_another_file_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        tables.read(tmp_path / "x.csv")


def test_no_file(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit, match="1"):
        commands.main(["show", str(tmp_path / "x.csv")])
    assert "x.csv: no such file or folder" in capsys.readouterr().err
