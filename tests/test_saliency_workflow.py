"""The rules of saliency: every method makes its store, and what is edited is rewritten."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import snakemake_runs as runs
import yaml
from PIL import Image
from tiny_voc import CLASSES, HEIGHT, SPLITS, WIDTH, make_voc

from wsss_steps.formats.kinds.saliency import SALIENCY
from wsss_steps.formats.stores import Store

pytestmark = pytest.mark.workflow

CONTENT: dict[str, Any] = {
    "dataset": "tiny",
    "root": "voc",
    "classes": list(CLASSES),
    "threads": 1,
    "recipes": {"cam": {}},
    "draw_saliency": {"count": 4, "size": 64},
    "saliency": {
        "given": {"bad_maps": "leave_out"},
        "detector": {
            "pairs": "drawn",
            "backbone": "small",
            "frozen_batch_norm": "none",
            "decoder_width": 8,
            "resize_long": None,
            "crop": 64,
            "epochs": 1,
            "batch_size": 2,
        },
    },
}
CHOICES = ("given", "detector", "detector~seed=1", "unsupervised~features=rgb~tau=0.5")
TARGETS = [f"results/tiny/saliency/{choice}/saliency.h5" for choice in CHOICES]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    folder = runs.project_in(tmp_path_factory.mktemp("project"), repository, CONTENT)
    make_voc(folder / "voc")
    (folder / "voc" / "saliency").mkdir()
    for image_id in SPLITS["train"][:2]:
        Image.fromarray(np.full((HEIGHT, WIDTH), 99, np.uint8)).save(folder / "voc" / "saliency" / f"{image_id}.png")
    runs.succeed(folder, "--", *TARGETS)
    return folder


def test_every_method_makes_its_store(project: Path) -> None:
    for target in TARGETS:
        with Store(project / target, SALIENCY) as store:
            assert store.ids() == sorted(SPLITS["train"])
            assert store.left_out == (["t2"] if "given" in target else [])
            assert store[store.ids()[0]]["saliency"].shape == (HEIGHT, WIDTH)
    detectors = [project / "results/tiny/saliency" / name / "detector.safetensors" for name in CHOICES[1:3]]
    assert detectors[0].read_bytes() != detectors[1].read_bytes()


def test_a_second_run_plans_nothing(project: Path) -> None:
    assert runs.planned(project, "--", *TARGETS) == set()


def test_a_rewritten_map_reruns_its_store_alone(project: Path) -> None:
    path = project / "voc" / "saliency" / "t0.png"
    Image.fromarray(np.full((HEIGHT, WIDTH), 9, np.uint8)).save(path)
    later = (project / TARGETS[0]).stat().st_mtime + 5
    os.utime(path, (later, later))
    jobs = runs.jobs(project, "--", *TARGETS)
    assert len(jobs) == 1
    assert "predict_saliency" in jobs[0]
    assert "saliency/given/" in jobs[0]


def test_settings_of_drawing_and_training_rerun_what_depends_on_them(project: Path) -> None:
    runs.configure(project, CONTENT | {"draw_saliency": {"count": 5, "size": 64}})
    assert runs.planned(project, "--", *TARGETS[1:]) == {"make_saliency_example", "train_saliency", "predict_saliency"}
    trained = {**CONTENT["saliency"]["detector"], "epochs": 2}
    runs.configure(project, CONTENT | {"saliency": {"detector": trained}})
    assert runs.planned(project, "--", *TARGETS[1:]) == {"train_saliency", "predict_saliency"}
    runs.configure(project, CONTENT)


def test_weights_of_a_detector_are_taken_as_they_are(project: Path) -> None:
    (project / "voc" / "mine.safetensors").write_bytes(
        (project / "results/tiny/saliency/detector/detector.safetensors").read_bytes()
    )
    content = yaml.safe_load(yaml.safe_dump(CONTENT))
    content["saliency"]["detector"]["weights"] = "{root}/mine.safetensors"
    runs.configure(project, content)
    target = "results/tiny/saliency/detector~seed=2/saliency.h5"
    assert runs.planned(project, "--", target) == {"predict_saliency"}
    runs.succeed(project, "--", target)
    with Store(project / target, SALIENCY) as mine, Store(project / TARGETS[1], SALIENCY) as theirs:
        assert np.array_equal(mine["t0"]["saliency"], theirs["t0"]["saliency"])
    runs.configure(project, CONTENT)
