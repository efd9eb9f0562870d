"""Two configuration files of one results folder agree, or planning says what keeps them apart."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
import snakemake_runs as runs

from wsss_steps.errors import UserError
from wsss_steps.workflow import configuration, sharing
from wsss_steps.workflow.config import Config

BASE: dict[str, Any] = {"dataset": "x", "draw": {}, "classes": ["a"], "recipes": {"a": {}}}
A, B = [Path("configs/a.yaml")], [Path("configs/b.yaml")]


def load(**changes: Any) -> Config:
    return configuration.load(BASE | changes)


@pytest.fixture(autouse=True)
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The record of a run of configs/a.yaml."""
    monkeypatch.chdir(tmp_path)
    for file in (*A, *B):
        file.parent.mkdir(exist_ok=True)
        file.touch()
    sharing.record(load(), A)
    return tmp_path / "results/x/configurations/configs%2Fa.yaml.json"


def test_the_record_names_the_file_and_its_settings(ran: Path) -> None:
    found = json.loads(ran.read_text())
    assert found["files"] == ["configs/a.yaml"]
    assert found["settings"]["classifier plain"]["epochs"] == 5
    assert {"data set", "split val", "predict", "cams cam", "seeds threshold", "segmenter plain"} <= found[
        "settings"
    ].keys()


def test_the_same_file_may_change(ran: Path) -> None:
    sharing.check(load(classifier={"plain": {"epochs": 30}}), A)


def test_another_file_that_agrees_has_tables_of_its_own() -> None:
    sharing.check(load(tables="b", recipes={"b": {"superpixels": "slic"}}), B)
    with pytest.raises(
        UserError, match="its tables are those of configs/a.yaml: give configs/b.yaml its own, tables: NAME"
    ):
        sharing.check(load(), B)


def test_a_configuration_without_boxes_agrees_with_one_that_has_some(tmp_path: Path) -> None:
    boxed = {"boxes": "Annotations", "tables": "b"}
    sharing.check(load(**boxed), B)
    sharing.record(load(**boxed), B)
    sharing.check(load(), A)
    with pytest.raises(UserError, match=r"evaluate_boxes: threshold: 0.2 in configs/b.yaml, 0.3 in configs/a.yaml"):
        sharing.check(load(boxes="Annotations", evaluate_boxes={"threshold": 0.3}), A)


def test_other_results_share_nothing() -> None:
    sharing.check(load(name="y", classifier={"plain": {"epochs": 30}}), B)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"classifier": {"plain": {"epochs": 30}}},
            "classifier plain: epochs: 5 in configs/a.yaml, 30 in configs/b.yaml; "
            "take it out of the file and write the choice as plain~epochs=30",
        ),
        (
            {"predict": {"flip": True}},
            "predict: flip: false in configs/a.yaml, true in configs/b.yaml; "
            "give one of them results of its own, name: NAME",
        ),
        ({"draw": {"seed": 3}}, "draw: seed: 0 in configs/a.yaml, 3 in configs/b.yaml; give one of them results"),
        ({"classes": ["a", "b"]}, 'data set: classes: ["a"] in configs/a.yaml, ["a", "b"] in configs/b.yaml; give'),
        (
            {"splits": {"val": "other.txt"}},
            'split val: list: "ImageSets/Segmentation/val.txt" in configs/a.yaml, "other.txt"',
        ),
    ],
)
def test_what_differs_is_said_with_what_keeps_it_apart(changes: dict[str, Any], line: str) -> None:
    with pytest.raises(UserError) as caught:
        sharing.check(load(tables="b", **changes), B)
    assert line in str(caught.value)


def test_if_the_other_file_was_edited_since_its_record_can_be_deleted(ran: Path) -> None:
    def lines() -> list[str]:
        with pytest.raises(UserError) as caught:
            sharing.check(load(tables="b", predict={"flip": True}), B)
        return str(caught.value).splitlines()[1:]

    later = ran.stat().st_mtime_ns + 10**9
    os.utime(A[0], ns=(0, 0))
    assert len(lines()) == 1
    os.utime(A[0], ns=(later, later))
    record = ran.relative_to(Path.cwd())
    assert lines()[1].endswith(f"changed since it ran here: if the two agree now, delete its record, {record}")
    ran.unlink()
    sharing.check(load(tables="b", predict={"flip": True}), B)


def test_what_differs_in_a_choice_within_a_choice_is_found() -> None:
    recipes = {"a": {"superpixels": "dino~features=rgb"}}
    sharing.record(load(recipes=recipes), A)
    with pytest.raises(UserError, match="features rgb: cell: 8 in configs/a.yaml, 4 in configs/b.yaml; .* rgb~cell=4"):
        sharing.check(load(recipes=recipes, tables="b", features={"rgb": {"cell": 4}}), B)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ({"superpixels": {"dino": {"crf": "label"}}}, {}),  # recorded as numbers and null, spelled by names
        ({}, {"superpixels": {"dino": {"crf": "label"}}}),
        ({"features": {"keys": {"weights": "a/b.pth"}}}, {"features": {"keys": {"weights": "c/d.pth"}}}),
    ],
)
def test_what_no_override_can_say_asks_for_results_of_its_own(
    theirs: dict[str, Any], ours: dict[str, Any], tmp_path: Path
) -> None:
    for name in ("a/b.pth", "c/d.pth"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    recipes = {"a": {"superpixels": "dino"}}
    sharing.record(load(recipes=recipes, **theirs), A)
    with pytest.raises(UserError) as caught:
        sharing.check(load(recipes=recipes, tables="b", **ours), B)
    (line,) = str(caught.value).splitlines()[1:]
    assert line.endswith("; give one of them results of its own, name: NAME")


def test_files_whose_names_are_alike_have_records_of_their_own(ran: Path) -> None:
    other = Path("configs-a.yaml")
    other.touch()
    sharing.record(load(tables="b"), [other])
    assert len(list(ran.parent.iterdir())) == 2


def test_a_split_that_the_other_file_has_not_is_no_difference() -> None:
    sharing.check(load(tables="b", splits={"val": "ImageSets/Segmentation/val.txt", "test": "test.txt"}), B)


def test_the_record_of_a_file_that_is_gone_counts_no_more() -> None:
    A[0].unlink()
    sharing.check(load(classifier={"plain": {"epochs": 30}}), B)


def test_planning_refuses_and_a_dry_run_leaves_no_record(tmp_path: Path, repository: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    runs.project_in(folder, repository, {**runs.DRAWN, "recipes": {"cam": runs.CAM_RECIPE}})
    runs.succeed(folder, "--dry-run", "--quiet")
    records = folder / "results/tiny/configurations"
    assert not records.exists()
    planned = runs.succeed(folder, "--dry-run", "--config", "name=other", "tables=mine")
    assert "results/other/tables/mine/summary.csv" in planned
    assert "results/tiny" not in planned
    (folder / "other.yaml").touch()
    with contextlib.chdir(folder):
        other = configuration.load({**runs.DRAWN, "recipes": {"cam": runs.CAM_RECIPE}, "predict": {"crf": "toco"}})
        sharing.record(other, [Path("other.yaml")])
    done = runs.snakemake(folder, "--dry-run")
    assert done.returncode == 1
    assert "results/tiny holds results of another configuration file" in done.stdout
    assert 'predict: crf: "toco" in other.yaml, "deeplab" in test.yaml' in done.stdout


@pytest.mark.parametrize("changes", [{}, {"tables": "b"}, {"name": "y"}, {"name": "y", "tables": "b"}])
def test_tables_lie_below_the_results(changes: dict[str, Any]) -> None:
    config = load(**changes)
    assert Path(config.tables_folder).is_relative_to(config.results)
    assert Path(config.results).parent == Path("results")


@pytest.mark.parametrize("key", ["name", "tables"])
def test_a_name_that_is_none_of_a_folder_is_refused(key: str) -> None:
    with pytest.raises(UserError, match=f"{key}: expected a file name, without '/', found 'a/../..'"):
        load(**{key: "a/../.."})
