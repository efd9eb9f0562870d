"""The gallery in a real browser: filters, orders, keys, links, names, what is loaded. The fixture asserts no error."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browser import CONTRASTS, WIDTHS, overflow
from drawn_gallery import Made, data_of
from made_page import build

from wsss_steps.report.scripts import data_script

ODD = "a#b 100% & <script>window.broken = 1</script>/é?x=1"
AFTER = "prediction after the dense CRF"
Opened = Callable[..., Any]


def rewrite(pictures: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the data of a gallery."""
    data = data_of(pictures)
    change(data)
    (pictures / "data.js").write_text(data_script("gallery", data), encoding="ascii")


def with_odd_names(data: dict[str, Any]) -> None:
    """Names that try to be more than text, of an image and a class; t1 is the worst image of its stage."""
    data["images"][0]["id"] = ODD
    data["classes"][1] = "<b>dog</b>"
    for layer, share in zip(("plain", "erase & judge #1"), (0.25, 0.125), strict=True):
        number = next(
            i for i, one in enumerate(data["layers"]) if one["row"] == "pseudo-labels" and layer in one["recipes"]
        )
        for image in data["images"]:
            for row in image["iou"]:
                if row[0] == number and image["id"] == "t1":
                    row[1], row[2] = share, [[0, share], [2, 0.9]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run, and the tiny gallery in it; returns the page."""
    folder = tmp_path_factory.mktemp("gallery")
    index = build(folder)
    shutil.rmtree(index.parent / "pictures")
    Made(folder / "made").draw(index.parent / "pictures")
    rewrite(index.parent / "pictures", with_odd_names)
    return index


@pytest.fixture
def opened(made: Path, browser_page: Any) -> Opened:
    def at(place: str = "#gallery", width: int = WIDTHS[0]) -> Any:
        page = browser_page(made, place, width=width)
        page.wait_for_selector(".gallery .strip")
        return page

    return at


def field(page: Any, name: str) -> Any:
    """A control of the gallery by its label."""
    return page.locator(f".gallery label.choice:has(> span:text-is('{name}')) :is(select, input)")


def names(page: Any) -> list[str]:
    """The ids of the thumbnails, in order."""
    return [one.get_attribute("data-id") for one in page.locator(".thumbnail").all()]


def current(page: Any) -> str:
    return str(page.locator(".gallery .title h2").inner_text())


def rows(page: Any) -> list[str]:
    return [re.sub(r"^\d+", "", text).strip() for text in page.locator(".board h3").all_inner_texts()]


def test_images_of_all_splits_with_the_layers_of_every_recipe(opened: Opened) -> None:
    page = opened()
    assert names(page) == [ODD, "t1", "t2", "v0", "v1"]
    assert current(page) == ODD
    assert rows(page) == [
        *("image", "ground truth", "class activation maps", "saliency", "refined saliency", "superpixels", "seeds"),
        *("pseudo-labels", "masked images"),
    ]
    seeds = page.locator("[data-row=seeds]")
    assert seeds.locator(".cell .of").all_inner_texts() == [
        "plain superpixel",
        "erase & judge #1 saliency~saliency=given",
    ]
    assert "0.25" in page.locator("[data-row='class activation maps'] figcaption").first.inner_text()


def test_pictures_are_loaded_when_they_are_seen(opened: Opened) -> None:
    page = opened()
    assert page.locator(".gallery img").count() > 20
    assert page.locator(".gallery img:not([loading=lazy])").count() == 0


def test_the_iou_of_an_image_stands_with_its_classes(opened: Opened) -> None:
    page = opened("#gallery?image=t1")
    found = page.locator("[data-row='pseudo-labels'] .iou").all_inner_texts()
    assert found == ["IoU 25.0 background 25.0, <b>dog</b> 90.0", "IoU 12.5 background 12.5, <b>dog</b> 90.0"]


@pytest.mark.parametrize("width", WIDTHS)
def test_it_fits_and_can_be_read(opened: Opened, width: int) -> None:
    page = opened(width=width)
    assert overflow(page) <= 0
    assert page.evaluate(CONTRASTS) == []
    page.keyboard.press("?")
    assert page.evaluate(CONTRASTS) == []
    assert overflow(page) <= 0


def test_names_stay_text(opened: Opened) -> None:
    page = opened(f"#gallery?{_query(image=ODD)}")
    assert current(page) == ODD
    assert page.evaluate("window.broken") is None
    assert page.locator(".gallery b:text-is('dog')").count() == 0
    assert page.locator(".board .box img").first.get_attribute("src") == "pictures/photographs/000000.jpg"


def _query(**params: str) -> str:
    from urllib.parse import urlencode

    return urlencode(params)


def test_filters(opened: Opened) -> None:
    page = opened()
    field(page, "Class").select_option(label="<b>dog</b> (3)")
    assert names(page) == ["t1", "t2", "v0"]
    field(page, "Split").select_option("val")
    assert (names(page), current(page)) == (["v0"], "v0")
    field(page, "Class").select_option("")
    assert names(page) == ["v0", "v1"]
    field(page, "Split").select_option("")
    field(page, "Search").fill("CAT")
    assert names(page) == [ODD, "t2", "v1"]
    field(page, "Search").fill("100%")
    assert names(page) == [ODD]
    field(page, "Search").fill("nothing of this name")
    assert names(page) == []
    assert page.locator(".gallery [role=status]").inner_text() == "No image passes the filters."
    assert page.locator(".board").count() == 0


def test_orders(opened: Opened) -> None:
    """By IoU, the worst first, of the class if one is chosen; by shares, the largest first."""
    page = opened()
    field(page, "Sort by").select_option(label="IoU · plain: pseudo-labels (train)", timeout=5000)
    assert names(page)[0] == "t1"
    assert "v0" not in names(page)
    assert current(page) == "t1", "the first of the new order"
    assert page.locator(".thumbnail").first.locator("span, b").all_inner_texts() == ["t1", "25.0"]
    field(page, "Order").select_option(label="highest first")
    assert names(page)[-1] == "t1"
    assert current(page) == names(page)[0]
    field(page, "Class").select_option("2")
    assert page.locator(".thumbnail[data-id=t1] b").inner_text() == "90.0"
    assert "IoU of <b>dog</b>" in page.locator(".gallery [role=status]").inner_text()
    field(page, "Class").select_option("")
    groups = [one.get_attribute("label") for one in page.locator("optgroup").all()]
    assert groups == [
        "IoU of the image, or of the class that is chosen",
        "share of pixels on which two recipes disagree",
        "share of pixels that the dense CRF changed",
        "share of pixels with a label",
        "share of pixels of objects",
    ]
    field(page, "Split").select_option("train")
    field(page, "Sort by").select_option(label=f"IoU · plain: {AFTER} (val)", timeout=5000)
    assert field(page, "Split").input_value() == "val", "a measure is of one split"
    assert names(page) == ["v0", "v1"]
    field(page, "Split").select_option("train")
    assert field(page, "Sort by").input_value() == ""


def test_images_without_a_value_come_last(opened: Opened, made: Path) -> None:
    page = opened()
    values = page.evaluate("""() => {
        const order = report.galleryOrder(report.gallery);
        const of = (image) => ({t1: null, t2: 0.1}[image.id] === undefined ? 0.2 : {t1: null, t2: 0.1}[image.id]);
        const given = {label: null, split: "", text: "", measure: {split: "train", of}};
        const list = (ascending) => order.list({...given, ascending}).map(({image}) => image.id);
        return [list(true), list(false)];
    }""")
    assert values == [["t2", ODD, "t1"], [ODD, "t2", "t1"]]


def test_keys(opened: Opened) -> None:
    page = opened()
    for key, name in (("j", "t1"), ("ArrowRight", "t2"), ("k", "t1"), ("ArrowLeft", ODD), ("ArrowLeft", ODD)):
        page.keyboard.press(key)
        assert current(page) == name
    for key, name in (("End", names(page)[-1]), ("Home", ODD)):
        page.keyboard.press(key)
        assert current(page) == name
    page.keyboard.press("1")
    assert "ground truth" not in rows(page)
    page.keyboard.press("1")
    assert "ground truth" in rows(page)
    fading = page.locator(".board .fades").first
    before = float(fading.evaluate("(one) => getComputedStyle(one).opacity"))
    page.keyboard.press("-")
    assert float(fading.evaluate("(one) => getComputedStyle(one).opacity")) == pytest.approx(before - 0.1)
    outline = page.locator(".board .outline").first
    page.keyboard.press("o")
    assert not outline.is_visible()
    page.keyboard.press("o")
    assert outline.is_visible()
    page.keyboard.press("/")
    page.keyboard.type("j?1")  # into the field, not as keys
    assert field(page, "Search").input_value() == "j?1"
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert page.locator("dialog.help").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("dialog.help").is_visible()


def test_the_slider_and_the_choice_of_rows_and_recipes(opened: Opened) -> None:
    page = opened()
    field(page, "Opacity").fill("90")
    assert page.locator(".gallery").evaluate("(one) => one.style.getPropertyValue('--fade')") == "0.9"
    page.get_by_role("button", name="plain", exact=True).click()
    assert page.locator("[data-row=seeds] .cell").count() == 1
    assert "superpixels" not in rows(page)
    page.get_by_role("button", name="7 seeds").or_(page.get_by_role("button", name=re.compile("seeds"))).first.click()
    assert "seeds" not in rows(page)


def test_the_location_keeps_the_choice(opened: Opened, made: Path) -> None:
    page = opened()
    field(page, "Class").select_option("2")
    field(page, "Sort by").select_option(label=f"IoU · plain: {AFTER} (val)")
    field(page, "Opacity").fill("80")
    page.get_by_role("button", name="erase & judge #1", exact=True).click()
    page.keyboard.press("1")
    page.wait_for_timeout(300)
    place = page.evaluate("location.hash")
    again = opened(place)
    assert (names(again), current(again)) == (["v0"], "v0")
    assert field(again, "Class").input_value() == "2"
    assert field(again, "Opacity").input_value() == "80"
    assert "ground truth" not in rows(again)
    assert again.locator("[data-row=prediction] .cell").count() == 1
    again.wait_for_timeout(300)
    assert again.evaluate("location.hash") == place


def test_of_many_recipes_six_are_shown_at_first(made: Path, browser_page: Any, tmp_path: Path) -> None:
    shutil.copytree(made.parent, tmp_path / "report")

    def many(data: dict[str, Any]) -> None:
        data["recipes"] += [f"more {number}" for number in range(6)]

    rewrite(tmp_path / "report" / "pictures", many)
    page = browser_page(tmp_path / "report" / "index.html", "#gallery?image=t1")
    assert page.locator("[data-row=seeds] .cell").count() == 6
    page.wait_for_timeout(300)
    assert "without" not in page.evaluate("location.hash")
    for name in ("more 4", "more 5"):
        page.get_by_role("button", name=name, exact=True).click()
    page.wait_for_timeout(300)
    again = browser_page(tmp_path / "report" / "index.html", page.evaluate("location.hash"))
    assert again.locator("[data-row=seeds] .cell").count() == 8
    assert overflow(again) <= 0


def test_a_link_to_what_is_not_there_opens_what_is(opened: Opened) -> None:
    page = opened("#gallery?image=x&sort=y&class=z&split=w&opacity=many&hide=v")
    assert len(names(page)) == 5
    assert current(page) == ODD


def test_a_picture_is_enlarged_and_follows_the_image(opened: Opened) -> None:
    page = opened("#gallery?image=t1")
    page.locator("[data-row=seeds] .box").first.click()
    large = page.locator("dialog.large")
    assert large.is_visible()
    assert large.locator("p").inner_text().startswith("t1 · plain · seeds")
    page.keyboard.press("j")
    assert large.locator("p").inner_text().startswith("t2 · plain · seeds")
    assert large.locator("img").count() == 3
    page.keyboard.press("Escape")
    assert not large.is_visible()


def test_other_tabs_do_not_hear_the_keys(opened: Opened) -> None:
    page = opened()
    page.locator("nav a").first.click()
    page.keyboard.press("j")
    page.keyboard.press("?")
    assert page.locator("dialog[open]").count() == 0


def test_without_ground_truth_there_are_orders_still(tmp_path: Path, browser_page: Any) -> None:
    index = build(tmp_path, only=("tags",), masks=False)
    shutil.rmtree(index.parent / "pictures")
    Made(tmp_path / "made", mask_folder=None).draw(index.parent / "pictures")
    page = browser_page(index, "#gallery")
    assert "ground truth" not in rows(page)
    groups = [one.get_attribute("label") for one in page.locator("optgroup").all()]
    assert len(groups) == 4
    assert "IoU" not in " ".join(groups)
    field(page, "Class").select_option("1")
    assert names(page) == ["t0", "t2", "v1"], "by tag"


def test_twelve_thousand_images_stay_usable(made: Path, browser_page: Any, tmp_path: Path) -> None:
    """Of all that there is, the browser loads what is seen; no step takes a second."""
    report = tmp_path / "report"
    shutil.copytree(made.parent, report)
    pictures = report / "pictures"

    def many(data: dict[str, Any]) -> None:
        (one,) = (image for image in data["images"] if image["id"] == "t1")
        data["images"] = [{**one, "id": f"image {number}"} for number in range(12_000)]
        for number in (*range(50), len(data["images"]) - 1):  # those that are shown
            for path in pictures.glob("*/000001*"):
                target = path.with_name(path.name.replace("000001", f"{number:06d}"))
                if not target.exists():
                    os.link(path, target)

    rewrite(pictures, many)
    page = browser_page(report / "index.html", "#gallery?hide=image")
    page.wait_for_selector(".thumbnail")
    loaded = "performance.getEntriesByType('resource').filter((one) => /jpg|png/.test(one.name)).length"
    page.wait_for_timeout(500)
    assert page.evaluate(loaded) < 120
    assert "of 12000 images" in page.locator(".gallery [role=status]").inner_text()
    took = page.evaluate("""() => {
        const begin = performance.now();
        document.querySelector(".gallery input[type=search]").value = "image 11999";
        document.querySelector(".gallery input[type=search]").dispatchEvent(new Event("input"));
        return performance.now() - begin;
    }""")
    assert names(page) == ["image 11999"]
    assert took < 1000


def test_the_page_says_how_images_were_chosen(opened: Opened) -> None:
    page = opened()
    assert "of train: all 3 images. val: all 2 images." in page.locator(".gallery footer").inner_text()
