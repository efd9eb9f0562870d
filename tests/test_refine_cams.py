"""Refining class activation maps: classes, sizes and what a refiner is given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from wsss_steps.data.manifest import Entry, Manifest, write_manifest
from wsss_steps.errors import UserError
from wsss_steps.formats.kinds.cams import CAMS
from wsss_steps.formats.stores import Store, write_store
from wsss_steps.ops.pamr import pamr
from wsss_steps.refine_cams import run
from wsss_steps.settings.refiner import Pamr

HEIGHT, WIDTH = 9, 6
PAMR = Pamr(dilations=(1, 2), iterations=3).model_dump(mode="json")


@pytest.fixture
def paths(tmp_path: Path) -> dict[str, Path]:
    """Two images: `a` with maps of classes 1 and 3 at its size, `b` with strided maps of class 2."""
    rng = np.random.default_rng(0)
    entries, items = [], []
    for name, tags, size in (("a", (1, 3), (HEIGHT, WIDTH)), ("b", (2,), (3, 2))):
        Image.fromarray(rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)).save(tmp_path / f"{name}.png")
        entries.append(Entry(name, "train", str(tmp_path / f"{name}.png"), HEIGHT, WIDTH, tags))
        items.append((name, {"cam": rng.random((len(tags), *size), np.float32), "class": np.array(tags, np.uint8)}))
    write_manifest(tmp_path / "m.json", Manifest("x", ("cat", "cow", "dog"), tuple(entries)))
    write_store(tmp_path / "cams.h5", CAMS, items, stamp="{}", classes=["cat", "cow", "dog"])
    return {"manifest": tmp_path / "m.json", "cams": tmp_path / "cams.h5", "output": tmp_path / "refined.h5"}


def stored(path: Path) -> dict[str, dict[str, Any]]:
    with Store(path, CAMS) as store:
        return {name: store[name] for name in store.ids()}


def test_each_image_is_refined_by_its_own_colours_at_the_size_of_its_maps(paths: dict[str, Path]) -> None:
    run(**paths, settings=PAMR, stamp='{"step": "test"}')
    before, after = stored(paths["cams"]), stored(paths["output"])
    for name, maps in before.items():
        assert after[name]["class"].tolist() == maps["class"].tolist()
        assert after[name]["cam"].shape == maps["cam"].shape
    pixels = np.asarray(Image.open(paths["manifest"].parent / "a.png"), np.float32).transpose(2, 0, 1) / 255
    maps = torch.from_numpy(before["a"]["cam"])
    expected = pamr(torch.from_numpy(pixels), maps, dilations=(1, 2), iterations=3)
    assert np.allclose(after["a"]["cam"], expected.numpy(), atol=2e-3)  # maps are stored as half floats


def test_every_image_without_maps_is_named(paths: dict[str, Path]) -> None:
    write_store(paths["cams"], CAMS, [], stamp="{}")
    with pytest.raises(UserError, match=r"(?s)\(2\).*a: not in .*b: not in "):
        run(**paths, settings=PAMR)
    assert not paths["output"].exists()
