"""Features of images whose features are known."""

import functools
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from skimage.color import rgb2lab

from wsss_steps.data.manifest import Entry
from wsss_steps.errors import UserError
from wsss_steps.formats.weights import write_weights
from wsss_steps.methods.features import backbone, keys, rgb
from wsss_steps.nets import vit

Saved = Callable[[np.ndarray], Entry]
KEYS: dict[str, Any] = {"device": "cpu", "vit": "own", "input_mode": "pad", "image_scale": 1.0}


def test_rgb_is_the_mean_colour_of_each_cell_from_the_mean_of_the_image(saved: Saved) -> None:
    image = np.zeros((8, 12, 3), np.uint8)
    image[:, :8] = (200, 40, 40)
    image[:, 8:] = (40, 40, 200)  # the last column of cells is half as wide
    item = rgb.maker(cell=8)(saved(image), {})
    red, blue = rgb2lab(image[:1, :1])[0, 0], rgb2lab(image[:1, -1:])[0, 0]
    assert item["features"].shape == (1, 2, 3)
    assert item["extent"].tolist() == [8.0, 16.0]
    np.testing.assert_allclose(item["features"][0, 0], (red - blue) / 2, rtol=2e-3)
    np.testing.assert_allclose(item["features"][0, 1], (blue - red) / 2, rtol=2e-3)


def test_rgb_of_a_plain_image_is_zero(saved: Saved) -> None:
    item = rgb.maker(cell=4)(saved(np.full((9, 7, 3), 90, np.uint8)), {})
    assert not item["features"].any()
    assert item["extent"].tolist() == [12.0, 8.0]


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    shape = vit.Shape(patch=4, width=12, depth=2, heads=3, image_size=16)
    content = {**vars(shape), "mean": [0.5] * 3, "std": [0.25] * 3}
    write_weights(tmp_path / "own.safetensors", "vit", vit.build(shape).state_dict(), content=content, stamp="")
    return tmp_path / "own.safetensors"


def test_centred_keys_differ_by_the_mean_key_alone(weights: Path, saved: Saved) -> None:
    entry = saved(np.random.default_rng(0).integers(0, 256, (13, 18, 3), dtype=np.uint8))
    plain = keys.maker(weights=weights, **KEYS, centre=False)(entry, {})["features"].astype(np.float64)
    centred = keys.maker(weights=weights, **KEYS, centre=True)(entry, {})["features"].astype(np.float64)
    assert plain.shape == (4, 5, 12)
    np.testing.assert_allclose(centred, plain - plain.mean(axis=(0, 1)), atol=2e-3)


def test_own_keys_need_weights() -> None:
    with pytest.raises(
        UserError, match="vit: own needs weights; for one of your own .vit: own. these are pretrain_keys or a file"
    ):
        keys.maker(weights=None, **KEYS, centre=False)


def test_backbone_features_are_positive_until_centred(saved: Saved) -> None:
    entry = saved(np.random.default_rng(0).integers(0, 256, (20, 40, 3), dtype=np.uint8))
    spec = {"net": "small", "weights": "none", "mean": [0.5] * 3, "std": [0.25] * 3, "options": {}}
    chosen: dict[str, Any] = {
        "weights": None,
        "device": "cpu",
        "backbone": spec,
        "output_stride": 8,
        "image_scale": 1.0,
    }
    plain = backbone.maker(**chosen, centre=False)(entry, {})
    centred = backbone.maker(**chosen, centre=True)(entry, {})
    assert plain["features"].shape[:2] == (3, 5)
    assert plain["extent"].tolist() == [24.0, 40.0]
    assert plain["features"].min() >= 0
    assert centred["features"].min() < 0


MEAN, STD = [0.6, 0.35, 0.2], [0.2, 0.5, 0.9]


def makers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[..., Any]]:
    """Makers whose networks return the pixel itself as the feature of a patch of 1 px."""
    loaded = SimpleNamespace(vit=torch.nn.Identity(), mean=MEAN, std=STD)
    monkeypatch.setattr(keys.pretrained_vit, "load", lambda *_: loaded)
    monkeypatch.setattr(keys.vits, "patch_side", lambda _: 1)
    monkeypatch.setattr(keys.vits, "keys", lambda _, images: images.permute(0, 2, 3, 1))
    monkeypatch.setattr(backbone, "build_backbone", lambda *_, **__: torch.nn.Identity())
    monkeypatch.setattr(backbone, "load_backbone", lambda *_: "random")
    spec = {"net": "small", "mean": MEAN, "std": STD, "options": {}}
    of_keys = functools.partial(keys.maker, weights=Path("none"), device="cpu", vit="own", input_mode="pad")
    return {
        "keys": of_keys,
        "backbone": functools.partial(backbone.maker, weights=None, device="cpu", backbone=spec, output_stride=1),
    }


@pytest.mark.parametrize("name", ["keys", "backbone"])
def test_features_are_of_the_scaled_image_as_the_network_expects_it(
    name: str, saved: Saved, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By hand: the pixel minus the network's own mean, over its own standard deviation."""
    maker = makers(monkeypatch)[name]
    image = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    found = maker(image_scale=1.0, centre=False)(saved(image), {})["features"]
    expected = (image / 255 - np.array(MEAN)) / np.array(STD)
    np.testing.assert_allclose(found, expected, atol=3e-3)  # half floats
    centred = maker(image_scale=1.0, centre=True)(saved(image), {})["features"]
    np.testing.assert_allclose(centred, expected - expected.mean((0, 1)), atol=5e-3)
    half = maker(image_scale=0.5, centre=False)(saved(image), {})
    assert half["features"].shape == (3, 4, 3)
    assert half["extent"].tolist() == [6.0, 8.0]
