"""Every warning by a small case at its limit, below and above it; their order, and how they are printed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from wsss_steps.formats.files import VERSION, write_json
from wsss_steps.report import label_warnings, tag_warnings, warnings
from wsss_steps.report.counted import Maps
from wsss_steps.report.tag_warnings import Tags
from wsss_steps.report.warnings import ORDER, Warned
from wsss_steps.settings.warnings import FindWarnings

CLASSES = ("cat", "dog")
Stage = Literal["seeds", "pseudo_labels", "segmentation_crf"]


def limits(**overrides: Any) -> dict[str, Any]:
    return FindWarnings(**{"fewest": 0, "alone": 0, **overrides}).model_dump()


def maps(counts: list[list[int]], tags: list[list[int]] | None, stage: Stage = "pseudo_labels") -> Maps:
    """Label maps of images a, b, c, ..."""
    names = [chr(ord("a") + number) for number in range(len(counts))]
    given = None if tags is None else np.array(tags, bool).reshape(-1, 2)
    return Maps(stage, "val", ("r",), CLASSES, names, np.array(counts, np.int64).reshape(-1, 4), given)


def of_labels(*given: Any, **overrides: Any) -> list[Warned]:
    return list(label_warnings.of_maps(maps(*given), limits(**overrides)))


def of_tags(rows: list[list[int]], **overrides: Any) -> list[Warned]:
    names = [f"i{number}" for number in range(len(rows))]
    return list(tag_warnings.of_tags(Tags(names, CLASSES, np.array(rows, bool)), limits(**overrides)))


def score(f1: float = 0.9, cat: float | None = 0.9, support: int = 20, **more: Any) -> dict[str, Any]:
    about = {"precision": 0.25, "recall": None, "support": support}
    per_class = [{"class": "cat", "f1": cat, **about}, {"class": "dog", "f1": 0.8, **about}]
    mistakes = [
        {"image": "v0", "wrong": ["cat"], "missed": []},
        {"image": "v1", "wrong": ["cat"], "missed": ["dog"]},
        {"image": "v2", "wrong": [], "missed": ["dog"]},
    ]
    return {"split": "val", "images": 20, "f1": f1, "per_class": per_class, "mistakes": mistakes, **more}


def of_score(*given: Any, **overrides: Any) -> list[Warned]:
    return list(tag_warnings.of_score(("r",), score(*given), limits(**overrides)))


SHOWN = [60, 20, 20, 0]
"""Background, cat, dog, unlabelled: an image as it should be."""
BOTH, CAT = [1, 1], [1, 0]


def full(number: int, pixels: int = 95) -> list[Warned]:
    """Of ten images, a number that is cat nearly everywhere."""
    rows = [[100 - pixels, pixels, 0, 0]] * number + [SHOWN] * (10 - number)
    return of_labels(rows, [CAT] * 10, pixels=1)


def crowded(number: int) -> list[Warned]:
    """Of ten images, a number that a cat and a dog share without background."""
    return of_labels([[5, 48, 47, 0]] * number + [SHOWN] * (10 - number), [BOTH] * 10, pixels=1)


def blank(number: int, tagged: bool = True) -> list[Warned]:
    """Of ten images, a number without a class."""
    return of_labels([[100, 0, 0, 0]] * number + [SHOWN] * (10 - number), [BOTH] * 10 if tagged else None, missing=1)


def lacking(number: int) -> list[Warned]:
    """Of ten images of a cat and a dog, a number without a pixel of the cat."""
    return of_labels([[60, 0, 40, 0]] * number + [SHOWN] * (10 - number), [BOTH] * 10)


def outside(number: int) -> list[Warned]:
    """Of 100 pixels of cat, a number in an image of a dog."""
    return of_labels([[100, 100 - number, 0, 0], [100, number, 100, 0]], [CAT, [0, 1]])


def seeded(number: int) -> list[Warned]:
    """Of 100 pixels, a number that have a seed, all of the background."""
    return of_labels([[number, 0, 0, 100 - number]], [[0, 0]], "seeds")


def seeds_of_cat(number: int) -> list[Warned]:
    """Of 200 pixels of an image of a cat, a number that are seeds of it; the dog has an image of its own."""
    return of_labels([[100, number, 0, 100 - number], [100, 0, 50, 50]], [CAT, [0, 1]], "seeds", missing=1, empty=1)


def tagged(number: int) -> list[list[int]]:
    """A number of images of a cat, then one of a dog."""
    return [CAT] * number + [[0, 1]]


CASES: dict[str, tuple[Callable[[Any], list[Warned]], Any, Any, Any]] = {
    # check: what makes the case of a number, the number within the limit, that at it, that beyond it
    "f1": (lambda f1: of_score(f1), 0.51, 0.5, 0.49),
    "class_f1": (lambda f1: of_score(0.9, f1), 0.31, 0.3, 0.29),
    "one_class": (full, 0, 1, 2),
    "filled": (crowded, 0, 1, 2),
    "empty": (blank, 0, 1, 2),
    "empty_untagged": (lambda number: blank(number, tagged=False), 4, 5, 6),
    "missing": (lacking, 2, 3, 4),
    "pixels": (lambda pixels: of_labels([[100 - pixels, pixels, 0, 0]], [CAT]), 49, 50, 51),
    "background": (lambda pixels: of_labels([[pixels, 48, 47, 0]], [BOTH], filled=1), 6, 5, 4),
    "untagged": (outside, 29, 30, 31),
    "coverage": (seeded, 6, 5, 4),
    "class_coverage": (seeds_of_cat, 2, 1, 0),
    "together": (lambda number: of_tags([BOTH] * number + [CAT] * (20 - number), frequent=1), 18, 19, 20),
    "frequent": (lambda number: of_tags([CAT] * number + [[0, 1]] * (10 - number)), 8, 9, 10),
    "fewest": (lambda number: of_tags(tagged(number), fewest=5, frequent=1), 6, 5, 4),
    "alone": (lambda number: of_tags([CAT] * number + [BOTH, [0, 1]], alone=1, together=1), 2, 1, 0),
}


def test_every_check_has_a_case() -> None:
    assert tuple(CASES) == ORDER
    assert set(ORDER) == FindWarnings.model_fields.keys() - {"nearly_all", "images"}


@pytest.mark.parametrize("check", CASES)
def test_a_warning_is_given_beyond_its_limit_alone(check: str) -> None:
    make, within, at, beyond = CASES[check]
    found = [[one for one in make(number) if not one.about.startswith("dog")] for number in (within, at, beyond)]
    assert [[one.check for one in warned] for warned in found] == [[], [], [check]]
    [one] = found[-1]
    assert one.limit == (0.5 if check == "f1" else limits(fewest=5, alone=1)[check])
    assert 0 < one.beyond <= 1
    assert one.finding[0] != " "
    assert not one.finding.endswith(".")
    assert not one.advice.endswith(".")


@pytest.mark.parametrize("check", CASES)
def test_every_warning_can_be_switched_off(check: str) -> None:
    make, _, _, beyond = CASES[check]
    assert check in {one.check for one in make(beyond)}
    off = {check: 0 if check in warnings.AT_LEAST else 1}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"{__name__}.limits", lambda **given: FindWarnings(**{"fewest": 0, **given, **off}).model_dump())
        assert check not in {one.check for one in make(beyond)}


# ---- what a warning says


def test_the_worst_images_come_first() -> None:
    shares = ([3, 97, 0, 0], [0, 100, 0, 0], [60, 40, 0, 0], [2, 98, 0, 0])
    [one] = [found for found in of_labels([*shares], [CAT] * 4, pixels=1) if found.check == "one_class"]
    assert one.images == ["b", "d", "a"]
    assert one.about == "cat, pseudo-labels"
    assert one.finding == "cat: the pseudo-labels of 3 of 4 images show almost nothing else"
    [one] = [found for found in of_labels([*shares], [CAT] * 4, pixels=1, images=2) if found.check == "one_class"]
    assert one.images == ["b", "d"]


def test_images_without_tags_may_be_background_alone() -> None:
    assert not of_labels([[100, 0, 0, 0]] * 3 + [SHOWN], [[0, 0]] * 3 + [BOTH])
    [one] = of_labels([[100, 0, 0, 0]] * 3 + [SHOWN], [[0, 0], BOTH, BOTH, BOTH], missing=1)
    assert (one.check, one.images, one.value) == ("empty", ["b", "c"], pytest.approx(2 / 3))
    assert one.finding == "The pseudo-labels of 2 of 3 tagged images show no class at all"


def test_images_that_lack_a_class_have_no_other_excuse_first() -> None:
    counts = [[60, 0, 40, 0], [100, 0, 0, 0], [50, 50, 0, 0]]
    [one] = [found for found in of_labels(counts, [BOTH, CAT, CAT], empty=1) if found.check == "missing"]
    assert (one.images, one.value) == (["b", "a"], pytest.approx(2 / 3))
    assert one.finding == "cat: the pseudo-labels of 2 of 3 images tagged with it have no pixel of it"


def test_pixels_of_a_class_in_other_images_come_with_the_largest() -> None:
    counts = [[50, 10, 0, 0], [0, 60, 0, 0], [30, 0, 30, 0], [40, 20, 0, 0]]
    [one] = of_labels(
        counts, [CAT, [0, 1], [0, 1], [0, 1]], "segmentation_crf", pixels=1, missing=1, one_class=1, filled=1
    )
    assert (one.check, one.images, one.value) == ("untagged", ["b", "d"], pytest.approx(80 / 90))
    assert one.about == "cat, predictions for val"


def test_seeds_are_fewest_in_the_first_image() -> None:
    counts = [[1, 1, 0, 98], [0, 0, 0, 100], [1, 2, 0, 97]]
    of_class, coverage = of_labels(counts, [CAT] * 3, "seeds", class_coverage=0.02, pixels=1)
    assert (coverage.check, coverage.images, coverage.value) == ("coverage", ["b", "a", "c"], pytest.approx(5 / 300))
    assert (of_class.check, of_class.images, of_class.value) == ("class_coverage", ["a", "c"], pytest.approx(3 / 200))
    assert of_class.finding == "cat: the seeds have it in 1.5 % of the pixels of the images tagged with it"
    assert not of_labels([[5, 3, 0, 92]] * 3, [CAT] * 3, "pseudo_labels", coverage=0.5)  # of seeds alone


def test_labels_without_background_are_told_of_the_labelled_pixels() -> None:
    counts = [[1, 50, 0, 49], [0, 50, 0, 50], [2, 50, 0, 48]]
    [one] = of_labels(counts, [CAT] * 3, "seeds", pixels=1)
    assert (one.check, one.images, one.value) == ("background", ["b", "a", "c"], pytest.approx(3 / 153))
    assert one.finding == "1.96 % of the labelled pixels in the seeds are background"
    assert not of_labels([], [], "seeds")
    assert not of_labels([[0, 0, 0, 100]] * 3, [CAT] * 3, "pseudo_labels")


def test_a_class_that_most_labels_lack_is_told_once() -> None:
    assert [one.check for one in of_labels([[60, 0, 40, 0]] * 4, [BOTH] * 4)] == ["missing"]


def test_images_left_out_of_the_seeds_lack_nothing() -> None:
    """Saliency maps were missing there: every pixel is unlabelled."""
    counts = [[0, 0, 0, 100], [0, 0, 0, 100], [60, 40, 0, 0]]
    assert not of_labels(counts, [CAT] * 3, "seeds")
    found = maps(counts, [CAT] * 3, "seeds").numbers()
    assert (found["images"], found["left_out"], found["empty"]) == (3, 2, 0)
    assert found["classes"][0]["missing"] == 0


def test_few_images_are_not_judged() -> None:
    """Four of five images with a cat: shares of so few say nothing; the classes themselves are told."""
    assert len(of_labels([[60, 0, 40, 0]] * 4, [CAT] * 4)) == 2
    assert not of_labels([[60, 0, 40, 0]] * 4, [CAT] * 4, fewest=5)
    assert [one.check for one in of_tags([BOTH] * 4, fewest=5, alone=1)] == ["fewest", "fewest"]
    assert not of_score(0.9, 0.1, 4, fewest=5)
    assert not of_score(0.9, None, 0)
    assert not of_labels([], [])


def test_images_with_mistakes_about_the_class_are_shown() -> None:
    overall, cat = of_score(0.21, 0.1)
    assert overall.images == ["v1", "v0", "v2"]
    assert overall.finding == "The classifier predicts the tags of val with F1 0.21"
    assert cat.images == ["v1", "v0"]
    assert cat.finding == "cat: the classifier predicts it for val with F1 0.10 (precision 0.25)"


def test_tags_that_no_method_can_separate() -> None:
    found = {one.check: one for one in of_tags([BOTH, BOTH, [0, 0]], alone=1)}
    assert found.keys() == {"together", "alone"}
    assert (found["together"].about, found["together"].images) == ("cat and dog", ["i0", "i1"])
    assert found["together"].finding == "cat and dog: 2 of 2 training images with one of them are tagged with both"
    assert found["together"].recipes == ()


# ---- numbers


def test_numbers_by_hand() -> None:
    """Cat: 10 of 200 pixels, of 100 where it is tagged; one of two images lacks it. Dog: half of it is with a cat."""
    counts = [[40, 10, 10, 0], [40, 0, 0, 0], [60, 0, 10, 30]]
    found = maps(counts, [CAT, CAT, [0, 1]]).numbers()
    cat = {"class": "cat", "pixels": 0.05, "tagged": 2, "pixels_where_tagged": 0.1, "missing": 0.5, "untagged": 0}
    dog = {"class": "dog", "pixels": 0.1, "tagged": 1, "pixels_where_tagged": 0.1, "missing": 0, "untagged": 0.5}
    about = {"what": "pseudo-labels", "images": 3, "left_out": 0, "background": 0.7, "unlabelled": 0.15}
    assert found == {**about, "empty": round(1 / 3, 6), "classes": [cat, dog]}
    assert maps(counts, None).numbers()["classes"] == [
        {"class": "cat", "pixels": 0.05},
        {"class": "dog", "pixels": 0.1},
    ]
    none = maps([[10, 0, 0, 0]], [[0, 0]]).numbers()
    assert none["empty"] is None
    assert none["classes"][0]["missing"] is None


# ---- order, and the end of a run


def warned(check: str, value: float, limit: float, recipes: tuple[str, ...] = ("a",)) -> Warned:
    return Warned(check, recipes, "cat", f"cat: {check} {value}", "Do something", value, limit)


def test_what_spoils_most_comes_first_and_then_what_is_worst() -> None:
    found = [warned("alone", 0, 2), warned("missing", 0.6, 0.5), warned("missing", 0.9, 0.5), warned("f1", 0.2, 0.5)]
    assert [(one.check, one.value) for one in warnings.in_order(found)] == [
        ("f1", 0.2),
        ("missing", 0.9),
        ("missing", 0.6),
        ("alone", 0),
    ]
    assert [one.beyond for one in found] == pytest.approx([1, 0.2, 0.8, 0.6])


def test_what_is_printed(tmp_path: Path) -> None:
    path = tmp_path / "warnings.json"
    many = warned("missing", 0.9, 0.5, ("a", "b", "c", "d", "e"))
    found = [warned("f1", 0.2, 0.5), many, warned("missing", 0.6, 0.5), warned("coverage", 0.012345, 0.05, ())]
    content = {"format": "wsss/warnings", "version": VERSION, "warnings": [one.content() for one in found]}
    write_json(path, content)
    assert warnings.printed(path).splitlines() == [
        f"Warnings: 4; the worst of each kind, with what it means in {path}",
        "  a: cat: f1 0.2 (limit: at least 0.5)",
        "  a; b and 3 more: cat: missing 0.9 (limit: 50 %), and 1 more such",
        "  cat: coverage 0.012345 (limit: at least 5 %)",
    ]
    write_json(path, content | {"warnings": []})
    assert warnings.printed(path) == f"Warnings: none ({path})"


def test_the_words_about_tags() -> None:
    found = {one.check: one for one in of_tags([CAT, BOTH, BOTH, BOTH], frequent=1, alone=2, fewest=4)}
    assert found["alone"].finding == "cat: 1 of 4 training images with it have no other tag"
    assert found["fewest"].finding == "dog: 3 of 4 training images are tagged with it"
    assert found["fewest"].content()["value"] == 3
    assert isinstance(found["fewest"].content()["value"], int)
    [one] = of_tags([CAT] * 4)
    assert one.finding == "cat: 100 % of the 4 training images are tagged with it"


def test_what_the_file_says() -> None:
    found = warned("missing", 2 / 3, 0.5, ("a", "b")).content()
    assert found == {
        "check": "missing",
        "recipe": "a; b",
        "recipes": ["a", "b"],
        "about": "cat",
        "text": f"cat: missing {2 / 3}. Do something",
        "finding": f"cat: missing {2 / 3}",
        "value": 0.666667,
        "limit": 0.5,
        "images": [],
    }
