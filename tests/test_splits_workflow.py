"""Splits are independent: a change of the user's files reruns what depends on it, and nothing else."""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import snakemake_runs as runs
import tiny_voc

from wsss_steps.formats.labels import write_labels

pytestmark = pytest.mark.workflow

SMALL = {"backbone": "small", "frozen_batch_norm": "none", "epochs": 1, "batch_size": 2, "crop": 16, "warmup_epochs": 0}
LISTS = "ImageSets/Segmentation"
TINY: dict[str, Any] = {
    "dataset": "voc",
    "root": "voc",
    "classes": list(tiny_voc.CLASSES),
    "splits": {"val": f"{LISTS}/val.txt", "test": f"{LISTS}/test.txt"},
    "unscored": ["test"],
    "recipes": {"cam": runs.CAM_RECIPE},
    "classifier": {"plain": {**SMALL, "frozen_stages": 0, "resize_long": None}},
    "cams": {"cam": {"scales": [1.0]}},
    "segmenter": {"plain": {**SMALL, "aspp_rates": [1, 2]}},
    "evaluate": {"bootstrap": 20},
    "gallery_images": 2,
    "threads": 1,
}
LINEAGE = "plain/cam/none/threshold/plain"
OF_TRAINING = {"train_classifier", "make_cams", "make_seeds", "train_segmenter", "make_pseudo_labels"}
OF_VAL = {"evaluate", "summarise", "compare_recipes", "draw_plots", "write_report", "draw_pictures"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """A copy of the project in which the workflow has run once, on train, val and images to segment only."""
    folder = runs.project_in(tmp_path_factory.mktemp("splits"), repository, TINY)
    root = tiny_voc.make_voc(folder / "voc")
    tiny_voc.write_list(root, "val", ("v0",))
    tiny_voc.write_list(root, "test", ("v1",))
    (root / "Annotations/v1.xml").unlink()
    (root / "SegmentationClass/v1.png").unlink()
    runs.succeed(folder)
    return folder


@pytest.fixture
def restored(run: Path) -> Iterator[Path]:
    """The data set, whose files are restored after the test."""
    root = run / "voc"
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    yield root
    for path in root.rglob("*"):
        if path.is_file() and path not in before:
            path.unlink()
    for path, content in before.items():
        if not path.is_file() or path.read_bytes() != content:
            path.write_bytes(content)
    assert runs.planned(run) == set(), "what is as it was has the state that it had"


def splits_of(jobs: list[str], rule: str) -> set[str]:
    """The values of the wildcard `split` of a rule's jobs."""
    return {
        found[1]
        for job in jobs
        if re.match(rf"rule {rule}:", job) and (found := re.search(r"wildcards: .*split=(\w+)", job))
    }


def test_every_split_has_its_own(run: Path) -> None:
    results = run / "results/voc"
    for split, ids in {"train": ["t0", "t1", "t2"], "val": ["v0"], "test": ["v1"]}.items():
        manifest = json.loads((results / "splits" / split / "manifest.json").read_text())
        assert [image["id"] for image in manifest["images"]] == ids
    for split, name in (("val", "v0"), ("test", "v1")):
        assert (results / LINEAGE / "segmentation_crf" / split / f"{name}.png").is_file()
    with (results / "summary.csv").open() as file:
        assert {row["split"] for row in csv.DictReader(file)} == {"train", "val"}
    assert runs.planned(run) == set()


def test_what_decides_nothing_reruns_nothing(run: Path, restored: Path) -> None:
    (restored / "JPEGImages/Thumbs.db").write_bytes(b"x")
    for path in restored.rglob("*.*"):
        os.utime(path)
    assert runs.planned(run) == set()


def test_a_corrected_tag_reruns_the_training(run: Path, restored: Path) -> None:
    tiny_voc.write_xml(restored / "Annotations/t1.xml", ("cat",))
    jobs = runs.jobs(run)
    assert splits_of(jobs, "prepare") == {"train"}
    assert runs.planned(run) >= OF_TRAINING


def test_an_image_changed_in_place_reruns_the_training(run: Path, restored: Path) -> None:
    path = restored / "JPEGImages/t1.jpg"
    path.write_bytes(path.read_bytes() + b"\0")
    assert splits_of(runs.jobs(run), "prepare") == {"train"}
    assert runs.planned(run) >= OF_TRAINING


def test_a_changed_list_of_val_reruns_its_own_predictions(run: Path, restored: Path) -> None:
    tiny_voc.write_list(restored, "val", ("v0", "v1"))
    tiny_voc.write_list(restored, "test", ())
    runs.configure(run, TINY | {"splits": {"val": f"{LISTS}/val.txt"}, "unscored": []})
    jobs = runs.jobs(run)
    predicted = {"predict", "evaluate_classifier", "find_warnings"}
    assert runs.planned(run) == {"prepare", "prepare_masks", *predicted, *OF_VAL}
    for rule in ("prepare", "prepare_masks", "predict", "evaluate_classifier", "evaluate"):
        assert splits_of(jobs, rule) == {"val"}, rule
    runs.configure(run, TINY)


def test_a_corrected_mask_reruns_the_evaluation(run: Path, restored: Path) -> None:
    """Once the score stayed stale, and `provenance` called all inputs as recorded."""
    score = run / "results/voc" / LINEAGE / "evaluation/segmentation/val.json"
    before = json.loads(score.read_text())["miou"]
    mask = restored / "SegmentationClass/v0.png"
    content = mask.read_bytes()
    write_labels(mask, np.full((tiny_voc.HEIGHT, tiny_voc.WIDTH), 1, np.uint8))
    truth = "results/voc/splits/val/ground_truth.json"
    assert "voc/SegmentationClass/v0.png: CHANGED" in runs.python(run, "-m", "wsss_steps", "provenance", truth)
    assert runs.planned(run) == {"prepare_masks", *OF_VAL}
    runs.succeed(run)
    assert json.loads(score.read_text())["miou"] != before
    mask.write_bytes(content)
    runs.succeed(run)
    assert json.loads(score.read_text())["miou"] == before


def test_without_held_out_images_there_are_pseudo_labels(run: Path, restored: Path) -> None:
    (restored / LISTS / "val.txt").unlink()
    runs.configure(run, {key: value for key, value in TINY.items() if key not in ("splits", "unscored")})
    assert runs.planned(run) == OF_VAL - {"evaluate"} | {"find_warnings"}
    runs.configure(run, TINY)


def test_the_users_folder_is_never_an_output(run: Path) -> None:
    """`draw` left beside `root`: refused before any job, and the photographs stay, even with --forceall."""
    before = sorted(path.name for path in (run / "voc").rglob("*"))
    runs.configure(run, TINY | {"draw": {"train": 1, "val": 1, "size": 64, "seed": 0}})
    done = runs.snakemake(run, "--forceall")
    runs.configure(run, TINY)
    assert done.returncode != 0
    assert "root: expected none beside draw" in done.stdout
    assert sorted(path.name for path in (run / "voc").rglob("*")) == before
