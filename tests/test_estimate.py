"""The command estimate: its arguments, and a whole one."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest
import snakemake_runs as runs
import tiny_archives
import yaml

from wsss_steps.__main__ import main
from wsss_steps.commands.estimate import _count, _positive
from wsss_steps.estimating import session


def test_arguments_that_are_none() -> None:
    for function, text in ((_positive, "0"), (_count, "-1")):
        with pytest.raises(argparse.ArgumentTypeError, match=f"found {text}"):
            function(text)


def test_an_output_of_another_kind_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["estimate", "--configfile", "config.yaml", "--out", "table.txt"])
    assert "expected a file .csv or .json" in capsys.readouterr().err


def test_a_configuration_that_is_wrong_is_told_as_by_a_run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("wrong.yaml").write_text(yaml.safe_dump({**runs.DRAWN, "recipes": {"a": {"cams": "nothing"}}}))
    with pytest.raises(SystemExit):
        main(["estimate", "--configfile", "wrong.yaml", "--plan"])
    assert "unknown cams method 'nothing'" in capsys.readouterr().err
    assert not list(Path("results").iterdir())


@pytest.mark.workflow
def test_a_whole_estimate_of_drawn_scenes(repository: Path, tmp_path: Path) -> None:
    tables = {
        "classifier": {"plain": runs.QUICK_CLASSIFIER | {"epochs": 40}},
        "segmenter": {"plain": runs.QUICK | {"train_scales": [1.0], "epochs": 40}},
    }
    content = {**runs.DRAWN, "recipes": {"cam": runs.CAM_RECIPE}, **tables, "random_seeds": [0, 1]}
    project = runs.project_in(tmp_path, repository, content)
    text = runs.python(
        project, "-m", "wsss_steps", "estimate", "--configfile", "test.yaml", "--images", "4", "--out", "table.json"
    )
    assert "The run: 10 of train, 4 of val images" in text
    found = json.loads((project / "table.json").read_text())
    rows = {row["step"]: row for row in found["rows"]}
    assert {"train_classifier", "make_cams", "train_segmenter", "predict", "evaluate"} <= rows.keys()
    assert rows["train_classifier"]["jobs"] == 2
    assert not [row for row in found["rows"] if row["seconds"] is None]
    # 40 epochs of 10 images cost more than the 2 of 4 that were measured, and the weights stay as large
    assert rows["train_classifier"]["cpu_seconds"] > rows["make_seeds"]["cpu_seconds"]
    assert rows["make_cams"]["disk_bytes"] > 0
    assert not list((project / "results").glob("estimate-*"))
    assert not list((project / "logs").glob("estimate-*"))


@pytest.mark.workflow
def test_a_step_that_fails_is_named(repository: Path, tmp_path: Path) -> None:
    """A network that cannot be built is found when it is trained; what is behind it is named as not measured."""
    stride = {"output_stride": 32}
    tables = {"classifier": {"plain": runs.QUICK_CLASSIFIER | stride}, "segmenter": {"plain": runs.QUICK}}
    content = {**runs.DRAWN, "recipes": {"cam": runs.CAM_RECIPE}, **tables}
    project = runs.project_in(tmp_path, repository, content)
    with pytest.raises(Exception, match="returned non-zero exit status 1") as failed:
        runs.python(project, "-m", "wsss_steps", "estimate", "--configfile", "test.yaml", "--images", "4")
    text = failed.value.stdout  # type: ignore[attr-defined]
    assert "train_classifier plain failed: backbone small has no output stride 32" in text
    assert "jobs behind it were not measured" in text


@pytest.mark.workflow
def test_the_plan_of_coco_reads_no_image(repository: Path, tmp_path: Path) -> None:
    content = yaml.safe_load((repository / "configs/coco2014.yaml").read_text())
    root = tiny_archives.make_coco(tmp_path / "coco")
    content["convert"]["published_counts"] = False
    (tmp_path / "project").mkdir()
    project = runs.project_in(tmp_path / "project", repository, content | {"root": str(root)})
    for path in root.rglob("*.jpg"):
        path.write_bytes(b"")
    text = runs.python(project, "-m", "wsss_steps", "estimate", "--configfile", "test.yaml", "--plan")
    assert "The run: 2 of train, 2 of val images" in text
    assert session.LOG not in text
