"""The whole workflow on a tiny data set: every file is made, and only what an edit affects is rewritten."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import h5py
import known
import numpy as np
import pytest
import snakemake_runs as runs
import tiny_voc
from PIL import Image

from wsss_steps.formats.kinds.refined_saliency import REFINED_SALIENCY
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.formats.stores import Store
from wsss_steps.formats.weights import read_weights_stamp

pytestmark = pytest.mark.workflow

TINY: dict[str, Any] = {
    **runs.DRAWN,
    "recipes": {
        "cam": runs.CAM_RECIPE,
        "superpixel": {"superpixels": "dino", "seeds": "superpixel~alpha=0.6", "segmenter": "spsrg"},
    },
    "compare_superpixels": ["dino", "slic~count=7", "dino~features=rgb"],
    "boxes": "Annotations",
    "classifier": {"plain": runs.QUICK_CLASSIFIER | {"epochs": 1}},
    "cams": {"cam": {"scales": [1.0, 0.5]}},
    "features": {"keys": {"vit": "own", "weights": "pretrain_keys"}},
    "segmenter": {name: runs.QUICK | {"epochs": 1, "warmup_epochs": 0.5} for name in ("plain", "spsrg")},
    "pretrain_keys": {
        "width": 24,
        "depth": 2,
        "heads": 2,
        "epochs": 1,
        "batch_size": 4,
        "global_crop": 32,
        "local_crop": 16,
        "prototypes": 16,
    },
    "evaluate": {"bootstrap": 50},
    "evaluate_boxes": {"bootstrap": 50},
    "gallery_images": 3,
}
STAGES = ["cams", "seeds", "pseudo_labels", "segmentation", "segmentation_crf"]
CAM, SUPERPIXEL = "plain/cam/none/threshold/plain", "plain/cam/dino/superpixel~alpha=0.6/spsrg"


def configure(folder: Path, **changes: Any) -> None:
    runs.configure(folder, {**TINY, **changes})


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """A copy of the project in which the workflow has run once."""
    folder = runs.project_in(tmp_path_factory.mktemp("project"), repository, TINY)
    (folder / "printed.txt").write_text(runs.succeed(folder))
    return folder


def test_every_artifact_is_there_and_whole(project: Path) -> None:
    results = project / "results" / "tiny"
    for path in (
        *(f"splits/{split}/{name}.json" for split in ("train", "val") for name in ("manifest", "ground_truth")),
        "plain/evaluation/tags/val.json",
        "configurations/test.yaml.json",
        "summary.csv",
        "superpixels.csv",
        "boxes.csv",
        "gallery.png",
        "warnings.json",
        "report/index.html",
        "report/page/numbers.js",
        "plain/classifier.safetensors",
    ):
        assert (results / path).is_file(), path
    for lineage in (CAM, SUPERPIXEL):
        assert len(list((results / lineage / "pseudo_labels").glob("*.png"))) == 10
        assert len(list((results / lineage / "segmentation_crf" / "val").glob("*.png"))) == 4
    assert not list(results.rglob("*.tmp"))
    assert not (results / "features" / "keys" / "features.h5").exists()  # temporary unless kept


def test_summary_has_a_row_per_recipe_and_stage(project: Path) -> None:
    with (project / "results" / "tiny" / "summary.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["recipe"], row["stage"]) for row in rows] == [
        (name, stage) for name in ("cam", "superpixel") for stage in STAGES
    ]
    assert all(0 <= float(row["ci_low"]) <= float(row["miou"]) <= float(row["ci_high"]) <= 1 for row in rows)
    assert {row["split"] for row in rows if row["stage"].startswith("segmentation")} == {"val"}
    assert all("threshold" in row["gt_used_for"] for row in rows if row["stage"] == "cams")
    # both recipes share classifier and maps
    assert rows[0]["miou"] == rows[5]["miou"]


def test_maps_are_scored_by_their_boxes(project: Path) -> None:
    with (project / "results/tiny/boxes.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["recipe"], row["cams"], row["split"], row["images"]) for row in rows] == [
        (name, "cam", "train", "10") for name in ("cam", "superpixel")
    ]
    found = rows[0]
    assert 0 <= float(found["ci_low"]) <= float(found["corloc"]) <= float(found["ci_high"]) <= 1
    per_class = [value for name, value in found.items() if name.startswith("corloc_") and value]
    assert float(found["corloc"]) == pytest.approx(sum(map(float, per_class)) / len(per_class), abs=1e-6)
    assert "Boxes of the maps" in (project / "printed.txt").read_text()
    manifest = json.loads((project / "results/tiny/splits/train/manifest.json").read_text())
    pairs = (project / "results/tiny/plain/cam/evaluation/boxes/train.csv").read_text().splitlines()[1:]
    assert len(pairs) == sum(len(image["tags"]) for image in manifest["images"]) == int(found["pairs"])


def test_the_tables_are_printed_at_the_end(project: Path) -> None:
    printed = (project / "printed.txt").read_text()
    assert "segmentation_crf" in printed
    assert f"results/tiny/{SUPERPIXEL}/pseudo_labels" in printed
    assert re.search(r"Tags of val by classifier plain: F1 [01]\.\d{3}", printed)
    assert re.search(r"\d+ of \d+, \d+:\d\d gone, \d+:\d\d left", printed), "no progress with time left"


def test_pseudo_labels_show_tagged_classes_only(project: Path) -> None:
    results = project / "results" / "tiny"
    manifest = json.loads((results / "splits" / "train" / "manifest.json").read_text())
    assert len(manifest["images"]) == 10
    for image in manifest["images"]:
        with Image.open(results / CAM / "pseudo_labels" / f"{image['id']}.png") as picture:
            assert picture.mode == "P"
            assert picture.size == (image["width"], image["height"])
            assert set(picture.tobytes()) <= {0, *image["tags"]}


def test_artifacts_carry_settings_and_code(project: Path) -> None:
    with h5py.File(
        project / "results" / "tiny" / "plain" / "cam" / "dino" / "superpixel~alpha=0.6" / "seeds.h5"
    ) as store:
        stamp = json.loads(store.attrs["provenance"])
    assert stamp["settings"] == {"method": "superpixel", "alpha": 0.6, "bg_conflict": "override"}
    assert stamp["step"] == "make_seeds"
    assert re.fullmatch("[0-9a-f]{16}", stamp["code"])
    assert set(stamp["inputs"]) == {"manifest", "cams", "superpixels"}


def test_a_second_run_plans_nothing(project: Path) -> None:
    assert runs.planned(project) == set()


def _copy_of_results(project: Path, repository: Path, folder: Path, parts: tuple[str, ...]) -> Path:
    """A fresh copy of the project in `folder`, with some folders of one that has run, their times kept."""
    folder.mkdir()
    runs.project_in(folder, repository, TINY)
    for part in parts:
        shutil.copytree(project / part, folder / part)
    return folder


def test_results_that_were_moved_rerun_nothing(project: Path, repository: Path, tmp_path: Path) -> None:
    """docs/artifacts.md: with their times and Snakemake's records; without the records, edits are not noticed."""
    edited = {**TINY, "evaluate": {"bootstrap": 60}}
    for name, copied in (("whole", ("results", ".snakemake/metadata")), ("bare", ("results",))):
        folder = _copy_of_results(project, repository, tmp_path / name, copied)
        assert runs.planned(folder) == set()
        runs.configure(folder, edited)
        assert ("evaluate" in runs.planned(folder)) == (name == "whole")


def test_results_without_their_times_are_touched(project: Path, repository: Path, tmp_path: Path) -> None:
    folder = _copy_of_results(project, repository, tmp_path / "copy", ("results", ".snakemake/metadata"))
    for number, path in enumerate(sorted((folder / "results").rglob("*"))):
        os.utime(path, (1e9 + number, 1e9 + number))  # scores before the label maps that they are of
    assert runs.planned(folder) != set()
    runs.succeed(folder, "--touch")
    assert runs.planned(folder) == set()


def test_machine_facts_rerun_nothing(project: Path) -> None:
    assert runs.planned(project, "--config", "device=cpu", "threads=4") == set()
    assert runs.planned(project, "--set-threads", "train_classifier=2") == set()


@pytest.mark.parametrize("threads", [1, 2])
def test_jobs_take_the_threads_of_the_configuration(threads: int, project: Path) -> None:
    found = runs.jobs(project, "--forceall", "--config", f"threads={threads}")
    trainings = [job for job in found if re.match("rule train_", job)]
    assert len(trainings) == 3
    assert all(("threads: 2" in job) == (threads == 2) for job in trainings)


def test_an_edited_comment_reruns_nothing(project: Path) -> None:
    path = project / "wsss_steps" / "ops" / "seeds.py"
    before = path.read_text()
    path.write_text(before + "\n# a remark\n")
    assert runs.planned(project) == set()
    path.write_text(before)


OF_BOXES = {"evaluate_boxes", "summarise_boxes", "write_report"}
OF_SCORES = {"evaluate", "summarise", "compare_recipes", "draw_plots", "write_report", "draw_pictures"}
AFTER_SEEDS = {
    "make_seeds",
    "train_segmenter",
    "predict",
    "make_pseudo_labels",
    "draw_gallery",
    *OF_SCORES,
    "find_warnings",
}


def test_an_edited_formula_reruns_what_depends_on_it(project: Path) -> None:
    path = project / "wsss_steps" / "ops" / "seeds.py"
    before = path.read_text()
    path.write_text(before + "\nNEW_CONSTANT = 1\n")
    assert runs.planned(project) == AFTER_SEEDS
    path.write_text(before)
    path = project / "wsss_steps" / "ops" / "evaluation.py"
    before = path.read_text()
    path.write_text(before + "\nNEW_CONSTANT = 1\n")
    assert runs.planned(project) == OF_SCORES | OF_BOXES
    path.write_text(before)
    path = project / "wsss_steps" / "ops" / "localisation.py"
    before = path.read_text()
    path.write_text(before + "\nNEW_CONSTANT = 1\n")
    assert runs.planned(project) == OF_BOXES
    path.write_text(before)


def test_one_setting_reruns_what_depends_on_it(project: Path) -> None:
    configure(project, seeds={"threshold": {"foreground": 0.4}})
    assert runs.planned(project) == AFTER_SEEDS
    trained = [job for job in runs.jobs(project) if "rule train_segmenter" in job]
    assert len(trained) == 1, "the other recipe must not be trained again"
    assert "superpixel~alpha" not in trained[0]
    configure(project, evaluate={"bootstrap": 60})
    assert runs.planned(project) == OF_SCORES
    configure(project, classifier={"plain": {**TINY["classifier"]["plain"], "epochs": 2}})
    of_classifier = {"train_classifier", "make_cams", "evaluate_classifier", "score_images"}
    assert runs.planned(project) == AFTER_SEEDS | of_classifier | OF_BOXES
    configure(project, evaluate_boxes={"threshold": 0.3})
    assert runs.planned(project) == OF_BOXES
    configure(project, boxes=None)
    assert runs.planned(project) == {"write_report"}, "one table less"
    configure(project)
    assert runs.planned(project) == set()


def test_a_chain_shares_its_first_links(project: Path) -> None:
    """Refined maps, and a second network that learns from the first one's pseudo-labels; then another refiner."""
    recipes = {"cam": runs.CAM_RECIPE, "chain": {"cams": "cam+pamr", "seeds": "threshold", "segmenter": "plain+plain"}}
    configure(project, recipes=recipes, refiner={"pamr": {"iterations": 2}})
    shared = {"train_classifier", "make_cams", "pretrain_keys", "make_superpixels"}
    assert not shared & runs.planned(project)
    runs.succeed(project)
    with (project / "results/tiny/boxes.csv").open() as file:
        assert [(row["recipe"], row["cams"]) for row in csv.DictReader(file)] == [
            *(("cam", "cam"), ("chain", "cam"), ("chain", "cam+pamr")),
        ]
    folder = project / "results/tiny/plain/cam+pamr/none/threshold"
    assert len(list((folder / "plain+plain/pseudo_labels").glob("*.png"))) == 10
    stamp = read_weights_stamp(folder / "plain+plain/segmenter.safetensors")
    assert stamp["inputs"]["seeds"]["path"] == f"{folder.relative_to(project)}/plain/pseudo_labels"
    assert runs.planned(project) == set()
    configure(project, recipes=recipes, refiner={"pamr": {"iterations": 1}})
    rerun = runs.planned(project)
    assert {"refine_cams", "make_seeds", "train_segmenter"} <= rerun
    assert not shared & rerun
    configure(project)


def test_without_label_images_nothing_is_evaluated(project: Path) -> None:
    runs.succeed(project)  # the tables of another test's recipes are made again
    configure(project, mask_folder=None)
    rules = runs.planned(project)
    assert {"prepare_masks", "draw_gallery"} <= rules
    assert "find_warnings" not in rules, "it depends on no ground truth, and is as it was"
    assert not rules & {"evaluate", "evaluate_superpixels", "summarise", "summarise_superpixels", "compare_recipes"}
    configure(project)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"epoch": 3}, "epoch: unknown key"),
        (
            {"recipes": {"a": {"seeds": "treshold"}}},
            f"unknown seeds method 'treshold'; known methods: {known.methods_of('seeds')}",
        ),
    ],
)
def test_a_wrong_configuration_is_refused_before_any_job(project: Path, changes: dict[str, object], words: str) -> None:
    configure(project, **changes)
    done = runs.snakemake(project)
    configure(project)
    assert done.returncode != 0
    assert words in done.stdout


def test_lint(project: Path) -> None:
    done = runs.snakemake(project, "--lint")
    assert done.returncode == 0, done.stdout


# ---- chapter 2: image masking, on the VOC data set of a few pixels, with saliency maps given ------------------------

SMALL = {"backbone": "small", "frozen_batch_norm": "none", "epochs": 1, "batch_size": 2, "crop": 16, "warmup_epochs": 0}
MASKING: dict[str, Any] = {
    "dataset": "voc",
    "root": "voc",
    "classes": list(tiny_voc.CLASSES),
    "recipes": {
        name: {"classifier": "mdc", "cams": "cam~merge=max", "seeds": seeds, "segmenter": "masking"}
        for name, seeds in {"masking": "saliency~saliency=given", "bound": "saliency~saliency=ground_truth"}.items()
    },
    "backbones": {"declared": {"net": "small", "supervision": "COCO segmentation"}},
    "classifier": {"mdc": {**SMALL, "dilations": [1, 2], "widths": [8, 8], "init": "kaiming"}},
    "cams": {"cam": {"scales": [1.0, 0.5]}},
    "saliency": {"given": {"folder": "{root}/saliency", "bad_maps": "leave_out"}},
    "segmenter": {"masking": {**SMALL, "backbone": "declared", "aspp_rates": [1, 2]}},
    "evaluate": {"bootstrap": 20},
    "gallery_images": 2,
}
LINEAGE = "mdc/cam~merge=max/none/saliency~saliency={}"


@pytest.fixture(scope="module")
def masked(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """A copy of the project in which the recipes with saliency have run; t1 has no map and is left out."""
    folder = runs.project_in(tmp_path_factory.mktemp("masked"), repository, MASKING)
    tiny_voc.make_voc(folder / "voc")
    tiny_voc.write_saliency(folder / "voc", ["t0", "t2"])
    (folder / "printed.txt").write_text(runs.succeed(folder))
    return folder


def test_image_masking_from_given_saliency_to_the_table(masked: Path) -> None:
    results = masked / "results" / "voc"
    lineage = results / LINEAGE.format("given")
    with Store(lineage / "refined_saliency.h5", REFINED_SALIENCY) as store:
        assert store.left_out == ["t1"]
        assert (store["t1"]["refined"] == 255).all()
        assert set(np.unique(store["t0"]["refined"])) <= {0, 1, 255}
    with Store(lineage / "seeds.h5", SEEDS) as store:
        assert (store["t1"]["seeds"] == 255).all()
    history = (lineage / "masking" / "segmenter_history.csv").read_text().splitlines()[0]
    assert history.split(",")[-4:] == ["seed_1", "seed_0.75", "seed_0.5", "attention"]
    assert len(list((lineage / "masking" / "pseudo_labels").glob("*.png"))) == 3


def test_the_table_declares_saliency_weights_and_what_was_left_out(masked: Path) -> None:
    with (masked / "results" / "voc" / "summary.csv").open() as file:
        rows = {(row["recipe"], row["stage"]): row for row in csv.DictReader(file)}
    assert rows["masking", "cams"]["extra_supervision"] == ""
    assert rows["masking", "seeds"]["extra_supervision"] == "saliency: given"
    last = rows["masking", "segmentation_crf"]
    assert last["extra_supervision"] == "saliency: given; COCO segmentation weights"
    assert (last["left_out"], last["gt_used_for"]) == ("1", "evaluation")
    bound = rows["bound", "segmentation_crf"]
    assert bound["extra_supervision"] == "saliency: ground truth; COCO segmentation weights"
    assert (bound["left_out"], bound["gt_used_for"]) == ("0", "evaluation and saliency")
    printed = (masked / "printed.txt").read_text()
    assert "Extra supervision: saliency: given; COCO segmentation weights (recipes: masking)" in printed


def test_masking_reruns_what_depends_on_an_edit(masked: Path) -> None:
    assert runs.planned(masked) == set()
    runs.configure(masked, {**MASKING, "seeds": {"saliency": {"tau_1": 0.7}}})
    assert runs.planned(masked) == AFTER_SEEDS | {"refine_saliency"}
    recipe = MASKING["classifier"]["mdc"]
    runs.configure(masked, {**MASKING, "classifier": {"mdc": {**recipe, "lambda_cls": 0.2}}})
    assert runs.planned(masked) == AFTER_SEEDS | {
        "refine_saliency",
        "train_classifier",
        "make_cams",
        "evaluate_classifier",
        "score_images",
    }
    runs.configure(masked, MASKING)
    path = masked / "wsss_steps" / "nets" / "dilated.py"
    path.write_text(path.read_text() + "\nNEW_CONSTANT = 1\n")
    assert "train_segmenter" in runs.planned(masked)
