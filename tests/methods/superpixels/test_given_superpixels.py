"""Given superpixels: any numbers become 1..n, and all that is wrong is told at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from wsss_steps.data.manifest import Entry
from wsss_steps.errors import UserError
from wsss_steps.formats.kinds.superpixels import SUPERPIXELS
from wsss_steps.formats.labels import write_labels
from wsss_steps.formats.stores import write_store
from wsss_steps.methods.superpixels import given

IDS = np.array([[700, 700, 9], [0, 9, 9]])
NUMBERED = [[3, 3, 2], [1, 2, 2]]


def entry(name: str = "a") -> Entry:
    return Entry(name, "train", "unread", 2, 3, (1,))


def read(source: Path, *names: str, sizes: Any = None) -> list[dict[str, Any]]:
    entries = [entry(name) for name in names or ("a",)]
    make = given.maker(entries, source=source, sizes=sizes or {})
    return [make(one, {}) for one in entries]


@pytest.mark.parametrize("form", ["npy", "png"])
def test_numbers_become_ids_without_gaps(tmp_path: Path, form: str) -> None:
    if form == "npy":
        np.save(tmp_path / "a.npy", IDS)
    else:
        Image.fromarray(IDS.astype(np.uint16)).save(tmp_path / "a.png")
    (found,) = read(tmp_path)
    assert found["superpixels"].tolist() == NUMBERED
    assert (found["superpixels"].dtype, found["seed_patches"].tolist()) == (np.uint16, [-1, -1, -1])


def test_an_indexed_png_is_read_by_its_indices_and_an_original_reduced(tmp_path: Path) -> None:
    large = np.kron(np.array([[7, 7, 5], [2, 5, 5]], np.uint8), np.ones((2, 2), np.uint8))
    write_labels(tmp_path / "a.png", large)
    (found,) = read(tmp_path, sizes={"a": (4, 6)})
    assert found["superpixels"].tolist() == NUMBERED


def test_a_store_is_taken_as_it_is(tmp_path: Path) -> None:
    arrays = {"superpixels": np.array(NUMBERED, np.uint16), "seed_patches": np.array([4, -1, 0], np.int32)}
    write_store(tmp_path / "x.h5", SUPERPIXELS, [("a", arrays)], stamp="{}")
    (found,) = read(tmp_path / "x.h5")
    assert {name: one.tolist() for name, one in found.items()} == {name: one.tolist() for name, one in arrays.items()}
    with pytest.raises(UserError, match="b: .*holds no image 'b'"):
        read(tmp_path / "x.h5", "a", "b")


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", IDS.T)
    np.save(tmp_path / "b.npy", IDS / 2)
    np.save(tmp_path / "d.npy", np.zeros((2, 3, 3), int))
    np.save(tmp_path / "e.npy", np.arange(70_000).reshape(2, 35_000))
    with pytest.raises(UserError) as error:
        given.maker([*map(entry, "abcd"), Entry("e", "train", "unread", 2, 35_000, ())], source=tmp_path, sizes={})
    text = str(error.value)
    for words in (
        "a: expected 2 x 3 px (height x width), found 3 x 2; it must be upright, as EXIF turns its image",
        "b: expected whole numbers (H, W), found float64 of shape (2, 3)",
        "c: missing, expected c.npy",
        "d: expected whole numbers (H, W), found int64 of shape (2, 3, 3)",
        "e: expected at most 65535 superpixels, found 70000",
    ):
        assert words in text


def test_colours_are_no_numbers(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((2, 3, 3), np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(UserError, match="a: expected one channel of 8 or 16 bits, grey or indexed, found mode RGB"):
        read(tmp_path)
