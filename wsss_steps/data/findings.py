"""What will be hard about a data set though nothing is wrong with it, said before hours of training."""

from __future__ import annotations

import difflib
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from wsss_steps.data.manifest import Entry, Manifest

FEW = 10  # training images of a class
MOST = 0.9  # share of the training images with a class
TINY = 64  # px of the shorter side
LARGE = 1_500_000  # pixels of an image that is read as it is
LISTED = 5  # names in one line


def counts(manifests: Sequence[Manifest]) -> list[str]:
    """Lines of a table: how many images each split has, and of each class."""
    splits = [(data.entries[0].split if data.entries else "?", data.entries) for data in manifests]
    rows = [["", *(name for name, _ in splits)], ["images", *(str(len(entries)) for _, entries in splits)]]
    for number, name in enumerate(manifests[0].classes, start=1):
        rows.append([name, *(str(sum(number in one.tags for one in entries)) for _, entries in splits)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def warnings(manifests: Sequence[Manifest], max_side: int | None) -> list[str]:
    """What will be hard, one line each; the first of `manifests` is that of the training images.

    max_side: the longest side at which images are read, px.
    """
    train, every = manifests[0], [entry for data in manifests for entry in data.entries]
    found = [*_rare(train), *_everywhere(train), *_together(train), *_copies(every, train.classes), *_tiny(every)]
    return found + list(_large(every) if max_side is None else ())


def _images_of(data: Manifest) -> dict[str, frozenset[str]]:
    """The ids of the images of every class."""
    return {
        name: frozenset(entry.id for entry in data.entries if number in entry.tags)
        for number, name in enumerate(data.classes, start=1)
    }


def _rare(data: Manifest) -> Iterator[str]:
    """Classes that a network hardly sees."""
    for name, images in _images_of(data).items():
        if not images:
            yield f"class '{name}' is in no training image: it cannot be learnt"
        elif len(images) == 1:
            others = [other for other in data.classes if other != name]
            near = difflib.get_close_matches(name, others, n=1)
            hint = f" Is it '{near[0]}'?" if near else ""
            yield f"class '{name}' is in one training image alone, {_listed(images)}: a slip of the pen?{hint}"
        elif len(images) < FEW:
            yield f"class '{name}' is in {len(images)} training images: expect little of it with fewer than {FEW}"


def _everywhere(data: Manifest) -> Iterator[str]:
    """Classes without images that do not show them, which a classifier learns them by."""
    total = len(data.entries)
    for name, images in _images_of(data).items():
        if total and len(images) == total:
            yield f"class '{name}' is in every training image: add images without it, or it is learnt from nothing"
        elif total > FEW and len(images) > MOST * total:
            yield f"class '{name}' is in {len(images)} of {total} training images: add images without it"


def _together(data: Manifest) -> Iterator[str]:
    """Classes that tags alone cannot tell apart."""
    for (one, first), (other, second) in itertools.combinations(_images_of(data).items(), 2):
        if len(first) < 2 or len(second) < 2:
            continue  # said to be rare
        if first == second:
            yield f"classes '{one}' and '{other}' always occur together: no method can separate them"
        elif first < second:
            yield f"class '{one}' never occurs without '{other}' ({len(first)} images): its maps may show both"
        elif second < first:
            yield f"class '{other}' never occurs without '{one}' ({len(second)} images): its maps may show both"


def _copies(entries: Sequence[Entry], classes: Sequence[str]) -> Iterator[str]:
    """Images of the same content."""
    same: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        same[entry.sha256].append(entry)
    for group in (group for group in same.values() if len(group) > 1):
        names = _listed(entry.id for entry in group)
        if len({entry.split for entry in group}) > 1:
            splits = " and ".join(sorted({entry.split for entry in group}))
            yield f"the same image in {splits}: {names}: its scores will be too good"
        elif len({entry.tags for entry in group}) > 1:
            tags = " and ".join(", ".join(classes[tag - 1] for tag in entry.tags) or "none" for entry in group[:LISTED])
            yield f"the same image with different tags: {names} ({tags})"
        else:
            yield f"the same image {len(group)} times: {names}"


def _tiny(entries: Sequence[Entry]) -> Iterator[str]:
    """Images in which nothing can be found."""
    if tiny := [f"{one.id} ({one.height} x {one.width})" for one in entries if min(one.height, one.width) < TINY]:
        yield f"{len(tiny)} images with a side of less than {TINY} px (height x width): {_listed(tiny)}"


def _large(entries: Sequence[Entry]) -> Iterator[str]:
    """Images that ask for much memory."""
    large = [entry for entry in entries if entry.height * entry.width > LARGE]
    if large:
        most = max(large, key=lambda entry: entry.height * entry.width)
        yield (
            f"{len(large)} images of more than {LARGE / 1e6:.1f} megapixels, the largest {most.id} with "
            f"{most.height * most.width / 1e6:.0f}: some steps take gigabytes for each; set max_side: 640"
        )


def _listed(names: Iterable[str]) -> str:
    """Some names, sorted."""
    every = sorted(names)
    return ", ".join(every[:LISTED]) + (", ..." if len(every) > LISTED else "")
