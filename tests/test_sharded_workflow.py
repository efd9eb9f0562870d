"""The whole workflow in shards: the numbers equal those of one job, and removing an image affects one shard."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import snakemake_runs as runs
from PIL import Image
from tiny_voc import CLASSES, SPLITS, make_voc, write_list, write_saliency

from wsss_steps.formats.kinds import find
from wsss_steps.formats.kinds.superpixels import SUPERPIXELS
from wsss_steps.formats.stores import Store
from wsss_steps.formats.weights import read_weights

pytestmark = pytest.mark.workflow

SMALL = {"backbone": "small", "frozen_batch_norm": "none", "epochs": 1, "batch_size": 2, "crop": 16, "warmup_epochs": 0}
TINY: dict[str, Any] = {
    "dataset": "voc",
    "root": "voc",
    "classes": list(CLASSES),
    "recipes": {
        "superpixel": {"superpixels": "dino~features=rgb", "seeds": "superpixel", "segmenter": "spsrg"},
        "masking": {"cams": "cam~merge=max", "seeds": "saliency~saliency=given", "segmenter": "masking"},
    },
    "classifier": {"plain": {**SMALL, "frozen_stages": 0, "resize_long": None}},
    "cams": {"cam": {"scales": [1.0, 0.5]}},
    "saliency": {"given": {"folder": "{root}/saliency", "bad_maps": "leave_out"}},
    "segmenter": {name: {**SMALL, "aspp_rates": [1, 2]} for name in ("spsrg", "masking")},
    "evaluate": {"bootstrap": 20},
    "threads": 1,
    "keep_features": True,
    "gallery_images": 2,
}
RGB = "superpixels/dino~features=rgb/superpixels.h5"
SLIC = "results/voc/superpixels/slic~count=4/superpixels.h5"


def project_in(folder: Path, repository: Path, **changes: Any) -> Path:
    """A copy of the project, run; one image has no saliency map and is left out."""
    runs.project_in(folder, repository, {**TINY, **changes})
    make_voc(folder / "voc")
    write_saliency(folder / "voc", ["t0", "t2"])
    runs.succeed(folder)
    return folder / "results" / "voc"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    return project_in(tmp_path_factory.mktemp("whole"), repository)


@pytest.fixture(scope="module")
def sharded(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """In three shards, some without images."""
    return project_in(tmp_path_factory.mktemp("sharded"), repository, shards=3)


def stores_of(results: Path) -> dict[str, tuple[str, Path]]:
    """Name below the results, kind and path of every store, except those of single shards."""
    found = {path.relative_to(results).as_posix(): path for path in results.rglob("*.h5")}
    return {
        name: (path.stem, path) for name, path in found.items() if ".shards" not in name and "evaluation" not in name
    }


def test_every_store_holds_the_same_numbers(whole: Path, sharded: Path) -> None:
    expected = stores_of(whole)
    kinds = {kind for kind, _ in expected.values()}
    assert kinds == {"cams", "features", "superpixels", "saliency", "refined_saliency", "seeds", "growth"}
    found = stores_of(sharded)
    assert set(found) == set(expected)
    for name, (kind, path) in expected.items():
        form = find(kind)
        with Store(path, form) as one, Store(found[name][1], form) as other:
            assert one.ids() == other.ids(), name
            assert one.left_out == other.left_out, name
            for image_id in one.ids():
                for data, array in one[image_id].items():
                    np.testing.assert_array_equal(array, other[image_id][data], err_msg=f"{name} {image_id} {data}")
        shards = list(found[name][1].with_suffix(".shards").glob("*.h5"))
        assert len(shards) == (0 if kind == "growth" else 3), name  # a training writes the former, at once


def test_networks_label_maps_and_scores_are_the_same(whole: Path, sharded: Path) -> None:
    names = sorted(path.relative_to(whole).as_posix() for path in whole.rglob("*.safetensors"))
    assert len(names) == 3
    for name in names:
        one, other = (read_weights(root / name, Path(name).stem)[0] for root in (whole, sharded))
        assert all(np.array_equal(one[key].numpy(), other[key].numpy()) for key in one), name
    maps = sorted(path.relative_to(whole).as_posix() for path in whole.rglob("*.png") if path.parent != whole)
    maps = [name for name in maps if not name.startswith("report/")]
    assert len(maps) == 2 * (3 + 2 + 2)  # pseudo-labels of train; val before and after the CRF
    for name in maps:
        with Image.open(whole / name) as one, Image.open(sharded / name) as other:
            assert one.tobytes() == other.tobytes(), name
    tables = [list(csv.DictReader((root / "summary.csv").open())) for root in (whole, sharded)]
    assert tables[0] == tables[1]


def test_a_second_run_plans_nothing(sharded: Path) -> None:
    assert runs.planned(sharded.parent.parent) == set()


def test_an_image_less_touches_one_shard(sharded: Path) -> None:
    folder = sharded.parent.parent
    runs.succeed(folder, "--", SLIC)
    before = {path.name: path.stat().st_mtime_ns for path in (folder / SLIC).with_suffix(".shards").iterdir()}
    write_list(folder / "voc", "train", SPLITS["train"][:-1])
    later = (sharded / "splits" / "train" / "manifest.json").stat().st_mtime + 5
    os.utime(folder / "voc" / "ImageSets" / "Segmentation" / "train.txt", (later, later))
    printed = runs.succeed(folder, "--", SLIC)
    after = {path.name: path.stat().st_mtime_ns for path in (folder / SLIC).with_suffix(".shards").iterdir()}
    assert sum(before[name] != after[name] for name in before) == 1, printed
    with Store(folder / SLIC, SUPERPIXELS) as store:
        assert store.ids() == sorted(SPLITS["train"][:-1])
    write_list(folder / "voc", "train", SPLITS["train"])
