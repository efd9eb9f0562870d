"""The step `write_report`: what its scripts hold, and that no text in them is more than text."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import made_page
import numpy as np
import pytest
from made_page import EVIL, build, read_script

from wsss_steps import write_report
from wsss_steps.cli import main
from wsss_steps.errors import UserError
from wsss_steps.formats.files import write_json
from wsss_steps.formats.stamps import read_stamp
from wsss_steps.report import numbers
from wsss_steps.report.benchmarks import belongs, step_of, times
from wsss_steps.report.scripts import data_script

LINEAGE = "plain/cam+pamr/dino/superpixel/spsrg+plain"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with everything."""
    return build(tmp_path_factory.mktemp("page"))


def test_the_scripts_hold_the_numbers(index: Path) -> None:
    found = read_script(index.parent / "page" / "numbers.js")
    assert found["splits"][0] == {"split": "train", "images": 2, "tagged": [1, 1], "classes": made_page.CLASSES}
    summary = found["tables"]["summary"]
    assert summary["columns"][:5] == ["recipe", "random_seed", "stage", "split", "miou"]
    assert summary["rows"][3][:5] == [EVIL, "", "cams", "train", "0.500000"]
    total = np.array(made_page.IMAGES).sum(axis=0)  # by hand: the pixels of both images
    assert total.tolist()[1] == [2, 5, 1, 1]
    assert found["confusions"][0] == {"classes": ["background", *made_page.CLASSES], "pixels": total.tolist()}
    assert found["scores"][0]["sweep"][1] == {"threshold": 0.2, "miou": 0.31}
    assert found["histories"][1]["rows"] == [["1", "0.1", "2", "0.1", "0.3"], ["2", "0.1", "1", "0.2", "0.3"]]
    assert found["histories"][0]["network"] == "plain/classifier.safetensors"
    assert found["tags"] == [
        {
            "classifier": "plain",
            "split": "val",
            "images": 1,
            "f1": 0.5,
            "precision": 1.0,
            "recall": 0.4,
            "macro_f1": None,
        }
    ]
    assert found["warnings"]["warnings"][0]["images"] == ["a"]
    assert [row["score"] for row in found["about"]["rows"]] == [0, 1, 2, 0, 1, 2]


def test_no_name_is_more_than_text(index: Path) -> None:
    """In the scripts there is no `<` at all, so that nothing in them ends a script; the title is escaped."""
    page = index.parent / "page"
    for name in ("numbers.js", "times.js"):
        assert "<" not in (page / name).read_text(encoding="ascii")
    text = index.read_text(encoding="utf-8")
    assert "window.broken" in text
    assert "<script>window" not in text
    assert "<title>&lt;/script&gt;" in text


@pytest.mark.parametrize("text", [EVIL, "<!--", "a\u2028b\u2029c", 'quote " and \\', "Größe", "\x00"])
def test_every_text_comes_back_from_a_script(text: str) -> None:
    script = data_script("numbers", {"text": text})
    assert script.isascii()
    assert "<" not in script
    assert script.startswith("window.report = window.report || {};\nwindow.report.numbers = ")
    assert json.loads(script.split(" = ", 2)[2].removesuffix(";\n")) == {"text": text}


def test_a_number_that_json_has_not_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        data_script("numbers", [float("nan")])


def test_the_same_inputs_give_the_same_bytes_and_times_lie_apart(tmp_path: Path) -> None:
    first, second = (build(tmp_path / name) for name in "ab")
    files = {path.relative_to(first.parent): path.read_bytes() for path in first.parent.rglob("*") if path.is_file()}
    for name, content in files.items():
        assert (second.parent / name).read_bytes() == content, name
    folder = tmp_path / "a" / "inputs" / "benchmarks"
    (folder / "summarise.tsv").write_text("s\tmax_rss\tcpu_time\n2\t3\t4\n")
    build_again(tmp_path / "a", folder)
    changed = [name for name, content in files.items() if (first.parent / name).read_bytes() != content]
    assert changed == [Path("page/times.js")]


def build_again(folder: Path, benchmarks: Path) -> None:
    """The page of the same inputs, but of the benchmarks as they are."""
    given = made_page.inputs(folder / "inputs") | {"benchmarks": benchmarks}
    page = folder / "report" / "page"
    paths = {"warnings": folder / "inputs" / "warnings.json", "index": page.parent / "index.html", "page": page}
    write_report.run(**given, **paths, settings=made_page.settings(), stamp='{"step": "x"}')


def test_index_and_scripts_name_each_other(index: Path) -> None:
    """Every script that the page loads exists, and every script beside it is loaded."""
    text = index.read_text(encoding="utf-8")
    named = re.findall(r'(?:src|href)="((?:page|pictures)/[^"]+)"', text)
    assert [name for name in named if not (index.parent / name).is_file()] == []
    beside = {f"page/{path.name}" for path in (index.parent / "page").iterdir() if path.suffix in (".js", ".css")}
    assert beside <= set(named)
    assert named[-1] == "page/page.js"  # when every tab is registered
    assert not re.search(r"https?:", text)


def test_a_page_of_a_run_without_any_numbers(tmp_path: Path) -> None:
    index = build(tmp_path, only=("none",), masks=False)
    found = read_script(index.parent / "page" / "numbers.js")
    assert {name: found[name] for name in ("tables", "scores", "tags", "warnings")} == {
        "tables": {}, "scores": [], "tags": [], "warnings": None,
    }  # fmt: skip
    assert read_script(index.parent / "page" / "times.js") == []


def test_from_the_command_line_both_outputs_carry_a_stamp(tmp_path: Path) -> None:
    """Times are no input: the stamp says nothing of them."""
    given = made_page.inputs(tmp_path / "inputs")
    paths = given | {"index": tmp_path / "report" / "index.html", "page": tmp_path / "report" / "page"}
    words = []
    for name, found in paths.items():
        words += [f"--{name}", *map(str, found if isinstance(found, list) else [found])]
    main(write_report.run, [*words, "--warnings", "--settings", json.dumps(made_page.settings())])
    for path in (paths["index"], paths["page"]):
        stamp = read_stamp(path)
        assert stamp
        assert stamp["step"] == "write_report"
        assert {"manifests[0]", "confusions[2]"} <= set(stamp["inputs"])
        assert not [name for name in stamp["inputs"] if "benchmarks" in name]


@pytest.mark.parametrize("text", ["", "a,b\n1\n", 'a,b\n"1,2\n'])
def test_a_table_that_is_none_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "summary.csv").write_text(text)
    with pytest.raises(UserError, match=r"summary\.csv: expected a table in CSV"):
        numbers.table(tmp_path / "summary.csv")


def test_a_score_of_another_kind_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    given = made_page.inputs(tmp_path / "inputs")
    write_json(given["scores"][0], {"format": "wsss/tag_score", "version": 1})
    page = tmp_path / "report" / "page"
    with pytest.raises(UserError, match="expected format wsss/score version 1"):
        write_report.run(**given, index=page.parent / "index.html", page=page, settings=made_page.settings())
    assert not page.parent.exists()


# ---- times


def test_times_are_those_of_the_recipes_and_what_could_not_be_measured_is_missing(tmp_path: Path) -> None:
    folder = made_page.write_times(tmp_path)
    (folder / "broken.tsv").write_bytes(b"s\tmax_rss\n\xff\xfe")
    (folder / "empty.tsv").touch()
    found: list[dict[str, Any]] = times(folder, ["plain/cam/none/threshold/plain"])
    expected = [
        ("evaluate", "plain/cam/evaluation/cams/train", 0.1, None, None),
        ("train_classifier", "plain", 65.0, 60.0, 800.0),
        ("prepare", "splits/train", 1.5, 1.25, 50.25),
    ]
    columns = ("step", "of", "seconds", "cpu_seconds", "memory_mb")
    assert found == [dict(zip(columns, row, strict=True)) for row in expected]
    assert times(tmp_path / "none", []) == times(None, []) == []


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("", True),
        ("splits/val", True),
        ("superpixels/slic", True),
        ("plain", True),
        ("plain/evaluation/tags", True),
        ("plain/cam", True),  # the first link of the chain
        ("plain/cam+pamr", True),
        ("plain/cam+pamr/make_cams.shards", True),
        ("plain/cam+pamr/dino/superpixel/spsrg/predict", True),
        ("plain/cam+pamr/dino/superpixel/spsrg+plain", True),
        ("plain/cam+par", False),
        ("plain/ca", False),
        ("mdc", False),
        ("plain/cam+pamr/dino/threshold", False),
    ],
)
def test_jobs_of_other_recipes_are_left_out(folder: str, expected: bool) -> None:
    assert belongs(Path(folder).parts, [LINEAGE]) == expected


@pytest.mark.parametrize(
    ("path", "step", "of"),
    [
        ("summarise.tsv", "summarise", ""),
        ("plain/train_classifier.tsv", "train_classifier", "plain"),
        ("plain/cam/make_cams.shards/001-of-002.tsv", "make_cams", "plain/cam/001-of-002"),
        ("plain/evaluation/tags/val.tsv", "evaluate_classifier", "plain/evaluation/tags/val"),
        ("plain/cam/evaluation/boxes/train.tsv", "evaluate_boxes", "plain/cam/evaluation/boxes/train"),
        ("plain/cam/evaluation/cams/train.tsv", "evaluate", "plain/cam/evaluation/cams/train"),
        ("a/plain/predict/val.tsv", "predict", "a/plain/val"),
        ("a/plain/predict/val.shards/001-of-002.tsv", "predict", "a/plain/val/001-of-002"),
        ("plain/cam/cams.join.tsv", "join_shards", "plain/cam/cams"),
        ("saliency/ground_truth_saliency.shards/1-of-2.tsv", "ground_truth_saliency", "saliency/1-of-2"),
    ],
)
def test_a_table_of_times_is_of_a_step(path: str, step: str, of: str) -> None:
    assert step_of(Path(path)) == (step, of)
