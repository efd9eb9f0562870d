"""Warnings about labels of many images: pseudo-labels, seeds, and predictions for held-out images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsss_steps.ops import label_statistics as stats
from wsss_steps.report.counted import Maps
from wsss_steps.report.warnings import Warned, passed, percent, worst

SPREADS = (
    "The class spreads over whole images, as maps without edges make it: raise the threshold of the seeds, look at its "
    "maps, and see whether nearly every image has this tag"
)
FILLS = (
    "Classes end nowhere there, as maps that a walk spread everywhere make it: look at the maps of these images and of "
    "the link before, train the network of the walk for more epochs, or leave that link out"
)
EMPTY = "No class can be learnt from them: lower the threshold of the seeds, and look at the maps of these images"
BLIND = "The network may see background alone: look at its pseudo-labels, and at whether these images are of their kind"
MISSING = (
    "Another class or the background takes its pixels: look at its maps in these images, and whether their tags are "
    "right; a lower threshold of the seeds, or a loss that is balanced over the classes, helps small and rare ones"
)
COVERS = (
    "A class that covers most of a data set usually stands for its background as well: look at its maps, and raise the "
    "threshold of the seeds"
)
UNTAGGED = "The network sees it where it is not, or tags are missing: look at these images"
FEW_SEEDS = "The network learns from few pixels: lower the thresholds below which a pixel is left unlabelled"
FEW_OF_CLASS = "Hardly anything is left of it: look at its maps, and lower the threshold of the seeds"
NO_BACKGROUND = (
    "A network that learns from such labels never sees where a class ends: raise the threshold below which a pixel is "
    "background"
)
Limits = Mapping[str, Any]
Check = Callable[[Maps, Limits], Iterator[Warned]]


def of_maps(maps: Maps, limits: Limits) -> Iterator[Warned]:
    """What is wrong with label maps, as far as that can be told without ground truth."""
    against_tags: tuple[Check, ...] = () if maps.tags is None else (missing, untagged, class_coverage)
    for check in (one_class, filled, empty, covers, background, *against_tags):
        yield from check(maps.labelled(), limits)
    if maps.stage == "seeds":
        yield from coverage(maps, limits)


def _warned(
    maps: Maps,
    check: str,
    value: float,
    limits: Limits,
    text: tuple[str, str],
    judged: tuple[int, NDArray[Any], NDArray[np.bool_]],
    name: str = "",
) -> Iterator[Warned]:
    """A warning if the value is beyond its limit and rests on enough images.

    text: finding and advice. judged: the number of images that the value is a share of; by what the worst of them are
    chosen, (N,), highest first; and which of all may be chosen, (N,). name: of the class.
    """
    count, order, among = judged
    if count >= max(1, limits["fewest"]) and passed(check, value, limits):
        about = ", ".join(filter(None, [name, maps.what]))
        shown = worst(maps.images, order, among, limits["images"])
        finding = f"{name}: {text[0]}" if name else text[0]
        yield Warned(check, maps.recipes, about, finding, text[1], value, limits[check], shown)


def one_class(maps: Maps, limits: Limits) -> Iterator[Warned]:
    """Images whose label is nearly all of one class."""
    shares, total = stats.of_images(maps.counts), len(maps.images)
    for label, name in enumerate(maps.classes, start=1):
        full = shares[:, label] >= limits["nearly_all"]
        found = f"the {maps.what} of {full.sum()} of {total} images show almost nothing else"
        judged = (total, shares[:, label], full)
        yield from _warned(maps, "one_class", full.sum() / max(1, total), limits, (found, SPREADS), judged, name)


def filled(maps: Maps, limits: Limits) -> Iterator[Warned]:
    """Images whose label leaves hardly any background; not if `one_class` tells of the class that does it."""
    shares, total = stats.of_images(maps.counts), len(maps.images)
    objects = shares[:, 1:-1].sum(axis=1)
    full = objects >= limits["nearly_all"]
    found = f"The {maps.what} of {full.sum()} of {total} images show hardly any background"
    if not any(one_class(maps, limits)):
        yield from _warned(maps, "filled", full.sum() / max(1, total), limits, (found, FILLS), (total, objects, full))


def empty(maps: Maps, limits: Limits) -> Iterator[Warned]:
    """Images whose label shows no class."""
    none, total = maps.empty, maps.expected
    of, check, advice = ("images", "empty_untagged", BLIND) if maps.tags is None else ("tagged images", "empty", EMPTY)
    found = f"The {maps.what} of {none.sum()} of {total} {of} show no class at all"
    judged = (total, stats.of_images(maps.counts)[:, 0], none)
    yield from _warned(maps, check, none.sum() / max(1, total), limits, (found, advice), judged)


def covers(maps: Maps, limits: Limits) -> Iterator[Warned]:
    """Classes that cover most of all images."""
    overall, shares, total = stats.of_all_pixels(maps.counts), stats.of_images(maps.counts), len(maps.images)
    for label, name in enumerate(maps.classes, start=1):
        found = f"it covers {percent(overall[label])} of all pixels in the {maps.what}"
        judged = (total, shares[:, label], shares[:, label] > 0)
        yield from _warned(maps, "pixels", overall[label], limits, (found, COVERS), judged, name)


def background(maps: Maps, limits: Limits) -> Iterator[Warned]:
    """Labels without background; the images with the least first."""
    pixels = maps.counts.sum(axis=0)[:-1]
    value = float(stats.share(pixels, np.full_like(pixels, pixels.sum()))[0])
    found = f"{percent(value)} of the labelled pixels in the {maps.what} are background"
    judged = (len(maps.images), -stats.of_images(maps.counts)[:, 0], np.ones(len(maps.images), np.bool_))
    yield from _warned(maps, "background", value, limits, (found, NO_BACKGROUND), judged)


def missing(maps: Maps, limits: Limits) -> Iterator[Warned]:
    """Classes that labels of images tagged with them lack; images with the fewest other tags first."""
    assert maps.tags is not None
    lacking, tagged = stats.lacking(maps.counts, maps.tags), maps.tags.sum(axis=0)
    for label, name in enumerate(maps.classes):
        count, total = int(lacking[:, label].sum()), int(tagged[label])
        found = f"the {maps.what} of {count} of {total} images tagged with it have no pixel of it"
        judged = (total, -maps.tags.sum(axis=1), lacking[:, label])
        yield from _warned(maps, "missing", count / max(1, total), limits, (found, MISSING), judged, name)


def untagged(maps: Maps, limits: Limits) -> Iterator[Warned]:
    """Classes that labels show in images not tagged with them; the images where they are largest first."""
    assert maps.tags is not None
    outside = stats.untagged(maps.counts, maps.tags)
    values = stats.share(outside.sum(axis=0), maps.counts[:, 1:-1].sum(axis=0))
    for label, name in enumerate(maps.classes):
        found = f"{percent(values[label])} of its pixels in the {maps.what} lie in images that are not tagged with it"
        shown = int((maps.counts[:, 1 + label] > 0).sum())
        judged = (shown, stats.share(outside[:, label], maps.counts.sum(axis=1)), outside[:, label] > 0)
        yield from _warned(maps, "untagged", values[label], limits, (found, UNTAGGED), judged, name)


def coverage(maps: Maps, limits: Limits) -> Iterator[Warned]:
    """Seeds that leave almost every pixel unlabelled; the images with the fewest first."""
    value, without = 1 - stats.of_all_pixels(maps.counts)[-1], stats.of_images(maps.counts)[:, -1]
    judged = (len(maps.images), without, np.ones(len(maps.images), np.bool_))
    yield from _warned(
        maps, "coverage", value, limits, (f"{percent(value)} of all pixels have a seed", FEW_SEEDS), judged
    )


def class_coverage(maps: Maps, limits: Limits) -> Iterator[Warned]:
    """Classes with hardly any pixels in the images tagged with them; the images with the fewest first.

    Not those of which `missing` tells that most of these images lack them.
    """
    assert maps.tags is not None
    values, shares = stats.of_tagged(maps.counts, maps.tags), stats.of_images(maps.counts)[:, 1:-1]
    lacking = stats.share(stats.lacking(maps.counts, maps.tags).sum(axis=0), maps.tags.sum(axis=0))
    for label, name in enumerate(maps.classes):
        found = f"the {maps.what} have it in {percent(values[label])} of the pixels of the images tagged with it"
        judged = (int(maps.tags[:, label].sum()), -shares[:, label], maps.tags[:, label])
        if not passed("missing", lacking[label], limits):
            yield from _warned(maps, "class_coverage", values[label], limits, (found, FEW_OF_CLASS), judged, name)
