"""What will be hard about a data set."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from wsss_steps.data.findings import counts, warnings
from wsss_steps.data.manifest import Entry, Manifest

CLASSES = ("cat", "dog", "sheep")


def manifest(tags: Sequence[tuple[int, ...]], split: str = "train", **entry: object) -> Manifest:
    """Images 0, 1 ... with these tags, each of a content of its own."""
    given = {"image": "", "height": 300, "width": 400, **entry}
    entries = [
        Entry(id=f"{split}{n}", split=split, tags=one, **{"sha256": f"{split}{n}"} | given)
        for n, one in enumerate(tags)
    ]  # type: ignore[arg-type]
    return Manifest("mine", CLASSES, tuple(entries))


GOOD = [(1,)] * 12 + [(2,)] * 12 + [(3,)] * 12 + [(1, 2)]


def test_nothing_is_hard() -> None:
    assert warnings([manifest(GOOD)], None) == []


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ([(1,)] * 12 + [(2,)] * 12, ["class 'sheep' is in no training image: it cannot be learnt"]),
        ([*GOOD[12:], (1,), (2,)], ["class 'cat' is in 2 training images: expect little of it with fewer than 10"]),
        (
            [(1,)] * 12 + [(2,)] * 12 + [(3,)],
            ["class 'sheep' is in one training image alone, train24: a slip of the pen?"],
        ),
        ([(1, 2)] * 12 + [(3,)] * 12, ["classes 'cat' and 'dog' always occur together: no method can separate them"]),
        (
            [(1, 2)] * 10 + [(2,)] + [(3,)] * 12,
            ["class 'cat' never occurs without 'dog' (10 images): its maps may show both"],
        ),
        (
            [(2, 1)] * 10 + [(1,)] + [(3,)] * 12,
            ["class 'dog' never occurs without 'cat' (10 images): its maps may show both"],
        ),
        (
            [*[(1, 2)] * 12, *[(1, 3)] * 12, (2, 3)],
            ["class 'cat' is in 24 of 25 training images: add images without it"],
        ),
    ],
)
def test_what_tags_tell(tags: list[tuple[int, ...]], expected: list[str]) -> None:
    assert warnings([manifest(tags)], None) == expected


def test_a_class_in_every_image() -> None:
    found = warnings([manifest([(1, 2)] * 12 + [(1, 3)] * 12)], None)
    assert found[0] == "class 'cat' is in every training image: add images without it, or it is learnt from nothing"


def test_a_slip_of_the_pen_is_near_another_class() -> None:
    data = Manifest(
        "mine", ("dgo", "dog", "cat"), manifest(GOOD[12:24] + [(2,)] * 12 + [(3,)] * 12 + [(1,)]).entries[12:]
    )
    assert warnings([data], None) == [
        "class 'dgo' is in one training image alone, train36: a slip of the pen? Is it 'dog'?"
    ]


def test_images_of_the_same_content() -> None:
    train, val = manifest(GOOD), manifest([(1,)] * 2, "val", sha256="train0")
    leak = "the same image in train and val: train0, val0, val1: its scores will be too good"
    assert warnings([train, val], None) == [leak]
    again = manifest([(1,)] * 2, "train", sha256="x").entries
    differing = manifest([(1, 3), (2,)], "train", sha256="y").entries
    data = Manifest("mine", CLASSES, (*train.entries, *again, *differing))
    assert warnings([data], None) == [
        "the same image 2 times: train0, train1",
        "the same image with different tags: train0, train1 (cat, sheep and dog)",
    ]


def test_sizes_that_are_hard() -> None:
    tiny = warnings([manifest(GOOD, height=63)], None)
    names = "train0 (63 x 400), train1 (63 x 400), train10 (63 x 400), train11 (63 x 400), train12 (63 x 400), ..."
    assert tiny == [f"37 images with a side of less than 64 px (height x width): {names}"]
    large = manifest(GOOD, height=3000, width=4000)
    assert warnings([large], 640) == []
    (line,) = warnings([large], None)
    assert line.startswith(
        "37 images of more than 1.5 megapixels, the largest train0 with 12: some steps take gigabytes"
    )


def test_counts_of_every_split() -> None:
    lines = counts([manifest(GOOD), manifest([(1,), (1, 3)], "val")])
    assert lines == [
        "        train  val",
        "images  37     2",
        "cat     13     2",
        "dog     13     0",
        "sheep   12     1",
    ]
