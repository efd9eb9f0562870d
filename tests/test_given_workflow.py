"""What a run made, given back to another as the user's own, leads to the same results."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import snakemake_runs as runs
from PIL import Image
from safetensors.torch import load_file
from tiny_voc import CLASSES, SPLITS, make_voc

from wsss_steps.formats.kinds.cams import CAMS
from wsss_steps.formats.kinds.superpixels import SUPERPIXELS
from wsss_steps.formats.stores import Store

pytestmark = pytest.mark.workflow

QUICK: dict[str, Any] = runs.QUICK | {"epochs": 1, "crop": 16}
CONTENT: dict[str, Any] = {
    "dataset": "made",
    "root": "voc",
    "classes": list(CLASSES),
    "threads": 1,
    "classifier": {"plain": runs.QUICK_CLASSIFIER | QUICK},
    "segmenter": {"plain": QUICK | {"aspp_rates": [1, 2], "warmup_epochs": 0}},
    "cams": {"cam": {"scales": [1.0]}},
    "recipes": {"made": {"superpixels": "slic~count=4", "seeds": "superpixel"}},
}
MADE = "results/made/plain/cam/slic~count=4/superpixel"
MINE = CONTENT | {
    "dataset": "mine",
    "classifier": {"given": {"path": "old/classifier.safetensors", "supervision": ""}},
    "cams": CONTENT["cams"] | {"given": {"path": "old/maps"}},
    "superpixels": {"given": {"path": "old/superpixels"}},
    "seeds": {"given": {"path": "old/labels", "supervision": "tags, by hand"}},
    "recipes": {
        "classifier": {"classifier": "given", "seeds": "none", "segmenter": "none"},
        "maps": {"classifier": "none", "cams": "given", "superpixels": "given", "seeds": "superpixel"},
        "labels": {"classifier": "none", "cams": "none", "seeds": "given"},
    },
}
LABELS = "pseudo_labels"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """A project that holds a run, and what it made as other programs would write it, below `old`."""
    folder = runs.project_in(tmp_path_factory.mktemp("project"), repository, CONTENT)
    make_voc(folder / "voc")
    runs.succeed(folder, "--", f"{MADE}/plain/{LABELS}", f"{MADE}/none/{LABELS}")
    take_out(folder, folder / "old")
    runs.configure(folder, MINE)
    targets = [
        "given/cam/cams.h5",
        f"none/given/given/superpixel/none/{LABELS}",
        f"none/none/none/given/plain/{LABELS}",
    ]
    runs.succeed(folder, "--", *(f"results/mine/{target}" for target in targets))
    return folder


def take_out(folder: Path, old: Path) -> None:
    for name in ("maps", "superpixels"):
        (old / name).mkdir(parents=True)
    shutil.copy(folder / "results/made/plain/classifier.safetensors", old)
    shutil.copytree(folder / f"{MADE}/none/{LABELS}", old / "labels")
    superpixels = folder / "results/made/superpixels/slic~count=4/superpixels.h5"
    with Store(folder / "results/made/plain/cam/cams.h5", CAMS) as cams, Store(superpixels, SUPERPIXELS) as ids:
        for name in SPLITS["train"]:
            maps: Any = {"keys": cams[name]["class"].astype(int) - 1, "high_res": cams[name]["cam"]}
            np.save(old / "maps" / f"{name}.npy", maps)
            Image.fromarray(ids[name]["superpixels"]).save(old / "superpixels" / f"{name}.png")


def arrays(path: Path) -> dict[str, list[Any]]:
    with Store(path, CAMS) as store:
        return {name: [array.tolist() for array in store[name].values()] for name in store.ids()}


def pictures(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.png")}


def test_a_classifier_that_is_given_back_makes_the_same_maps(project: Path) -> None:
    mine, theirs = (project / f"results/{name}/classifier.safetensors" for name in ("mine/given", "made/plain"))
    one, other = load_file(mine), load_file(theirs)
    assert one.keys() == other.keys()
    assert all((one[name] == other[name]).all() for name in one)
    assert arrays(project / "results/mine/given/cam/cams.h5") == arrays(project / "results/made/plain/cam/cams.h5")


def test_maps_and_superpixels_that_are_given_back_make_the_same_seeds(project: Path) -> None:
    mine = pictures(project / f"results/mine/none/given/given/superpixel/none/{LABELS}")
    assert mine == pictures(project / f"{MADE}/none/{LABELS}")
    assert sorted(mine) == [f"{name}.png" for name in SPLITS["train"]]


def test_seeds_that_are_given_back_teach_the_same_network(project: Path) -> None:
    mine, made = project / "results/mine/none/none/none/given/plain", project / MADE / "plain"
    one, other = load_file(mine / "segmenter.safetensors"), load_file(made / "segmenter.safetensors")
    assert all((one[name] == other[name]).all() for name in one)
    assert pictures(mine / LABELS) == pictures(made / LABELS)


def test_a_whole_run_plans_no_training_of_what_is_given(project: Path) -> None:
    planned = runs.planned(project)
    assert {"summarise", "write_report", "train_segmenter"} <= planned
    assert "train_classifier" not in planned
    assert runs.planned(project, "--", "results/mine/none/given/cams.h5") == set()


def test_a_rewritten_file_is_read_again_and_a_wrong_one_told(project: Path) -> None:
    path, target = project / "old/maps/t0.npy", "results/mine/none/given/cams.h5"
    before = path.read_bytes()
    np.save(path, np.full((2, 12, 16), 7.0))
    try:
        assert runs.planned(project, "--", target) == {"import_cams"}
        assert "expected numbers from 0 to 1, found 7 to 7" in runs.snakemake(project, "--", target).stdout
    finally:
        path.write_bytes(before)
