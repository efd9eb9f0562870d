"""Limits of the warnings."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from wsss_steps.settings.base import Fraction, Settings


class FindWarnings(Settings):
    """What a run warns about, without any ground truth: a number above a limit, or below one that says `at least`.

    A limit that no number can pass switches its warning off: 1, or 0 where it says `at least`.
    """

    f1: Fraction = Field(
        0.5, description="at least: micro F1 of the tags that a classifier predicts for a held-out split"
    )
    class_f1: Fraction = Field(0.3, description="at least: F1 of one class among them")
    one_class: Fraction = Field(
        0.1, description="share of the images whose label is nearly all of one class: a network that paints everything"
    )
    filled: Fraction = Field(0.1, description="the same of all classes together: hardly any background is left")
    nearly_all: Annotated[float, Field(gt=0.5, le=1)] = Field(
        0.95, description="share of an image's pixels from which on its label is nearly all of one class, or of classes"
    )
    empty: Fraction = Field(
        0.1, description="share of the tagged images whose label shows no class at all, background alone"
    )
    empty_untagged: Fraction = Field(
        0.5, description="the same of the images of a split without tags, which may show no class indeed"
    )
    missing: Fraction = Field(
        0.3, description="share of the images tagged with a class whose label has no pixel of it; of seeds as well"
    )
    pixels: Fraction = Field(0.5, description="share of all pixels that one class covers in the labels")
    background: Fraction = Field(
        0.05, description="at least: share of the labelled pixels that are background; without it, classes have no end"
    )
    untagged: Fraction = Field(
        0.3, description="of the pixels that a class covers in the labels, the share in images that are not tagged so"
    )
    coverage: Fraction = Field(0.05, description="at least: share of all pixels that have a seed")
    class_coverage: Fraction = Field(
        0.005, description="at least: share of the pixels of the images tagged with a class that are labelled so"
    )
    together: Fraction = Field(
        0.95,
        description="of the images tagged with one of two classes, the share that shows both: nothing tells them apart",
    )
    frequent: Fraction = Field(0.9, description="share of the training images that are tagged with one class")
    alone: int = Field(1, ge=0, le=100_000, description="at least: training images whose only tag is a class")
    fewest: int = Field(
        5,
        ge=0,
        le=100_000,
        description="at least: training images with a class; with fewer images, no share of them is warned about",
    )
    images: int = Field(10, ge=0, le=10_000, description="ids of the worst images that a warning lists")
