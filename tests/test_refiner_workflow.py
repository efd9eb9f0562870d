"""Refiners with a network of their own, through Snakemake: their seeds, their training, their maps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import snakemake_runs as runs

from wsss_steps.formats.kinds.cams import CAMS
from wsss_steps.formats.stores import Store

pytestmark = pytest.mark.workflow

TINY: dict[str, Any] = {
    **runs.DRAWN,
    "recipes": {
        "walk": {"cams": "cam+random_walk", "seeds": "threshold", "segmenter": "plain"},
        "taught_by_maps": {"cams": "cam+drs_refine", "seeds": "none", "segmenter": "none"},
        "taught_by_saliency": {"cams": "cam+deeplab", "seeds": "crf", "segmenter": "none"},
    },
    "classifier": {"plain": runs.QUICK_CLASSIFIER | {"epochs": 1}},
    "cams": {"cam": {"scales": [1.0], "flip": False}},
    "refiner": {
        "random_walk": runs.QUICK_CLASSIFIER | {"epochs": 1, "output_stride": 8, "log_t": 3},
        "drs_refine": runs.QUICK_CLASSIFIER | {"epochs": 1, "output_stride": 8, "width": 8},
        "deeplab": runs.QUICK | {"epochs": 1, "seeds": "saliency_class"},
    },
    "seeds": {"saliency_class": {"saliency": "ground_truth"}},
    "segmenter": {"plain": runs.QUICK | {"epochs": 1}},
}
FOLDER = "results/tiny/plain/cam+random_walk"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    folder = runs.project_in(tmp_path_factory.mktemp("walk"), repository, TINY)
    runs.succeed(folder, "--", f"{FOLDER}/cams.h5")
    return folder


def test_the_walk_moves_the_maps_of_the_link_before_it(project: Path) -> None:
    assert (project / "results/tiny/plain/cam/none/affinity/seeds.h5").exists()
    assert (project / FOLDER / "refiner.safetensors").exists()
    with (
        Store(project / "results/tiny/plain/cam/cams.h5", CAMS) as before,
        Store(project / FOLDER / "cams.h5", CAMS) as after,
    ):
        assert before.ids() == after.ids()
        for name in before.ids():
            assert before[name]["class"].tolist() == after[name]["class"].tolist()
            assert before[name]["cam"].shape == after[name]["cam"].shape
        assert any(np.abs(before[name]["cam"] - after[name]["cam"]).max() > 0.1 for name in before.ids())


def test_a_setting_of_its_seeds_trains_it_again_and_no_classifier(project: Path) -> None:
    runs.configure(project, {**TINY, "seeds": {**TINY["seeds"], "affinity": {"alpha_low": 3.0}}})
    planned = runs.planned(project, "--", f"{FOLDER}/cams.h5")
    assert {"make_seeds", "train_refiner", "refine_cams"} <= planned
    assert not {"train_classifier", "make_cams"} & planned


def test_a_refiner_that_is_taught_by_maps_needs_no_seeds(project: Path) -> None:
    folder = "results/tiny/plain/cam+drs_refine"
    runs.configure(project, TINY)
    assert {"train_refiner", "refine_cams"} == runs.planned(project, "--", f"{folder}/cams.h5")
    runs.succeed(project, "--", f"{folder}/cams.h5")
    with Store(project / folder / "cams.h5", CAMS) as store:
        assert len(store.ids()) == TINY["draw"]["train"]
    runs.configure(project, {**TINY, "cams": {"cam": {"scales": [1.5], "flip": False}}})
    assert "train_refiner" in runs.planned(project, "--", f"{folder}/cams.h5")


def test_a_refiner_may_learn_seeds_that_need_saliency_maps(project: Path) -> None:
    folder = "results/tiny/plain/cam+deeplab"
    runs.configure(project, TINY)
    planned = runs.planned(project, "--", f"{folder}/cams.h5")
    assert planned == {"prepare_masks", "ground_truth_saliency", "make_seeds", "train_refiner", "refine_cams"}
    runs.succeed(project, "--", f"{folder}/cams.h5")
    assert (project / "results/tiny/plain/cam/none/saliency_class/seeds.h5").exists()
    with Store(project / folder / "cams.h5", CAMS) as store:
        assert len(store.ids()) == TINY["draw"]["train"]
