"""Jobs as Snakemake words them, and the estimate of a run from what was measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import snakemake_runs as runs
from estimating.cases import RECIPE, loop, sliced

from wsss_steps.estimating import cuts, plans, reports, scaling, slices
from wsss_steps.estimating.estimates import Measured, bytes_of, estimate
from wsss_steps.estimating.plans import Job
from wsss_steps.estimating.sizes import Sizes
from wsss_steps.workflow import configuration

WORDS = """\
rule prepare:
    input: results/x/scenes
    output: results/x/splits/val/manifest.json
    log: logs/x/splits/val/prepare.log
    jobid: 2
    benchmark: logs/x/benchmarks/splits/val/prepare.tsv
    resources: tmpdir=/tmp
rule predict:
    input: results/x/splits/val/shards/001-of-004.json, results/x/plain/cam/none/threshold/plain/segmenter.safetensors
    output: results/x/raw, results/x/crf
    log: logs/x/plain/cam/none/threshold/plain/predict/val.shards/001-of-004.log
    benchmark: logs/x/benchmarks/plain/cam/none/threshold/plain/predict/val.shards/001-of-004.tsv
    threads: 2
    resources: tmpdir=/tmp, gpu=1, device=auto
localrule all:
    input: results/x/summary.csv
""".splitlines()


def test_jobs_are_read_off_a_dry_run() -> None:
    prepare, predict = plans.jobs_in(WORDS)
    assert (prepare.step, prepare.of, prepare.threads, prepare.gpu) == ("prepare", "splits/val", 1, False)
    assert prepare.outputs == ("results/x/splits/val/manifest.json",)
    assert predict.key == ("predict", "plain/cam/none/threshold/plain/val")
    assert (len(predict.inputs), len(predict.outputs), predict.threads, predict.gpu) == (2, 2, 2, True)


def job(step: str, of: str, number: int = 0, *, needs: str = "", threads: int = 1, gpu: bool = False) -> Job:
    made = f"{step}/{of}/{number}"
    return Job(step, of, (needs,) if needs else (), (made,), "log", "tsv", threads, gpu)


def rows_of(found: reports.Estimate) -> dict[str, reports.Row]:
    return {row.step: row for row in found.rows}


def test_an_estimate_of_stored_numbers(tmp_path: Path) -> None:
    """Two random seeds and two shards, from numbers as a slice of 5 images left them."""
    content = {
        **runs.DRAWN,
        **RECIPE,
        "random_seeds": [0, 1],
        "shards": 2,
        "draw": {"train": 50, "val": 20, "size": 64},
    }
    config = configuration.load(content)
    of_slice, cut = sliced(content, tmp_path, 5)
    epochs, batch = 5, 16  # the defaults of the classifier
    steps = loop([3.0, 2.0, 2.0, 2.0], [2, 2, 2, 2], what=scaling.STEPS)
    maps = loop([1.0] * 5, what="cams")
    slow = {
        ("train_classifier", "plain"): Measured(scaling.Spent(13.0, 13.0, 900.0, (steps,)), 1000),
        ("make_cams", "plain/cam"): Measured(scaling.Spent(10.0, 10.0, 700.0, (maps,)), 500),
    }
    plan = [
        *(job("train_classifier", name, gpu=True) for name in ("plain", "plain~seed=1")),
        *(
            job("make_cams", f"{name}/cam", number, needs=f"train_classifier/{name}/0")
            for name in ("plain", "plain~seed=1")
            for number in range(2)
        ),
        job("join_stores", "plain/cam"),
    ]
    found = estimate(
        plan, slow, slices.Names(of_slice), Sizes(config, cut, None), cores=2, gpus=0, keeps_features=False
    )
    rows = rows_of(found)
    trained = 4.0 + 50 * epochs * 1.0  # a second an image
    assert rows["train_classifier"].seconds == pytest.approx(2 * trained)
    assert rows["train_classifier"].disk_bytes == 2 * 1000
    assert "larger batches" in rows["train_classifier"].note  # of 16 images, where the slice had 2
    assert batch > max(steps.sizes)
    each = 50 * 1.0 + 2 * 5.0  # every shard starts a process of its own
    assert (rows["make_cams"].jobs, rows["make_cams"].seconds) == (4, pytest.approx(2 * each))
    assert rows["make_cams"].disk_bytes == 2 * 500 * 10
    assert rows["join_stores"].seconds is None
    assert found.wall_seconds == pytest.approx(trained + each)  # both trainings at once, then two shards at a time
    assert found.total("cpu_seconds") == pytest.approx(2 * trained + 2 * each)


def test_evaluation_counts_the_scored_images(tmp_path: Path) -> None:
    config, cut = sliced({**runs.DRAWN, **RECIPE}, tmp_path, 5)
    scored = cuts.Cut({}, {"train": 100, "val": 8, "scored": 20}, {"train": 5, "val": 4, "scored": 5})
    sizes = Sizes(config, scored, None)
    assert sizes.of(job("evaluate", "plain/cam/evaluation/cams/train")).ratio == 4
    assert sizes.of(job("evaluate", "plain/x/evaluation/segmentation/val")).ratio == 2
    assert sizes.of(job("make_cams", "plain/cam")).ratio == 20
    assert sizes.of(job("make_example", "")).ratio == 12
    assert cut.full["val"] == 4


def test_times_and_bytes_are_spelled_for_people() -> None:
    assert [reports.spell_time(one) for one in (0.2, 40, 600, 12_345, 540_000)] == [
        "< 1 s", "40 s", "10 min", "3.4 h", "150 h",
    ]  # fmt: skip
    assert [reports.spell_bytes(one) for one in (12, 3_400, 48e9, 1.5e12)] == ["12 B", "3.4 KB", "48 GB", "1.5 TB"]


def test_the_table_has_totals_and_names_what_was_not_measured(tmp_path: Path) -> None:
    rows = [
        reports.Row("predict", "val", 1, 7200.0, 3600.0, 0.25, 1000.0, 2e9, 3600.0),
        reports.Row("make_cams", "plain/cam", 2, 3600.0, 1800.0, 0.1, 2000.0, 1e9, None, "at least"),
        reports.Row("train_refiner", "x", 1, note="could not be measured: see the notes"),
    ]
    found = reports.Estimate(reports.in_order(rows), 2, 5400.0, 1e9, ["weights are missing"])
    text = "\n".join(reports.lines(found))
    assert [row.step for row in found.rows] == ["make_cams", "train_refiner", "predict"]
    assert "could not be measured" in text
    assert "Disk: 2.0 GB at the end; 1.0 GB more until" in text
    assert "Note: weights are missing" in text
    assert found.off_by() == pytest.approx((0.25 * 2 + 0.1) / 3)
    assert [row.step for row in found.unmeasured] == ["train_refiner"]
    for name in ("a.csv", "a.json"):
        reports.write(tmp_path / name, found)
    assert json.loads((tmp_path / "a.json").read_text())["rows"][0]["memory_mb"] == 2000.0
    assert (tmp_path / "a.csv").read_text().splitlines()[1].startswith("make_cams,plain/cam,2,3600.0")


def test_bytes_of_folders(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/c").write_bytes(b"12345")
    assert (bytes_of(tmp_path), bytes_of(tmp_path / "a/b/c")) == (5, 5)
