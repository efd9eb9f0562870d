"""Items depend on (seed, epoch, index) and on nothing else."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from wsss_steps.data.datasets import SeedDataset, TagDataset
from wsss_steps.data.manifest import Entry
from wsss_steps.errors import UserError
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.formats.kinds.superpixels import SUPERPIXELS
from wsss_steps.formats.stores import write_store

AUGMENTATION: dict[str, Any] = {
    "mean": (0.5, 0.5, 0.5),
    "std": (0.5, 0.5, 0.5),
    "crop": 10,
    "resize_long": None,
    "resize_scale": (0.8, 1.2),
    "scale_set": None,
    "flip": True,
    "jitter": (0.1, 0.1, 0.1, 0.1),
}
HEIGHT, WIDTH = 9, 12


@pytest.fixture
def entries(tmp_path: Path) -> list[Entry]:
    rng = np.random.default_rng(0)
    made = []
    for index in range(6):
        path = tmp_path / f"i{index}.png"
        Image.fromarray(rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)).save(path)
        made.append(Entry(f"i{index}", "train", str(path), HEIGHT, WIDTH, (1 + index % 2, 3)))
    return made


def stores(folder: Path, entries: list[Entry], shape: tuple[int, int] = (HEIGHT, WIDTH)) -> dict[str, Path]:
    paths = {"seeds": folder / "seeds.h5", "superpixels": folder / "superpixels.h5"}
    seeds = ((entry.id, {"seeds": np.full(shape, number, np.uint8)}) for number, entry in enumerate(entries))
    write_store(paths["seeds"], SEEDS, seeds, stamp="{}", classes=["a", "b", "c"])
    ids = np.arange(300, 300 + shape[0] * shape[1], dtype=np.uint16).reshape(shape)
    items = ((entry.id, {"superpixels": ids, "seed_patches": np.array([-1], np.int32)}) for entry in entries)
    write_store(paths["superpixels"], SUPERPIXELS, items, stamp="{}")
    return paths


def equal(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> bool:
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def test_an_item_depends_on_seed_epoch_and_index_alone(entries: list[Entry]) -> None:
    data = TagDataset(entries, 3, augmentation=AUGMENTATION, seed=5)
    item = data[2, 1]
    _ = data[0, 0], torch.rand(3), np.random.rand(3)
    assert equal(item, data[2, 1])
    assert item["images"].shape == (3, 10, 10)
    assert item["tags"].tolist() == [0.0, 1.0, 1.0]
    for other in (data[3, 1], TagDataset(entries, 3, augmentation=AUGMENTATION, seed=6)[2, 1]):
        assert not torch.equal(item["images"], other["images"])


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_do_not_change_items(tmp_path: Path, entries: list[Entry], workers: int) -> None:
    data = SeedDataset(entries, 3, **stores(tmp_path, entries), augmentation=AUGMENTATION, seed=0)
    batches = [[(0, 3), (0, 1)], [(0, 5), (0, 0)], [(1, 3), (1, 1)]]
    alone = list(DataLoader(data, batch_sampler=batches))
    split = list(DataLoader(data, batch_sampler=batches, num_workers=workers))
    assert len(split) == 3
    assert all(equal(one, two) for one, two in zip(alone, split, strict=True))
    assert alone[0]["seeds"].dtype == alone[0]["superpixels"].dtype == torch.int64
    assert set(alone[0]["seeds"][0].unique().tolist()) <= {3, 255}
    assert alone[0]["superpixels"].max() > 300
    assert not torch.equal(alone[0]["images"], alone[2]["images"])


def test_open_stores_do_not_travel_to_workers(tmp_path: Path, entries: list[Entry]) -> None:
    data = SeedDataset(entries, 3, **stores(tmp_path, entries), augmentation=AUGMENTATION, seed=0)
    assert equal(data[0, 0], pickle.loads(pickle.dumps(data))[0, 0])


def test_without_superpixels_they_are_0(tmp_path: Path, entries: list[Entry]) -> None:
    seeds = stores(tmp_path, entries)["seeds"]
    data = SeedDataset(entries, 3, seeds=seeds, superpixels=None, augmentation=AUGMENTATION, seed=0)
    assert data[0, 0]["superpixels"].unique().tolist() == [0]


def test_pixels_outside_the_image_have_neither_seed_nor_superpixel(tmp_path: Path, entries: list[Entry]) -> None:
    """A crop that is larger than the image: padding is not background, and belongs to no superpixel."""
    wide = AUGMENTATION | {"crop": 20, "resize_scale": None}
    data = SeedDataset(entries, 3, **stores(tmp_path, entries), augmentation=wide, seed=0)
    item = data[0, 2]
    inside = item["superpixels"] >= 300  # the ids begin there
    assert inside.sum() == HEIGHT * WIDTH
    assert torch.equal(item["inside"], inside)
    assert item["superpixels"][~inside].unique().tolist() == [0]
    assert item["seeds"][inside].unique().tolist() == [2]
    assert item["seeds"][~inside].unique().tolist() == [255]
    assert not item["images"][:, ~inside].any()


def test_an_item_has_raw_pixels_only_when_asked(tmp_path: Path, entries: list[Entry]) -> None:
    paths, found = stores(tmp_path, entries), []
    for asked in (False, True):
        augmentation = AUGMENTATION | {"with_pixels": asked}
        found.append(SeedDataset(entries, 3, **paths, augmentation=augmentation, seed=0)[0, 0])
    without, item = found
    assert item.keys() - without.keys() == {"pixels"}
    assert (item["pixels"].shape, item["pixels"].dtype) == ((3, 10, 10), torch.uint8)
    torch.testing.assert_close((item["pixels"] / 255 - 0.5) / 0.5 * item["inside"], item["images"])
    assert all(torch.equal(without[name], item[name]) for name in without)


def test_sizes_that_disagree_are_named(tmp_path: Path, entries: list[Entry]) -> None:
    paths = stores(tmp_path, entries, shape=(HEIGHT, WIDTH + 1))
    data = SeedDataset(entries, 3, **paths, augmentation=AUGMENTATION, seed=0)
    with pytest.raises(UserError, match=r"of image 'i0': expected 9 x 12 px, found 9 x 13"):
        data[0, 0]
    wrong = [Entry("i0", "train", entries[0].image, WIDTH, HEIGHT, (1,))]
    with pytest.raises(UserError, match=r"expected 12 x 9 px \(manifest\), found 9 x 12"):
        TagDataset(wrong, 3, augmentation=AUGMENTATION, seed=0)[0, 0]
