"""Where two artifacts of one kind differ, image by image, the worst first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wsss_steps.ops.drawing import edges
from wsss_steps.ops.labels import IGNORE
from wsss_steps.report import tables
from wsss_steps.report.artifacts.sources import Arrays, Source


@dataclass(frozen=True)
class Difference:
    """How far two artifacts are apart in one image.

    share: of the numbers (pixels, of all maps) that are not equal; of regions, of the pixels at a border of one alone.
    mean, largest: of the absolute differences, NaN for labels and regions, whose numbers are names. what: what changed
    most, in words.
    """

    image_id: str
    share: float
    mean: float
    largest: float
    what: str

    @property
    def badness(self) -> tuple[float, float]:
        """By what the worst are found: the mean difference, of labels the share."""
        return (self.share if np.isnan(self.mean) else self.mean, self.share)

    @property
    def words(self) -> str:
        """The difference as a sentence."""
        numbers = "" if np.isnan(self.mean) else f", by {self.mean:.3g} on average and {self.largest:.3g} at most"
        return f"{100 * self.share:.1f} % differ{numbers}" + (f": {self.what}" if self.what else "")


def differing(first: Source, second: Source, wanted: Sequence[str] = ()) -> list[Difference]:
    """The images that both hold and in which they differ, the worst first."""
    common = sorted(set(first.ids) & set(second.ids)) if not wanted else first.chosen(second.chosen(wanted))
    found = filter(None, (_of_image(first, second, image_id) for image_id in common))
    return sorted(found, key=lambda one: (*(-number for number in one.badness), one.image_id))


def _of_image(first: Source, second: Source, image_id: str) -> Difference | None:
    """All data sets of an image together; None if they are equal."""
    ours, theirs = first.read(image_id), second.read(image_id)
    parts = [part for name in first.forms if (part := _of_data_set(first, name, ours, theirs)) is not None]
    if not parts:
        return None
    share, mean, largest = (
        float(np.fmax.reduce(numbers)) for numbers in zip(*(part[:3] for part in parts), strict=True)
    )
    return Difference(image_id, share, mean, largest, "; ".join(part[3] for part in parts if part[3]))


Numbers = tuple[float, float, float, str]  # share, mean, largest, what


def _of_data_set(source: Source, name: str, ours: Arrays, theirs: Arrays) -> Numbers | None:
    form = source.forms[name]
    if form.one_per and not form.palette:
        return _of_maps(source, name, form.one_per, ours, theirs)
    first, second = ours[name], theirs[name]
    if first.shape != second.shape:
        return float(first.ndim > 1), np.nan, np.nan, f"{name}: {_size(first)} and {_size(second)}"
    unequal = _unequal(first, second)
    if not unequal.any():
        return None
    if first.ndim == 1:
        return 0.0, np.nan, np.nan, f"{name}: other numbers"
    if form.palette:
        return float(unequal.mean()), np.nan, np.nan, _most_frequent(source, first[unequal], second[unequal])
    if form.dtype == "u2":
        return _of_regions(first, second)
    apart = np.abs(first.astype(np.float64) - second.astype(np.float64))
    return float(unequal.mean()), float(np.nanmean(apart)), float(np.nanmax(apart)), ""


def _of_regions(first: NDArray[np.uint16], second: NDArray[np.uint16]) -> Numbers:
    """The share of pixels at a border of one alone: the numbers of regions mean nothing."""
    share = float((edges(first) != edges(second)).mean())
    counts = " and ".join(str(len(np.unique(one))) for one in (first, second))
    return share, np.nan, np.nan, f"{counts} regions" + ("" if share else ", other numbers of the same regions")


def _unequal(first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.bool_]:
    """Where two arrays differ; NaN is equal to NaN."""
    unequal: NDArray[np.bool_] = first != second
    return unequal & ~(np.isnan(first) & np.isnan(second)) if first.dtype.kind == "f" else unequal


def _of_maps(source: Source, name: str, by: str, ours: Arrays, theirs: Arrays) -> Numbers | None:
    """The maps of the classes that both have; a class that only one has is named."""
    pairs = pairs_of_maps(name, by, ours, theirs)
    single = set(ours[by].tolist()) ^ set(theirs[by].tolist())
    words = [f"only in one: {', '.join(source.name_of(number) for number in sorted(single))}"] if single else []
    if any(first.shape != second.shape for first, second in pairs.values()):
        return 1.0, np.nan, np.nan, f"maps of {_size(ours[name])} and {_size(theirs[name])}"
    tops = {number: float(np.abs(first - second).max(initial=0)) for number, (first, second) in pairs.items()}
    if not single and not any(tops.values()):
        return None
    unequal = [(first != second).mean() for first, second in pairs.values()]
    means = [np.abs(first - second).mean() for first, second in pairs.values()]
    if any(tops.values()):
        words.append(f"{source.name_of(max(tops, key=lambda number: tops[number]))} most")
    numbers = (np.mean(unequal), np.mean(means), max(tops.values())) if pairs else (1.0, np.nan, np.nan)
    return float(numbers[0]), float(numbers[1]), float(numbers[2]), ", ".join(words)


def pairs_of_maps(name: str, by: str, ours: Arrays, theirs: Arrays) -> dict[int, tuple[NDArray[Any], NDArray[Any]]]:
    """By class, its maps in both, of the classes that both have."""
    one, other = (dict(zip(found[by].tolist(), found[name], strict=True)) for found in (ours, theirs))
    return {number: (one[number], other[number]) for number in sorted(one.keys() & other.keys())}


def _size(array: NDArray[Any]) -> str:
    return " x ".join(map(str, array.shape))


def _most_frequent(source: Source, before: NDArray[np.uint8], after: NDArray[np.uint8]) -> str:
    """The most frequent change of label."""
    changes, counts = np.unique(before.astype(np.int64) * 256 + after, return_counts=True)
    top = int(changes[counts.argmax()])
    names = [{0: "background", IGNORE: "no label"}.get(label) or source.name_of(label) for label in divmod(top, 256)]
    return f"{' -> '.join(names)} {100 * counts.max() / counts.sum():.0f} %"


def lines(first: Source, second: Source, found: Sequence[Difference], most: int) -> Iterator[str]:
    """The images that differ, up to `most`, and how many there are; what only one of the two holds."""
    ours, theirs = set(first.ids), set(second.ids)
    for source, only in ((first, sorted(ours - theirs)), (second, sorted(theirs - ours))):
        if only:
            yield f"only in {source.path}: {len(only)} images: {', '.join(only[:8])}{', ...' if len(only) > 8 else ''}"
    if found:
        yield from tables.lines_of(pd.DataFrame([_row(one) for one in found[:most]]))
        if len(found) > most:
            yield f"... and {len(found) - most} more"
        shares = sum(one.share for one in found) / len(ours & theirs)
        yield f"mean share of different pixels over all common images: {100 * shares:.2f} %"
    yield f"{len(ours & theirs)} images in both; {len(found) or 'none'} different"


def _row(one: Difference) -> dict[str, str]:
    numbers = {"% different": f"{100 * one.share:.2f}"}
    if not np.isnan(one.mean):
        numbers |= {"mean": f"{one.mean:.4g}", "largest": f"{one.largest:.4g}"}
    return {"image": one.image_id, **numbers, "what": one.what}
