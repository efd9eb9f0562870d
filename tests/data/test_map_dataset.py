"""Training images with their maps: what follows what, and what is refused."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from wsss_steps import train_refiner
from wsss_steps.data.manifest import Entry, Manifest, write_manifest
from wsss_steps.data.map_dataset import MapDataset, check_maps
from wsss_steps.errors import UserError
from wsss_steps.formats.kinds.cams import CAMS
from wsss_steps.formats.stores import write_store

HEIGHT, WIDTH = 6, 9
STILL: dict[str, Any] = {
    "mean": (0.0, 0.0, 0.0),
    "std": (1.0, 1.0, 1.0),
    "crop": 9,
    "resize_long": None,
    "resize_scale": None,
    "scale_set": None,
    "flip": False,
    "jitter": (0, 0, 0, 0),
}
TAGS: dict[str, tuple[int, ...]] = {"a": (1, 3), "b": (2,), "c": ()}


@pytest.fixture
def entries(tmp_path: Path) -> list[Entry]:
    """Images whose red is the map of their first class."""
    for number, name in enumerate(TAGS):
        pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        pixels[..., 0] = np.random.default_rng(number).integers(0, 256, (HEIGHT, WIDTH))
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    return [Entry(name, "train", str(tmp_path / f"{name}.png"), HEIGHT, WIDTH, tags) for name, tags in TAGS.items()]


def red(entry: Entry) -> np.ndarray:
    return np.asarray(Image.open(entry.image))[..., 0].astype(np.float32) / np.float32(255)


def store(path: Path, entries: list[Entry], **other_tags: tuple[int, ...]) -> Path:
    """Maps of each class: the red of the image, halved for every class after the first."""
    items = []
    for entry in entries:
        tags = other_tags.get(entry.id, entry.tags)
        maps = [red(entry) / (1 + number) for number in range(len(tags))]
        arrays = {"cam": np.array(maps, np.float32).reshape(-1, HEIGHT, WIDTH), "class": np.array(tags, np.uint8)}
        items.append((entry.id, arrays))
    write_store(path, CAMS, items, stamp="{}", classes=["x", "y", "z"])
    return path


def data_of(tmp_path: Path, entries: list[Entry], **augmentation: Any) -> MapDataset:
    cams = store(tmp_path / "cams.h5", entries)
    return MapDataset(entries, 3, cams=cams, augmentation=STILL | augmentation, seed=0)


def test_an_item_has_a_map_for_every_class_and_none_beyond_the_image(tmp_path: Path, entries: list[Entry]) -> None:
    data = data_of(tmp_path, entries)
    item = data[0, 0]
    assert item.keys() == {"tags", "images", "inside", "maps"}
    assert (item["maps"].shape, item["maps"].dtype) == ((3, 9, 9), torch.float32)
    assert torch.equal(item["maps"][0], item["images"][0])  # red, which the padding of 3 rows moves with the map
    assert not item["maps"][1].any()
    assert (item["maps"][2] - item["maps"][0] / 2).abs().max() <= 1 / 255
    assert not item["maps"][:, ~item["inside"]].any()
    assert not data[0, 2]["maps"].any()  # an image without a tag
    assert data[0, 1]["maps"].flatten(1).any(dim=1).tolist() == [False, True, False]


def test_maps_follow_the_image_when_it_is_mirrored_resized_and_cropped(tmp_path: Path, entries: list[Entry]) -> None:
    data = data_of(tmp_path, entries, flip=True, crop=5)
    for epoch in range(4):
        item = data[epoch, 0]
        assert torch.equal(item["maps"][0], item["images"][0])
    resized = data_of(tmp_path, entries, resize_scale=(2.0, 2.0), crop=18)[0, 0]
    assert set(resized["maps"][0].unique().tolist()) <= {0.0, *np.unique(red(entries[0])).tolist()}


def test_maps_of_another_size_are_brought_to_the_image(tmp_path: Path, entries: list[Entry]) -> None:
    half = np.array([[[0.0, 1.0]]], np.float32)
    write_store(tmp_path / "c.h5", CAMS, [("b", {"cam": half, "class": np.array([2], np.uint8)})], stamp="{}")
    item = MapDataset(entries[1:2], 3, cams=tmp_path / "c.h5", augmentation=STILL | {"crop": 6}, seed=0)[0, 0]
    assert item["maps"][1].shape == (6, 6)
    assert (item["maps"][1].diff(dim=-1) >= 0).all()


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_do_not_change_items(tmp_path: Path, entries: list[Entry], workers: int) -> None:
    data = data_of(tmp_path, entries, flip=True, resize_scale=(0.8, 1.2))
    batches = [[(0, 2), (0, 0)], [(1, 1), (1, 2)]]
    alone, split = (list(DataLoader(data, batch_sampler=batches, num_workers=number)) for number in (0, workers))
    for one, other in zip(alone, split, strict=True):
        assert all(torch.equal(one[name], other[name]) for name in one)
    assert torch.equal(pickle.loads(pickle.dumps(data))[0, 0]["maps"], data[0, 0]["maps"])


def test_maps_that_do_not_fit_the_manifest_are_all_named(tmp_path: Path, entries: list[Entry]) -> None:
    check_maps(entries, store(tmp_path / "right.h5", entries))
    cams = store(tmp_path / "wrong.h5", entries[:2], b=(1, 2))
    words = r"(?s)\(2\).*b: maps of classes \[1, 2\], tags are \[2\].*c: not in .*wrong.h5"
    with pytest.raises(UserError, match=words):
        check_maps(entries, cams)


def test_maps_of_nothing_are_refused(tmp_path: Path, entries: list[Entry]) -> None:
    cams = store(tmp_path / "empty.h5", entries[2:])
    with pytest.raises(UserError, match="no map is above 0 anywhere; train the classifier more"):
        check_maps(entries[2:], cams)


@pytest.mark.parametrize(("given", "words"), [({}, "found neither"), ({"seeds", "cams"}, "found both")])
def test_a_refiner_learns_from_seeds_or_from_maps(
    tmp_path: Path, entries: list[Entry], given: set[str], words: str
) -> None:
    write_manifest(tmp_path / "m.json", Manifest("test", ("x", "y", "z"), tuple(entries)))
    data = train_refiner.read_manifest(tmp_path / "m.json")
    settings = {"method": "drs_refine", "seed": 0, "backbone": {"mean": (0,) * 3, "std": (1,) * 3}} | STILL
    paths = {name: tmp_path / "x.h5" if name in given else None for name in ("seeds", "cams")}
    with pytest.raises(UserError, match=f"expected either seeds or maps to learn from, {words}"):
        train_refiner.dataset_of(data, settings=settings, **paths)
