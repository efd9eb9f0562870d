"""Given seeds and pseudo-labels: values, classes that are no tags, and all that is wrong in one message."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from wsss_steps.data.manifest import Entry
from wsss_steps.errors import UserError
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.formats.labels import write_labels
from wsss_steps.formats.stores import write_store
from wsss_steps.methods.seeds import given

CLASSES = ("cat", "dog", "horse")
LABELS = np.array([[0, 1, 1], [255, 3, 0]], np.uint8)
OF_VOC = {"cat": 8, "dog": 12, "horse": 13}


def entry(name: str = "a", tags: tuple[int, ...] = (1, 3)) -> Entry:
    return Entry(name, "train", "unread", 2, 3, tags)


def read(source: Path, *entries: Entry, **settings: Any) -> list[Any]:
    options: dict[str, Any] = {"class_numbers": {}, "untagged": "stop", "sizes": {}} | settings
    make = given.maker(entries or [entry()], source=source, classes=CLASSES, **options)
    return [make(one, {}).tolist() for one in entries or [entry()]]


def test_palette_grey_and_arrays_say_the_same(tmp_path: Path) -> None:
    for name in ("palette", "grey", "array"):
        (tmp_path / name).mkdir()
    write_labels(tmp_path / "palette" / "a.png", LABELS)
    Image.fromarray(LABELS).save(tmp_path / "grey" / "a.png")
    np.save(tmp_path / "array" / "a.npy", LABELS.astype(int))
    assert [read(path) for path in sorted(tmp_path.iterdir())] == [[LABELS.tolist()]] * 3


def test_values_may_be_those_of_another_data_set(tmp_path: Path) -> None:
    write_labels(tmp_path / "a.png", np.array([[0, 8, 8], [255, 13, 0]], np.uint8))
    assert read(tmp_path, class_numbers=OF_VOC) == [LABELS.tolist()]
    with pytest.raises(UserError, match=r"values 0 background, 1 cat, 2 dog, 3 horse, 255 unlabelled, found \[8, 13\]"):
        read(tmp_path)


def test_a_store_is_read_by_the_names_of_its_classes(tmp_path: Path) -> None:
    stored = np.array([[0, 4, 4], [255, 1, 0]], np.uint8)
    names = ["horse", "cow", "dog", "cat"]
    write_store(tmp_path / "s.h5", SEEDS, [("a", {"seeds": stored})], stamp="{}", classes=names)
    assert read(tmp_path / "s.h5") == [LABELS.tolist()]


def test_labels_of_the_size_of_the_original_are_reduced(tmp_path: Path) -> None:
    write_labels(tmp_path / "a.png", np.kron(LABELS, np.ones((3, 3), np.uint8)))
    assert read(tmp_path, sizes={"a": (6, 9)}) == [LABELS.tolist()]


@pytest.mark.parametrize(("untagged", "expected"), [("keep", 3), ("unlabelled", 255)])
def test_labels_of_other_classes_than_the_tags(tmp_path: Path, untagged: str, expected: int) -> None:
    write_labels(tmp_path / "a.png", LABELS)
    cat = entry(tags=(1,))
    with pytest.raises(UserError, match="a: 1 px of 'horse', which it is not tagged with"):
        read(tmp_path, cat)
    assert read(tmp_path, cat, untagged=untagged) == [[[0, 1, 1], [255, expected, 0]]]


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    write_labels(tmp_path / "a.png", LABELS.T.copy())
    write_labels(tmp_path / "b.png", np.full((2, 3), 9, np.uint8))
    Image.fromarray(LABELS).save(tmp_path / "c.jpg")
    Image.fromarray(np.zeros((2, 3, 3), np.uint8)).save(tmp_path / "d.png")
    (tmp_path / "e.png").write_bytes(b"no picture")
    with pytest.raises(UserError) as error:
        read(tmp_path, *map(entry, "abcde"))
    text = str(error.value)
    for words in (
        "a: expected 2 x 3 px (height x width), found 3 x 2",
        "b: expected the values 0 background, 1 cat, 2 dog, 3 horse, 255 unlabelled, found [9]",
        "c: missing, expected c.png; found c.jpg",
        "d: expected one channel of 8 or 16 bits",
        "e: damaged",
    ):
        assert words in text


def test_numbers_of_classes_are_checked(tmp_path: Path) -> None:
    write_labels(tmp_path / "a.png", LABELS)
    with pytest.raises(UserError) as error:
        read(tmp_path, class_numbers={"cat": 1, "dog": 1, "cow": 4})
    text = str(error.value)
    for words in ("unknown class 'cow'", "no number of class 'horse'", "number 1 stands for several classes"):
        assert words in text
