"""From features to pixels: the salient block lies where its patches lie, and a dense CRF brings it to the edges."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from wsss_steps.data.manifest import Entry
from wsss_steps.errors import UserError
from wsss_steps.formats.kinds.features import FEATURES
from wsss_steps.formats.stores import Store, write_store
from wsss_steps.methods.saliency import unsupervised
from wsss_steps.processes import now
from wsss_steps.settings import crf

DEFAULTS: dict[str, Any] = {
    "algorithm": "tokencut",
    "tau": 0.2,
    "least_similar": 100,
    "connected": True,
    "crf": None,
}
LABEL_CRF = {"crf": crf.numbers("label")}


def entry_of(folder: Path, name: str = "a") -> Entry:
    """A square (rows and columns 14 to 27) on a background of another colour, 40 x 48 px."""
    pixels = np.full((40, 48, 3), 40, np.uint8)
    pixels[14:28, 14:28] = 220
    Image.fromarray(pixels).save(folder / f"{name}.png")
    return Entry(name, "train", str(folder / f"{name}.png"), 40, 48, (1,))


def features_of(folder: Path, value: float = 1.0, extent: tuple[int, int] = (40, 48)) -> Path:
    """Patches of 8 px, of which 2 x 2 (rows and columns 16 to 31) are unlike the others."""
    features = np.zeros((5, 6, 2), np.float16)
    features[..., 0] = value
    features[2:4, 2:4] = (0, 1)
    item = {"features": features, "extent": np.array(extent, np.float32)}
    write_store(folder / "features.h5", FEATURES, [("a", item)], stamp="{}")
    return folder / "features.h5"


def made(entries: list[Entry], source: Path, device: str, **settings: Any) -> tuple[list[str], Iterator[np.ndarray]]:
    """What is left out, and the maps of all entries."""
    left_out, make = unsupervised.maker(entries, **settings)
    with Store(source, FEATURES) as store:
        given = {entry.id: {"features": store[entry.id]} for entry in entries}
    return left_out, (now(make(entry, given[entry.id])) for entry in entries)


@pytest.mark.parametrize("algorithm", ["tokencut", "lost"])
def test_the_block_that_is_unlike(algorithm: str, tmp_path: Path) -> None:
    choice = DEFAULTS | {"algorithm": algorithm}
    left_out, maps = made([entry_of(tmp_path)], features_of(tmp_path), "cpu", **choice)
    (found,) = maps
    expected = np.zeros((40, 48))
    expected[16:32, 16:32] = 255
    assert left_out == []
    assert found.dtype == np.uint8
    assert np.array_equal(found, expected)


@pytest.mark.parametrize(("algorithm", "other"), [("tokencut", "lost"), ("lost", "tokencut")])
def test_the_algorithm_of_the_settings_is_asked(
    algorithm: str, other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its own settings, and only that algorithm."""
    own = {"tokencut": {"tau": 0.7}, "lost": {"least_similar": 9}}[algorithm] | {"connected": False}
    asked = []

    def spy(features: np.ndarray, **options: Any) -> np.ndarray:
        asked.append(options)
        return np.ones(features.shape[:2], bool)

    monkeypatch.setattr(unsupervised, algorithm, spy)
    monkeypatch.delattr(unsupervised, other)
    choice = DEFAULTS | own | {"algorithm": algorithm}
    _, maps = made([entry_of(tmp_path)], features_of(tmp_path), "cpu", **choice)
    assert (next(maps) == 255).all()
    assert asked == [own]


def test_a_crf_moves_the_border_to_the_edge(tmp_path: Path) -> None:
    _, maps = made([entry_of(tmp_path)], features_of(tmp_path), "cpu", **DEFAULTS | LABEL_CRF)
    (found,) = maps
    expected = np.zeros((40, 48))
    expected[14:28, 14:28] = 255
    assert (found == expected).mean() > 0.98


def test_patches_that_are_all_alike_give_an_empty_map(tmp_path: Path) -> None:
    features = {"features": np.ones((5, 6, 2), np.float16), "extent": np.array([40, 48], np.float32)}
    write_store(tmp_path / "features.h5", FEATURES, [("a", features)], stamp="{}")
    _, maps = made([entry_of(tmp_path)], tmp_path / "features.h5", "cpu", **DEFAULTS | LABEL_CRF)
    assert not next(maps).any()


def test_features_that_do_not_fit_name_the_image(tmp_path: Path) -> None:
    _, maps = made([entry_of(tmp_path)], features_of(tmp_path, extent=(80, 48)), "cpu", **DEFAULTS)
    with pytest.raises(UserError, match="image 'a': .*height of 40 px, found that it spans 80 px"):
        next(maps)
    _, maps = made([entry_of(tmp_path)], features_of(tmp_path, value=np.nan), "cpu", **DEFAULTS)
    with pytest.raises(UserError, match="image 'a': expected finite features"):
        next(maps)
