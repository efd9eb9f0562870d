"""Photographs that are read at a smaller size, and labels that come back at theirs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsss_steps import shard_manifest
from wsss_steps.data.copies import copy_maps, with_copies
from wsss_steps.data.images import read_image
from wsss_steps.data.manifest import Entry, GroundTruth, Manifest, read_manifest
from wsss_steps.data.originals import (
    at_working_size,
    of_originals,
    read_originals,
    resized_labels,
    working_size,
    write_with_originals,
)
from wsss_steps.errors import UserError
from wsss_steps.formats.labels import write_labels
from wsss_steps.provenance.digests import file_digest

TURNED = 6  # EXIF: the camera was held upright


@pytest.mark.parametrize(
    ("size", "max_side", "expected"),
    [
        ((3000, 4000), 640, (480, 640)),
        ((4000, 3000), 640, (640, 480)),
        ((640, 10), 640, (640, 10)),
        ((641, 10), 640, (640, 10)),
        ((5, 9000), 640, (1, 640)),
        ((9000, 5), None, (9000, 5)),
    ],
)
def test_working_size(size: tuple[int, int], max_side: int | None, expected: tuple[int, int]) -> None:
    assert working_size(*size, max_side) == expected


def test_enlarged_labels_have_the_largest_smoothed_area() -> None:
    """Worked by hand: a bilinear edge between two pixels lies in the middle between their centres."""
    labels = np.array([[0, 2], [0, 255]], np.uint8)
    expected = [[0, 0, 2, 2], [0, 0, 2, 2], [0, 0, 255, 255], [0, 0, 255, 255]]
    assert resized_labels(labels, (4, 4)).tolist() == expected


@pytest.mark.parametrize(("labels", "expected"), [([[0, 2]], [[0, 0, 2]]), ([[2, 0]], [[2, 0, 0]])])
def test_of_equal_labels_the_smaller_one_wins(labels: list[list[int]], expected: list[list[int]]) -> None:
    """The pixel in the middle lies halfway between the two."""
    assert resized_labels(np.array(labels, np.uint8), (1, 3)).tolist() == expected


def test_enlarged_labels_lose_the_steps_of_a_slanted_edge() -> None:
    """A circle of radius 12 px, six times as large: fewer pixels are wrong than with the nearest pixel's labels."""
    rows, columns = (np.mgrid[:180, :180] + 0.5) / 6 - 15
    small_rows, small_columns = np.mgrid[:30, :30] - 14.5
    truth = rows**2 + columns**2 < 144
    small = (small_rows**2 + small_columns**2 < 144).astype(np.uint8)
    smooth = resized_labels(small, (180, 180))
    nearest = np.kron(small, np.ones((6, 6), np.uint8))
    assert (smooth != truth).sum() < 0.9 * (nearest != truth).sum()


def test_labels_of_the_same_size_and_of_one_value_stay() -> None:
    labels = np.array([[1, 0]], np.uint8)
    assert resized_labels(labels, (1, 2)) is labels
    assert (resized_labels(np.full((2, 2), 7, np.uint8), (5, 3)) == np.full((5, 3), 7)).all()


@pytest.fixture
def photographs(tmp_path: Path) -> Manifest:
    """One of 40 x 20 px (height x width) that is stored on its side, and a small one."""
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:, :20] = 255  # upright: the upper half is white
    exif = Image.Exif()
    exif[0x0112] = TURNED
    Image.fromarray(pixels).save(tmp_path / "large.png", exif=exif)
    Image.fromarray(pixels[:5, :4]).save(tmp_path / "small.png")
    sizes = {"large": (40, 20), "small": (5, 4)}
    entries = [
        Entry(name, "train", str(tmp_path / f"{name}.png"), *size, (1,), file_digest(tmp_path / f"{name}.png"))
        for name, size in sizes.items()
    ]
    return Manifest("mine", ("cat",), tuple(entries))


def test_large_images_alone_are_copied_upright(photographs: Manifest, tmp_path: Path) -> None:
    data, originals = with_copies(photographs, 10, tmp_path / "copies", "{}")
    large, small = data.entries
    assert (large.height, large.width, large.image) == (10, 5, f"{tmp_path}/copies/large.png")
    copy = read_image(Path(large.image))
    assert copy.shape == (10, 5, 3)
    assert copy[:4].min() > 250
    assert copy[6:].max() < 5
    assert large.sha256 == file_digest(Path(large.image))
    assert small == photographs.entries[1]
    assert list(originals) == ["large"]
    assert of_originals(data, originals) == photographs


def test_the_manifest_has_the_originals_besides(photographs: Manifest, tmp_path: Path) -> None:
    data, originals = with_copies(photographs, 10, tmp_path / "copies", "{}")
    write_with_originals(tmp_path / "m.json", data, originals)
    assert read_manifest(tmp_path / "m.json") == data
    assert read_originals(tmp_path / "m.json") == originals


def test_a_manifest_without_copies_is_what_it_was(photographs: Manifest, tmp_path: Path) -> None:
    data, originals = with_copies(photographs, None, tmp_path / "copies", "{}")
    write_with_originals(tmp_path / "m.json", data, originals)
    assert data == photographs
    assert "originals" not in (tmp_path / "m.json").read_text()
    assert read_originals(tmp_path / "m.json") == {}


def test_the_ground_truth_of_what_is_read_smaller(photographs: Manifest, tmp_path: Path) -> None:
    labels = np.repeat([[0], [1]], 20, axis=0).repeat(20, axis=1).astype(np.uint8)
    write_labels(tmp_path / "mask.png", labels)
    truth = GroundTruth({"large": str(tmp_path / "mask.png")}, (0, 1, *[-1] * 254))
    data, originals = with_copies(photographs, 10, tmp_path / "copies", "{}")
    assert truth.labels("large").shape == (40, 20)
    smaller = at_working_size(truth, data.entries, originals).labels("large")
    assert smaller.tolist() == [[0] * 5] * 5 + [[1] * 5] * 5


def test_shards_have_the_originals_of_their_images(photographs: Manifest, tmp_path: Path) -> None:
    data, originals = with_copies(photographs, 10, tmp_path / "copies", "{}")
    write_with_originals(tmp_path / "m.json", data, originals)
    shards = [tmp_path / f"{number:03d}-of-002.json" for number in range(2)]
    shard_manifest.run(manifest=tmp_path / "m.json", shards=shards, settings={})
    of_shards = {image_id: one for path in shards for image_id, one in read_originals(path).items()}
    assert of_shards == originals
    assert [
        entry.id for path in shards for entry in read_manifest(path).entries if entry.id in read_originals(path)
    ] == ["large"]


def test_maps_of_a_table_are_copied_at_working_size(photographs: Manifest, tmp_path: Path) -> None:
    grey = np.repeat([[0], [200]], 20, axis=0).repeat(20, axis=1).astype(np.uint8)
    Image.fromarray(grey).save(tmp_path / "of large.png")
    data, _ = with_copies(photographs, 10, tmp_path / "copies", "{}")
    copy_maps(data.entries, {"large": str(tmp_path / "of large.png")}, tmp_path / "maps", "{}")
    assert [path.name for path in (tmp_path / "maps").glob("*.png")] == ["large.png"]
    with Image.open(tmp_path / "maps/large.png") as found:
        levels = np.asarray(found)
    assert (levels.shape, levels.dtype) == ((10, 5), np.uint8)
    assert levels[:4].max() == 0
    assert levels[6:].min() == 200


def test_all_wrong_maps_are_told_and_none_is_written(photographs: Manifest, tmp_path: Path) -> None:
    Image.new("L", (20, 39)).save(tmp_path / "shape.png")
    Image.new("P", (4, 5)).save(tmp_path / "palette.png")
    maps = {"large": str(tmp_path / "shape.png"), "small": str(tmp_path / "palette.png")}
    with pytest.raises(UserError) as raised:
        copy_maps(photographs.entries, maps, tmp_path / "maps", "{}")
    expected = "expected the shape of its image, such as 40 x 20 px (height x width), found 39 x 20"
    assert f"shape.png: {expected}" in str(raised.value)
    assert "palette.png: expected 8-bit grey (mode L), found mode P" in str(raised.value)
    assert not (tmp_path / "maps").exists()
    (tmp_path / "palette.png").write_text("no picture")
    with pytest.raises(UserError, match=r"shape.png(.|\n)*palette.png: not a readable image"):
        copy_maps(photographs.entries, maps, tmp_path / "maps", "{}")
