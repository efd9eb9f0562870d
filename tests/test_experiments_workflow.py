"""Random seeds and lists of values through Snakemake: what is shared is trained once, tables compare the rest."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pytest
import snakemake_runs as runs
import tiny_voc

pytestmark = pytest.mark.workflow

SMALL = {"backbone": "small", "frozen_batch_norm": "none", "epochs": 1, "batch_size": 2, "crop": 16, "warmup_epochs": 0}
TINY: dict[str, Any] = {
    "dataset": "voc",
    "root": "voc",
    "classes": list(tiny_voc.CLASSES),
    "splits": {},
    "recipes": {"cam": {"classifier": "plain~seed=0", "seeds": "threshold~foreground=[0.3,0.4]"}},
    "random_seeds": [0, 1],
    "classifier": {"plain": {**SMALL, "frozen_stages": 0, "resize_long": None}},
    "cams": {"cam": {"scales": [1.0]}},
    "segmenter": {"plain": {**SMALL, "aspp_rates": [1, 2]}},
    "predict": {"scales": [1.0], "crf": "none"},
    "evaluate": {"bootstrap": 20},
    "gallery_images": 2,
    "threads": 1,
}
TABLES = ("summary.csv", "means.csv", "differences.csv", "per_class.csv", "by_size.csv", "tables.md", "gallery.png")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """A copy of the project in which two recipes have run with two random seeds and one classifier."""
    folder = runs.project_in(tmp_path_factory.mktemp("experiments"), repository, TINY)
    tiny_voc.make_voc(folder / "voc")
    (folder / "printed.txt").write_text(runs.succeed(folder))
    return folder


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_shared_networks_are_trained_once(project: Path) -> None:
    ran = re.findall(r"^(?:local)?rule (\w+):", (project / "printed.txt").read_text(), re.MULTILINE)
    assert (ran.count("train_classifier"), ran.count("make_seeds"), ran.count("train_segmenter")) == (1, 2, 4)
    results = project / "results/voc"
    assert len(list(results.rglob("segmenter.safetensors"))) == 4
    assert (results / "plain/cam/none/threshold~foreground=0.4/plain~seed=1/pseudo_labels").is_dir()


def test_the_tables_are_over_random_seeds(project: Path) -> None:
    results = project / "results/voc"
    assert all((results / name).is_file() for name in TABLES)
    found = [(row["recipe"], row["random_seed"], row["stage"]) for row in rows(results / "summary.csv")]
    stages, names = ("cams", "seeds", "pseudo_labels"), ("cam~foreground=0.3", "cam~foreground=0.4")
    assert found == [(name, seed, stage) for name in names for seed in "01" for stage in stages]
    means = {(row["recipe"], row["stage"]): row for row in rows(results / "means.csv")}
    assert [means[names[0], stage]["n"] for stage in stages] == ["1", "1", "2"]
    assert len(rows(results / "differences.csv")) == 3
    printed = (project / "printed.txt").read_text()
    assert "Table: results/voc/means.csv" in printed
    assert re.search(r"cams\* +train +\d+\.\d +1 +-", printed)


def test_only_some_recipes_leave_the_whole_table_alone(project: Path) -> None:
    results = project / "results/voc"
    before = {name: ((results / name).read_bytes(), (results / name).stat().st_mtime_ns) for name in TABLES}
    runs.succeed(project, "--config", "only=cam~foreground=0.4")
    assert {name: ((results / name).read_bytes(), (results / name).stat().st_mtime_ns) for name in TABLES} == before
    own = rows(results / "tables/cam~foreground=0.4/summary.csv")
    assert {row["recipe"] for row in own} == {"cam~foreground=0.4"}
    assert runs.planned(project) == set()


def test_a_dry_run_says_what_is_new(project: Path) -> None:
    plan = runs.succeed(project, "--dry-run", "--config", "random_seeds=[0,1,2]")
    assert (
        "Trainings of 6 run(s) (2 recipe(s) x 3 random seed(s)): 12 networks, 5 of them shared; "
        "7 are distinct: 5 exist already, 2 are new"
    ) in plan
    assert len(re.findall(r"^rule train_segmenter:", plan, re.MULTILINE)) == 2
    assert "Trainings" not in runs.succeed(project, "--dag")
