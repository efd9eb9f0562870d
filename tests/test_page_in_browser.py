"""The page in a real browser: no error in its console (the fixture asserts that), sorting, tips, tabs, links, names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import made_page
import pytest
from browser import CONTRASTS, DRAWN, WIDTHS, overflow
from made_page import EVIL, MIOU, build

TABS = ["Scores", "Warnings", "Classes", "Maps", "Training", "Superpixels", "Times"]
SUMMARY = "[aria-label=Summary]"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("page"))


def tabs(page: Any) -> list[str]:
    return [re.sub(r" \d+$", "", text) for text in page.locator("nav a").all_inner_texts()]


def opened(page: Any, name: str) -> None:
    """Waits until the tab is the open one."""
    page.locator("nav a[aria-current=page]", has_text=name).wait_for()


def column(page: Any, number: int, table: str = SUMMARY) -> list[str]:
    return list(page.locator(f"{table} tbody td:nth-child({number})").all_inner_texts())


@pytest.mark.parametrize("width", WIDTHS)
def test_every_tab_opens_without_an_error_fits_and_can_be_read(index: Path, browser_page: Any, width: int) -> None:
    page = browser_page(index, width=width)
    assert tabs(page) == TABS
    for number, name in enumerate(TABS):
        page.locator("nav a").nth(number).click()
        opened(page, name)
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        page.wait_for_function(DRAWN)
        assert overflow(page) <= 0, name
        assert page.evaluate(CONTRASTS) == [], name
        assert page.locator("main").inner_text()
        for drawing in page.locator("figure svg[role=img]").all():
            assert drawing.evaluate("(one) => one.viewBox.baseVal.width") > 250


def test_plots_have_names_and_descriptions(index: Path, browser_page: Any) -> None:
    for name, count in {"scores": 2, "classes": 3, "maps": 1, "training": 3, "superpixels": 3, "times": 2}.items():
        page = browser_page(index, f"#{name}")
        drawings = page.locator("figure svg[role=img]")
        assert drawings.count() == count, name
        for drawing in drawings.all():
            ids = [drawing.get_attribute(key) for key in ("aria-labelledby", "aria-describedby")]
            assert all(page.locator(f"#{one}").inner_text() for one in ids)


def test_names_stay_text(index: Path, browser_page: Any) -> None:
    page = browser_page(index)
    assert page.locator("h1").inner_text() == EVIL
    assert page.title() == EVIL
    assert EVIL in column(page, 1)
    for name in TABS[1:]:
        page.evaluate(f"location.hash = '#{name.lower()}'")
        opened(page, name)
        page.wait_for_function(DRAWN)
        assert page.evaluate("window.broken") is None
    assert page.locator("script").count() == index.read_text(encoding="utf-8").count("<script ")


def test_a_click_on_a_head_sorts_and_the_link_keeps_it(index: Path, browser_page: Any) -> None:
    """Missing values come last, whichever way."""
    page = browser_page(index)
    values = [f"{100 * value:.1f}" for value in sorted(MIOU.values())]
    miou = page.locator(f"{SUMMARY} th button", has_text="mIoU")
    miou.click()
    assert column(page, 4) == [*reversed(values), "–", "–"]
    assert page.locator(f"{SUMMARY} th[aria-sort=descending]").inner_text().startswith("mIoU")
    again = browser_page(index, page.url.partition("html")[2])
    assert column(again, 4) == [*reversed(values), "–", "–"]
    miou.click()
    assert column(page, 4) == [*values, "–", "–"]
    page.locator(f"{SUMMARY} th button", has_text="recipe").click()
    page.locator(f"{SUMMARY} th button", has_text="recipe").click()
    assert column(page, 1) == sorted(column(page, 1), key=str.casefold)


def test_a_stage_is_chosen_and_the_link_keeps_it(index: Path, browser_page: Any) -> None:
    page = browser_page(index)
    page.locator("section", has=page.locator(SUMMARY)).locator("select").select_option("seeds train")
    assert column(page, 2) == ["seeds", "seeds"]
    again = browser_page(index, page.url.partition("html")[2])
    assert column(again, 2) == ["seeds", "seeds"]
    page = browser_page(index, "#classes")
    assert page.locator("select").first.evaluate("(one) => one.value") == "segmentation_crf val"


def test_recipes_that_learn_from_more_than_tags_are_marked_and_apart(
    tmp_path: Path, browser_page: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = browser_page(build(tmp_path / "plain"))
    assert "†" not in plain.locator("main").inner_text()
    assert plain.locator(f"{SUMMARY} .best").all_inner_texts() == ["40.0", "50.0", "62.0"]
    monkeypatch.setitem(made_page.EXTRA, EVIL, "saliency: given")
    page = browser_page(build(tmp_path / "more"))
    assert set(column(page, 1)) == {"cam", f"{EVIL} †"}
    assert page.locator(f"{SUMMARY} .best").all_inner_texts() == ["31.0", "40.0", "50.0", "62.0"]
    assert "† learns from more than tags" in page.locator("main").inner_text()


def test_the_protocol_of_a_number_shows_on_focus_and_on_hover(index: Path, browser_page: Any) -> None:
    page = browser_page(index)
    number = page.locator(f"{SUMMARY} .tipped[tabindex='0']").first
    tip = page.locator("#tip")
    number.focus()
    page.evaluate("window.scrollBy(0, 40)")  # as moving the focus may
    page.wait_for_timeout(100)
    assert tip.is_visible()
    lines = tip.inner_text().splitlines()
    assert lines[0] == "cam"
    for line in (
        "stage: cams",
        "split: train",
        "images: 2",
        "initial weights: random",
        "scales: 1 0.5",
        "dense CRF behind the network: none",
    ):
        assert line in lines
    for name in (
        "background threshold",
        "ground truth used for",
        "precision of computing",
        "more than tags",
        "images left out",
    ):
        assert any(line.startswith(f"{name}: ") for line in lines), name
    page.keyboard.press("Escape")
    assert tip.is_hidden()
    page.locator(f"{SUMMARY} td.number .tipped").nth(5).hover()
    assert tip.is_visible()
    page.mouse.move(0, 0)
    assert tip.is_hidden()


def test_tabs_and_sorting_by_keyboard(index: Path, browser_page: Any) -> None:
    page = browser_page(index)
    reached = []
    for _ in range(5):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent"))
    assert reached[2:] == ["Scores", "Warnings 1", "Classes"]
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"  # the focus is visible
    page.keyboard.press("Enter")
    opened(page, "Classes")
    page = browser_page(index)
    page.locator(f"{SUMMARY} th button", has_text="mIoU").focus()
    page.keyboard.press("Enter")
    assert column(page, 4)[0] == "62.0"


def test_back_goes_to_the_tab_before_and_an_unknown_one_is_the_first(index: Path, browser_page: Any) -> None:
    page = browser_page(index, "#maps")
    page.locator("nav a", has_text="Times").click()
    opened(page, "Times")
    page.go_back()
    opened(page, "Maps")
    for place in ("#nothing", "#%", "#nothing?a=%"):
        opened(browser_page(index, place), "Scores")


def test_values_of_a_plot_show_on_hover_and_a_recipe_can_be_hidden(index: Path, browser_page: Any) -> None:
    page = browser_page(index, "#maps")
    page.wait_for_function(DRAWN)
    page.locator("figure svg[role=img]").hover()
    lines = page.locator("#tip").inner_text().splitlines()
    assert lines[0] == f"cam; {EVIL}"  # they share their maps
    assert (lines[1], lines[2]) in [("threshold: 0.1", "mIoU (%): 20"), ("threshold: 0.2", "mIoU (%): 31")]
    page = browser_page(index)
    page.wait_for_function(DRAWN)
    bars = page.locator("figure").first.locator("svg[role=img] rect:not([fill=transparent])")
    assert bars.count() == 4
    page.locator(".legend button").first.click()
    assert page.locator(".legend button").first.get_attribute("aria-pressed") == "false"
    assert bars.count() == 2


def test_a_confusion_matrix_counts_pixels(index: Path, browser_page: Any) -> None:
    """By hand: of the 9 px of cat, 2 were taken for background, 5 are right, 1 is of the other class, 1 unlabelled."""
    page = browser_page(index, "#classes")
    figure = page.locator("figure", has_text="Confusion matrix")
    figure.locator("svg .cell").nth(4).hover()
    assert page.locator("#tip").inner_text() == "ground truth: cat\nprediction: background\n22.22 %: 2 of 9 px"
    figure.locator("summary").click()
    assert figure.locator("tbody tr").nth(1).locator("td").all_inner_texts() == ["cat", "2", "5", "1", "1"]


def test_several_random_seeds_show_their_means_first(tmp_path: Path, browser_page: Any) -> None:
    page = browser_page(build(tmp_path, random_seeds=[0, 1]))
    assert page.locator("figcaption").first.inner_text() == "mIoU, mean over 2 random seeds"
    assert page.locator("h2").all_inner_texts() == ["Means over random seeds", "Summary", "Differences", "Tags"]
    means = "[aria-label='Means over random seeds']"
    assert [column(page, number, means)[0] for number in (4, 5, 6)] == ["2", "31.0", "1.0"]  # n, mIoU, deviation
    focused = page.locator(f"{means} .tipped[tabindex='0']").first
    assert focused.inner_text() == "31.0"
    focused.focus()
    assert "initial weights: random" in page.locator("#tip").inner_text().splitlines()
    assert "with the same random seed: mean over n" in page.locator("section", has_text="minus").inner_text()


def test_warnings_lead_to_images_and_to_what_labels_show(index: Path, browser_page: Any) -> None:
    page = browser_page(index, "#warnings")
    assert page.locator("nav .count").inner_text() == "1"
    assert page.locator("[aria-label=Warnings] a").get_attribute("href") == "#gallery?image=a"
    assert column(page, 2, "[aria-label=pseudo-labels]") == ["1.2"]
    assert column(page, 3, "[aria-label=pseudo-labels]") == ["1"]  # images tagged
    assert page.locator("h3").all_inner_texts() == ["pseudo-labels", "seeds", "predicted tags of val"]
    page.locator("main select").select_option(EVIL)
    again = browser_page(index, page.url.partition("html")[2])
    assert again.locator("h3").all_inner_texts() == ["pseudo-labels"]


def test_a_run_without_ground_truth_says_that_it_has_no_scores(tmp_path: Path, browser_page: Any) -> None:
    page = browser_page(build(tmp_path, only=("histories", "tags"), masks=False), width=WIDTHS[1])
    assert tabs(page) == ["Scores", "Training"]
    assert "no ground truth, so there are no scores" in page.locator(".note").inner_text()
    assert page.locator("main h2").all_inner_texts() == ["Tags"]


def test_a_run_with_nothing_yet(tmp_path: Path, browser_page: Any) -> None:
    page = browser_page(build(tmp_path, only=("none",), masks=False))
    assert tabs(page) == []
    assert page.locator("main").inner_text() == "There is nothing to show yet."
