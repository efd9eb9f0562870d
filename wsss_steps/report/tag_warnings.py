"""Warnings about the tags, and about the tags that a classifier predicts."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsss_steps.data.manifest import Manifest, tag_matrix
from wsss_steps.ops import label_statistics as stats
from wsss_steps.report.warnings import Warned, passed, percent, worst

KNOWS_NOTHING = (
    "Maps, seeds and labels made from it cannot be better: train it longer or with another learning rate, start from "
    "other weights, and check the tags"
)
CONFUSES = (
    "Its maps light up on something else: check its tags, and add images that show it, or that show what it is taken "
    "for without it"
)
INSEPARABLE = (
    "No method can tell apart what always occurs together: add images of one without the other, or make them one class"
)
EVERYWHERE = (
    "A classifier learns a class by the images without it: add some (untagged ones are possible with allow_untagged: "
    "true), or leave the class out"
)
RARE = "That is too few to learn it, and to tell whether that worked: add images, or leave the class out"
NEVER_ALONE = "Its maps may light up on what it comes with: add images that show it without the other classes"


@dataclass(frozen=True)
class Tags:
    """The tags of the training images, (N, C)."""

    images: Sequence[str]
    classes: Sequence[str]
    tags: NDArray[np.bool_]

    @classmethod
    def of(cls, data: Manifest) -> Tags:
        """Those of the split train of a manifest."""
        entries = data.split("train")
        images = [entry.id for entry in entries]
        return cls(images, data.classes, tag_matrix(entries, len(data.classes)) > 0)

    def numbers(self) -> dict[str, Any]:
        """How many images are tagged with each class, and how many with it alone."""
        tagged, alone = self.tags.sum(axis=0).tolist(), stats.alone(self.tags).sum(axis=0).tolist()
        rows = zip(self.classes, tagged, alone, strict=True)
        return {"images": len(self.images), "classes": [{"class": a, "images": b, "alone": c} for a, b, c in rows]}


def of_tags(given: Tags, limits: Mapping[str, Any]) -> Iterator[Warned]:
    """What is difficult about the tags themselves."""
    tagged, alone = given.tags.sum(axis=0), stats.alone(given.tags).sum(axis=0)
    share = stats.share(tagged, np.full_like(tagged, len(given.images)))
    for label, name in enumerate(given.classes):
        found = f"{name}: {percent(share[label])} of the {len(given.images)} training images are tagged with it"
        if len(given.images) >= limits["fewest"]:
            yield from _of_class(given, "frequent", label, share[label], limits, found, EVERYWHERE)
        found = f"{name}: {tagged[label]} of {len(given.images)} training images are tagged with it"
        yield from _of_class(given, "fewest", label, tagged[label], limits, found, RARE)
        found = f"{name}: {alone[label]} of {tagged[label]} training images with it have no other tag"
        if tagged[label] >= limits["fewest"]:
            yield from _of_class(given, "alone", label, alone[label], limits, found, NEVER_ALONE)
    yield from _together(given, limits)


def _of_class(
    given: Tags, check: str, label: int, value: float, limits: Mapping[str, Any], finding: str, advice: str
) -> Iterator[Warned]:
    """A warning with images of the class, those with the most other tags first."""
    if passed(check, value, limits):
        shown = worst(given.images, given.tags.sum(axis=1), given.tags[:, label], limits["images"])
        yield Warned(check, (), given.classes[label], finding, advice, value, limits[check], shown)


def _together(given: Tags, limits: Mapping[str, Any]) -> Iterator[Warned]:
    shares = stats.together(given.tags)
    for one, other in itertools.combinations(range(len(given.classes)), 2):
        both, value = given.tags[:, one] & given.tags[:, other], shares[one, other]
        either = int((given.tags[:, one] | given.tags[:, other]).sum())
        if either >= limits["fewest"] and passed("together", value, limits):
            names = f"{given.classes[one]} and {given.classes[other]}"
            finding = f"{names}: {both.sum()} of {either} training images with one of them are tagged with both"
            shown = worst(given.images, given.tags.sum(axis=1), both, limits["images"])
            yield Warned("together", (), names, finding, INSEPARABLE, value, limits["together"], shown)


def of_score(recipes: tuple[str, ...], score: Mapping[str, Any], limits: Mapping[str, Any]) -> Iterator[Warned]:
    """What a classifier does not know, by its score on held-out tags; classes of few images are not judged."""
    split, about = score["split"], f"predicted tags of {score['split']}"
    if score["images"] >= limits["fewest"] and passed("f1", score["f1"], limits):
        finding = f"The classifier predicts the tags of {split} with F1 {score['f1']:.2f}"
        shown = _mistaken(score["mistakes"], limits["images"])
        yield Warned("f1", recipes, about, finding, KNOWS_NOTHING, score["f1"], limits["f1"], shown)
    for one in score["per_class"]:
        if one["support"] >= max(1, limits["fewest"]) and passed("class_f1", one["f1"], limits):
            parts = ", ".join(f"{name} {one[name]:.2f}" for name in ("precision", "recall") if one[name] is not None)
            finding = f"{one['class']}: the classifier predicts it for {split} with F1 {one['f1']:.2f} ({parts})"
            shown = _mistaken(score["mistakes"], limits["images"], one["class"])
            what = f"{one['class']}, {about}"
            yield Warned("class_f1", recipes, what, finding, CONFUSES, one["f1"], limits["class_f1"], shown)


def _mistaken(mistakes: Sequence[Mapping[str, Any]], count: int, name: str = "") -> list[str]:
    """The images with the most mistakes, or of those about one class."""
    found = [one for one in mistakes if not name or name in (*one["wrong"], *one["missed"])]
    order = np.array([len(one["wrong"]) + len(one["missed"]) for one in found], np.int64)
    return worst([one["image"] for one in found], order, np.ones(len(found), np.bool_), count)
