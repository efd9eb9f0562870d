"""Images with masks in the layout of DUTS: what is read, and the messages about bad ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from wsss_steps.data.saliency_pairs import PairDataset, find_pairs, read_mask
from wsss_steps.errors import UserError

KEEP: dict[str, Any] = {
    "mean": (0.0, 0.0, 0.0),
    "std": (1.0, 1.0, 1.0),
    "crop": 8,
    "resize_long": None,
    "resize_scale": None,
    "scale_set": None,
    "flip": False,
    "jitter": (0, 0, 0, 0),
}


def write_pair(root: Path, name: str, mask: np.ndarray, size: tuple[int, int] | None = None, mode: str = "L") -> None:
    for kind in ("Image", "Mask"):
        (root / f"X-{kind}").mkdir(parents=True, exist_ok=True)
    height, width = size or mask.shape
    Image.fromarray(np.full((height, width, 3), 255, np.uint8)).save(root / "X-Image" / f"{name}.jpg")
    Image.fromarray(mask.astype(np.uint8)).convert(mode).save(root / "X-Mask" / f"{name}.png")


def test_pairs_are_found_by_name(tmp_path: Path) -> None:
    for name in ("b", "a"):
        write_pair(tmp_path, name, np.eye(4) * 255)
    pairs = find_pairs(tmp_path)
    assert [(pair.image.name, pair.mask.name) for pair in pairs] == [("a.jpg", "a.png"), ("b.jpg", "b.png")]


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_masks_are_salient_above_127(mode: str, tmp_path: Path) -> None:
    write_pair(tmp_path, "a", np.array([[0, 1, 127, 128, 255]]), mode=mode)
    assert read_mask(tmp_path / "X-Mask" / "a.png").tolist() == [[0, 0, 0, 1, 1]]


def test_every_bad_pair_is_listed(tmp_path: Path) -> None:
    for name in ("good", "lone_image", "lone_mask", "small", "indexed", "damaged"):
        write_pair(
            tmp_path,
            name,
            np.eye(4) * 255,
            size=(4, 5) if name == "small" else None,
            mode="P" if name == "indexed" else "L",
        )
    (tmp_path / "X-Mask" / "lone_image.png").unlink()
    (tmp_path / "X-Image" / "lone_mask.jpg").unlink()
    (tmp_path / "X-Mask" / "damaged.png").write_text("no picture")
    with pytest.raises(UserError) as caught:
        find_pairs(tmp_path)
    message = str(caught.value)
    for words in (
        "pairs that cannot be used (5)",
        "lone_image: image without a mask",
        "lone_mask: mask without an image",
        "small: image of 4 x 5 px (height x width), mask of 4 x 4",
        "indexed.png: expected a mask of mode 1, L, RGB, found P",
        "damaged.png: not a readable mask",
    ):
        assert words in message
    assert "good" not in message


def test_missing_folders(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such folder .expected <name>-Image"):
        find_pairs(tmp_path / "none")
    (tmp_path / "pictures").mkdir()
    with pytest.raises(UserError, match="with its <name>-Mask, found folders: pictures"):
        find_pairs(tmp_path)
    (tmp_path / "X-Image").mkdir()
    (tmp_path / "X-Mask").mkdir()
    with pytest.raises(UserError, match="no pairs of an image"):
        find_pairs(tmp_path)
    (tmp_path / "Y-Image").mkdir()
    with pytest.raises(UserError, match="found folders: X-Image, X-Mask, Y-Image, pictures"):
        find_pairs(tmp_path)


def test_items_follow_the_image(tmp_path: Path) -> None:
    mask = np.zeros((8, 8))
    mask[:, 5:] = 255
    write_pair(tmp_path, "a", mask)
    write_pair(tmp_path, "b", mask[:3])
    dataset = PairDataset(find_pairs(tmp_path), augmentation=KEEP, seed=0)
    assert len(dataset) == 2
    whole = dataset[0, 0]
    assert whole["images"].shape == (3, 8, 8)
    assert whole["masks"].tolist() == (mask > 0).astype(int).tolist()
    flat = dataset[0, 1]
    inside = flat["images"][0] > 0.5
    assert int(inside.sum()) == 24
    assert torch.equal(flat["inside"], inside)
    assert flat["masks"].tolist() == (inside & (torch.arange(8) >= 5)).int().tolist()


def test_an_item_depends_on_seed_and_epoch(tmp_path: Path) -> None:
    write_pair(tmp_path, "a", np.eye(8) * 255)
    wide = {**KEEP, "crop": 16}
    first, again = (PairDataset(find_pairs(tmp_path), augmentation=wide, seed=0) for _ in range(2))
    other = PairDataset(find_pairs(tmp_path), augmentation=wide, seed=1)
    places = [first[epoch, 0]["masks"].tolist() for epoch in range(4)]
    assert places == [again[epoch, 0]["masks"].tolist() for epoch in range(4)]
    assert any(place != places[0] for place in places)
    assert places != [other[epoch, 0]["masks"].tolist() for epoch in range(4)]
