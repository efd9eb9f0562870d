"""`snakemake --report` of a tiny run: every table, plot and picture is in it, with a caption, without a network."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import browser
import pytest
import snakemake_runs as runs

pytestmark = pytest.mark.workflow

SEEDS = {"superpixels": "none", "seeds": "threshold", "segmenter": "none"}
TABLES = {f"{name}.csv" for name in ("summary", "means", "differences", "per_class", "by_size")} | {"tables.md"}
PLOTS = {"all recipes": {"iou_per_class"}, "one": {"iou_per_class", "thresholds", "training"}}
PLOTS["two"] = PLOTS["one"]
OF_SNAKEMAKE = "cdn.tailwindcss.com should not be used in production"  # a warning of its style sheet, which it ships


@pytest.fixture(scope="module")
def project(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of two recipes, which share a classifier."""
    content = runs.DRAWN | {
        "recipes": {"one": SEEDS, "two": SEEDS | {"seeds": "threshold~foreground=0.5"}},
        "classifier": {"plain": runs.QUICK_CLASSIFIER | {"epochs": 1}},
        "evaluate": {"bootstrap": 20},
    }
    folder = runs.project_in(tmp_path_factory.mktemp("report"), repository, content)
    runs.succeed(folder)
    return folder


@pytest.fixture(scope="module")
def report(project: Path) -> Path:
    """The report in one file, made while no address can be reached."""
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in nowhere.items():
            patch.setitem(os.environ, name, value)
        runs.succeed(project, "--report", "report.html")
    return project / "report.html"


def results_of(report: Path) -> list[dict[str, Any]]:
    """What the report holds."""
    text = report.read_text(encoding="utf-8")
    start = text.index("{", text.index('<script id="results">'))
    return list(json.JSONDecoder().raw_decode(text, start)[0].values())


def test_every_item_is_there_with_its_caption(report: Path) -> None:
    found = results_of(report)
    assert all("<p>" in item["caption"] for item in found)
    assert {item["labels"]["table"] for item in found if "table" in item["labels"]} == TABLES
    assert [item["name"] for item in found if item["labels"] == {"picture": "gallery.png"}] == ["gallery.png"]
    plots = [
        (item["job_properties"]["wildcards"], item["labels"]["plot"]) for item in found if "plot" in item["labels"]
    ]
    assert len(plots) == len(set(plots)) == sum(map(len, PLOTS.values()))
    assert {plot for _, plot in plots} == PLOTS["one"]
    assert len(found) == len(TABLES) + 1 + len(plots)


def test_a_browser_shows_it(report: Path, running_browser: Any) -> None:
    """A category, its recipes, the plots of one; the plot is drawn, its caption is shown, no address is asked."""
    window = browser.Window(running_browser)
    page = window.open(report)
    page.get_by_text("image-level tags of the data set tiny").wait_for()
    page.get_by_text("Plots", exact=True).click()
    for recipe in PLOTS:
        page.get_by_text(recipe, exact=True).wait_for()
    page.get_by_text("two", exact=True).click()
    row = page.locator("tbody tr", has_text="thresholds")
    row.locator("a").first.click()
    page.wait_for_function("[...document.images].some((image) => image.naturalWidth > 300)")
    row.locator("a").last.click()
    page.get_by_text("The best one, marked, was chosen with the ground truth").wait_for()
    assert [error for error in window.errors if not error.startswith(OF_SNAKEMAKE)] == []


def test_the_archive_holds_the_same_files(project: Path, report: Path) -> None:
    runs.succeed(project, "--report", "report.zip")
    with zipfile.ZipFile(project / "report.zip") as archive:
        files = {Path(name).name for name in archive.namelist() if "/data/raw/" in name}
    assert files == {Path(item["filename"]).name for item in results_of(report)}
