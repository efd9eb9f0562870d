"""Features of images of which they are known."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skimage.color import rgb2lab

from wsss_steps import formats
from wsss_steps.errors import UserError
from wsss_steps.methods.features import backbone, keys, rgb
from wsss_steps.nets import vit

KEYS: dict[str, Any] = {"vit": "own", "input_mode": "pad", "image_scale": 1.0}


def test_rgb_is_the_mean_colour_of_each_cell_from_the_mean_of_the_image() -> None:
    image = np.zeros((8, 12, 3), np.uint8)
    image[:, :8] = (200, 40, 40)
    image[:, 8:] = (40, 40, 200)  # the last column of cells is half as wide
    item = rgb.extractor(None, "cpu", cell=8)(image)
    red, blue = rgb2lab(image[:1, :1])[0, 0], rgb2lab(image[:1, -1:])[0, 0]
    assert item["features"].shape == (1, 2, 3)
    assert item["extent"].tolist() == [8.0, 16.0]
    np.testing.assert_allclose(item["features"][0, 0], (red - blue) / 2, rtol=2e-3)
    np.testing.assert_allclose(item["features"][0, 1], (blue - red) / 2, rtol=2e-3)


def test_rgb_of_a_plain_image_is_zero() -> None:
    assert not rgb.extractor(None, "cpu", cell=4)(np.full((9, 7, 3), 90, np.uint8))["features"].any()


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    shape = vit.Shape(patch=4, width=12, depth=2, heads=3, image_size=16)
    content = {**vars(shape), "mean": [0.5] * 3, "std": [0.25] * 3}
    formats.write_weights(tmp_path / "own.safetensors", "vit", vit.build(shape).state_dict(), content=content, stamp="")
    return tmp_path / "own.safetensors"


def test_centred_keys_differ_by_the_mean_key_alone(weights: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (13, 18, 3), dtype=np.uint8)
    plain = keys.extractor(weights, "cpu", **KEYS, centre=False)(image)["features"].astype(np.float64)
    centred = keys.extractor(weights, "cpu", **KEYS, centre=True)(image)["features"].astype(np.float64)
    assert plain.shape == (4, 5, 12)
    np.testing.assert_allclose(centred, plain - plain.mean(axis=(0, 1)), atol=2e-3)


def test_own_keys_need_weights() -> None:
    with pytest.raises(UserError, match="vit: own needs weights: pretrain_keys or a file made by it"):
        keys.extractor(None, "cpu", **KEYS, centre=False)


def test_backbone_features_are_positive_until_centred() -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 40, 3), dtype=np.uint8)
    spec = {"net": "small", "weights": "none", "mean": [0.5] * 3, "std": [0.25] * 3, "options": {}}
    chosen: dict[str, Any] = {"backbone": spec, "output_stride": 8, "image_scale": 1.0}
    plain = backbone.extractor(None, "cpu", **chosen, centre=False)(image)
    centred = backbone.extractor(None, "cpu", **chosen, centre=True)(image)
    assert plain["features"].shape[:2] == (3, 5)
    assert plain["extent"].tolist() == [24.0, 40.0]
    assert plain["features"].min() >= 0
    assert centred["features"].min() < 0
