"""Making superpixels: with and without features, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from wsss_steps.data.manifest import Entry, Manifest, write_manifest
from wsss_steps.errors import UserError
from wsss_steps.formats.kinds.features import FEATURES
from wsss_steps.formats.kinds.superpixels import SUPERPIXELS
from wsss_steps.formats.stores import Store, write_store
from wsss_steps.make_superpixels import run

DINO = {"method": "dino", "features": "keys", "tau": 0.3, "order": "lowest", "crf": None}
SLIC = {"method": "slic", "count": 9, "compactness": 10.0}
SIZES = {"a": (16, 24), "b": (20, 12), "c": (8, 8)}


@pytest.fixture
def paths(tmp_path: Path) -> dict[str, Any]:
    """Manifest and features of two training images; a third is of another split."""
    random = np.random.default_rng(0)
    entries = []
    for name, (height, width) in SIZES.items():
        Image.fromarray(random.integers(0, 256, (height, width, 3), np.uint8)).save(tmp_path / f"{name}.png")
        entries.append(
            Entry(name, "val" if name == "c" else "train", str(tmp_path / f"{name}.png"), height, width, (1,))
        )
    write_manifest(tmp_path / "manifest.json", Manifest("test", ("cat",), tuple(entries)))
    grids = {"a": ((2, 3), (16, 24)), "b": ((3, 2), (24, 16))}
    write_features(tmp_path / "features.h5", grids)
    return {
        "manifest": tmp_path / "manifest.json",
        "needs": {"features": tmp_path / "features.h5"},
        "output": tmp_path / "out" / "superpixels.h5",
    }


def write_features(path: Path, grids: dict[str, tuple[tuple[int, int], tuple[int, int]]], value: float = 1.0) -> None:
    items = [
        (name, {"features": np.full((*grid, 4), value, np.float16), "extent": np.array(extent, np.float32)})
        for name, (grid, extent) in grids.items()
    ]
    write_store(path, FEATURES, items, stamp="{}")


def test_discovered(paths: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        run(**paths, settings=DINO, stamp='{"step": "test"}')
    with Store(paths["output"], SUPERPIXELS) as store:
        assert store.ids() == ["a", "b"]
        assert store.provenance == {"step": "test"}
        for name in store.ids():
            assert np.array_equal(store[name]["superpixels"], np.ones(SIZES[name]))
            assert store[name]["seed_patches"].tolist() == [0]
    assert "2 images, 1.00 superpixels each on average, 1 to 1" in caplog.text


def test_of_colour(paths: dict[str, Any]) -> None:
    run(manifest=paths["manifest"], output=paths["output"], settings=SLIC)
    with Store(paths["output"], SUPERPIXELS) as store:
        assert store.ids() == ["a", "b"]
        assert store["b"]["superpixels"].shape == SIZES["b"]


def test_features_are_needed(paths: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="image 'a': expected features, found none: .*--needs features=PATH"):
        run(manifest=paths["manifest"], output=paths["output"], settings=DINO)
    assert not paths["output"].exists()


def test_every_image_without_features_is_named(paths: dict[str, Any]) -> None:
    write_features(paths["needs"]["features"], {})
    with pytest.raises(UserError, match=r"(?s)that a store lacks.*\(2\):.*a: not in .*features.h5.*b: not in"):
        run(**paths, settings=DINO)


def test_features_of_another_size_name_the_image(paths: dict[str, Any]) -> None:
    write_features(paths["needs"]["features"], {"a": ((2, 3), (16, 24)), "b": ((2, 3), (16, 24))})
    with pytest.raises(UserError, match=r"image 'b': .* height of 20 px, found that it spans 16 px"):
        run(**paths, settings=DINO)
    assert not paths["output"].exists()


def test_damaged_features_name_the_image(paths: dict[str, Any]) -> None:
    write_features(paths["needs"]["features"], {"a": ((2, 3), (16, 24)), "b": ((3, 2), (24, 16))}, value=float("nan"))
    with pytest.raises(UserError, match="image 'a': expected finite features"):
        run(**paths, settings=DINO)
