"""From a plain folder with a table of tags to label maps at the size of every photograph, one of them large."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import snakemake_runs as runs
from photo_folders import ON_ITS_SIDE, make_folder, photograph, write_table
from PIL import Image

from wsss_steps.data.images import resize_nearest
from wsss_steps.formats.kinds.cams import CAMS
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.formats.labels import read_labels, write_labels
from wsss_steps.formats.stores import Store

pytestmark = pytest.mark.workflow

SMALL = {"backbone": "small", "frozen_batch_norm": "none", "epochs": 1, "batch_size": 4, "crop": 32, "warmup_epochs": 0}
MINE: dict[str, Any] = {
    "dataset": "mine",
    "images": "photos",
    "max_side": 64,
    "recipes": {"chain": {"segmenter": "plain+plain"}, "seeds": {"segmenter": "none"}},
    "classifier": {"plain": {**SMALL, "frozen_stages": 0, "resize_long": None}},
    "cams": {"cam": {"scales": [1.0]}},
    "seeds": {"threshold": {"foreground": 0.05}},
    "segmenter": {"plain": {**SMALL, "aspp_rates": [1, 2]}},
    "compare_superpixels": ["slic~count=4"],
    "evaluate": {"bootstrap": 20},
    "gallery_images": 2,
    "threads": 1,
}
LARGE = (900, 1200)  # height and width as it is stored, on its side
UPRIGHT, WORKING = (1200, 900), (64, 48)
ROWS = (
    "file;tags;split;mask",
    "cats/IMG 1.JPG;cat;;",
    "cats/IMG 2;cat;;",
    "dogs/a.webp;dog;;small.png",
    "dogs/old/a.jpeg;dog;;",
    "both;cat|dog;;",
    "large.jpg;cat;;large.png",
    "held/large.png;dog;val;large.png",
    "held/untold.png;;test;",
)
MAPS = "results/mine/plain/cam/none/threshold"


def make(folder: Path) -> None:
    make_folder(folder / "photos")
    photograph(folder / "photos/large.jpg", ("cat",), LARGE, ON_ITS_SIDE)
    photograph(folder / "photos/held/large.png", ("dog",), UPRIGHT)
    photograph(folder / "photos/held/untold.png", (), (50, 40))
    for name, size in (("small", (48, 64)), ("large", UPRIGHT)):
        labels = np.zeros(size, np.uint8)
        labels[: size[0] // 2] = 2 if name == "small" else 1
        write_labels(folder / "photos" / f"{name}.png", labels)
    write_table(folder / "photos/tags.csv", *ROWS)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """A copy of the project in which the workflow has run once."""
    folder = runs.project_in(tmp_path_factory.mktemp("own"), repository, MINE)
    make(folder)
    runs.succeed(folder, "--config", "tags=tags.csv")
    return folder


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.height, image.width


def test_label_maps_have_the_size_of_the_photographs(run: Path) -> None:
    expected = {"cats+IMG 1": (48, 64), "cats+IMG 2": (48, 64), "dogs+a": (48, 64), "dogs+old+a": (48, 64)}
    expected |= {"both": (64, 48), "large": UPRIGHT}
    for place in ("plain/pseudo_labels", "plain+plain/pseudo_labels", "none/pseudo_labels"):
        sizes = {path.stem: size_of(path) for path in (run / MAPS / place).glob("*.png")}
        assert sizes == expected, place
    for split, image_id, size in (("val", "held+large", UPRIGHT), ("test", "held+untold", (50, 40))):
        for place in ("segmentation_crf", *(["segmentation"] if split == "val" else [])):
            assert size_of(run / MAPS / f"plain+plain/{place}/{split}/{image_id}.png") == size


def test_everything_else_has_the_working_size(run: Path) -> None:
    with Store(run / MAPS / "seeds.h5", SEEDS) as seeds, Store(run / "results/mine/plain/cam/cams.h5", CAMS) as cams:
        assert seeds["large"]["seeds"].shape == WORKING
        assert cams["large"]["cam"].shape[1:] == WORKING
        found = seeds["large"]["seeds"]
    assert size_of(run / MAPS / "plain/working_labels/large.png") == WORKING
    labels = read_labels(run / MAPS / "none/pseudo_labels/large.png")
    assert (resize_nearest(labels, WORKING) == found).mean() > 0.9


def test_the_manifest_knows_both_sizes(run: Path) -> None:
    content = json.loads((run / "results/mine/splits/train/manifest.json").read_text())
    entry = next(one for one in content["images"] if one["id"] == "large")
    assert (entry["height"], entry["width"]) == WORKING
    assert entry["image"] == "results/mine/splits/train/copies/large.png"
    original = content["originals"]["large"]
    assert (original["image"], original["height"], original["width"]) == ("photos/large.jpg", *UPRIGHT)
    assert content["classes"] == ["cat", "dog"]
    assert list(content["originals"]) == ["large"]
    log = (run / "logs/mine/splits/train/prepare.log").read_text()
    assert "classes of the table photos/tags.csv: 1 cat, 2 dog" in log
    assert "1 of 6 images are read as copies of at most 64 px" in log


def test_what_has_masks_is_scored(run: Path) -> None:
    with (run / "results/mine/summary.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {(row["stage"], row["split"]): row["images"] for row in rows if row["recipe"] == "chain"} == {
        ("cams", "train"): "2",
        ("seeds", "train"): "2",
        ("pseudo_labels", "train"): "2",
        ("segmentation", "val"): "1",
        ("segmentation_crf", "val"): "1",
    }
    assert (run / "results/mine/superpixels.csv").is_file()


def planned(folder: Path) -> set[str]:
    jobs = runs.jobs(folder, "--config", "tags=tags.csv")
    return {re.match(r"(?:local)?rule (\w+):", job).group(1) for job in jobs}  # type: ignore[union-attr]


def test_a_second_run_does_nothing_and_a_tag_reruns_its_split(run: Path) -> None:
    assert planned(run) == set()
    table = run / "photos/tags.csv"
    before = table.read_text()
    try:
        write_table(table, ROWS[0], *reversed(ROWS[1:]))
        assert planned(run) == set(), "the order of the rows says nothing"
        table.write_text(before.replace("held/large.png;dog", "held/large.png;cat"))
        assert "train_classifier" not in planned(run)
        assert "prepare" in planned(run)
        table.write_text(before.replace("cats/IMG 2;cat", "cats/IMG 2;dog"))
        assert {"prepare", "train_classifier"} <= planned(run)
    finally:
        table.write_text(before)


def test_shards_carry_the_originals(run: Path) -> None:
    runs.succeed(run, "--config", "tags=tags.csv", "shards=2", "name=sharded")
    for name in (f"{MAPS}/plain+plain/pseudo_labels/large.png", f"{MAPS}/plain/working_labels/large.png"):
        sharded = run / name.replace("results/mine", "results/sharded")
        assert (read_labels(sharded) == read_labels(run / name)).all()


def test_segment_gives_the_bytes_of_the_rule(run: Path) -> None:
    """The command finds scales, dense CRF and working size beside the network; one photograph is larger than that."""
    network, photo = f"{MAPS}/plain+plain/segmenter.safetensors", "photos/held/large.png"
    words = ["-m", "wsss_steps", "segment", photo, "--model", network, "--out", "segmented", "--device", "cpu"]
    subprocess.run([sys.executable, *words], cwd=run, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    expected = run / MAPS / "plain+plain/segmentation_crf/val/held+large.png"
    assert (run / "segmented/labels/large.png").read_bytes() == expected.read_bytes()
