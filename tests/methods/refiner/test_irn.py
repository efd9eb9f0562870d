"""The refiner irn with a network of random weights: what holds whatever the boundaries are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from wsss_steps import methods
from wsss_steps.data.manifest import Entry
from wsss_steps.formats.weights import write_weights
from wsss_steps.methods.refiner import irn
from wsss_steps.settings.base import Backbone
from wsss_steps.settings.refiner import Irn

CLASSES = ["a", "b"]


@pytest.fixture
def network(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    backbone = Backbone(net="small").model_dump(mode="json")
    settings = Irn(backbone=Backbone(net="small"), output_stride=8, frozen_stages=0, frozen_batch_norm="none")
    options = methods.arguments(irn.build, settings.model_dump(mode="json")) | {"backbone": backbone}
    content = {"method": "irn", "num_classes": 2, "classes": CLASSES, "network": options}
    state = irn.build(2, **options).state_dict()
    write_weights(tmp_path / "irn.safetensors", "refiner", state, content=content, stamp="{}")
    return tmp_path / "irn.safetensors"


def refined(network: Path, pixels: np.ndarray, maps: np.ndarray, **changes: Any) -> np.ndarray:
    path = network.with_name("image.png")
    Image.fromarray(pixels).save(path)
    entry = Entry("image", "train", str(path), *pixels.shape[:2], (1, 2))
    options = {"radius": 3, "beta": 10.0, "log_t": 4} | changes
    make = irn.maker(refiner=network, classes=CLASSES, device="cpu", **options)
    return make(entry, {"cams": {"cam": maps, "class": np.array([1, 2], np.uint8)}})


def scene(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    maps = np.zeros((2, height, width), np.float32)
    maps[0, 4:20, 4:20], maps[1, -8:, -8:] = 1, 0.25
    return generator.integers(0, 256, (height, width, 3), np.uint8), maps


@pytest.mark.parametrize("size", [(32, 48), (37, 50), (21, 70)])
def test_the_largest_number_of_all_maps_is_one_whatever_the_size_of_the_image(
    network: Path, size: tuple[int, int]
) -> None:
    pixels, maps = scene(*size)
    found = refined(network, pixels, maps)
    assert found.shape == maps.shape
    assert found[0].max() == 1
    assert 0.05 < found[1].max() < 0.5
    assert refined(network, pixels, maps[:, ::4, ::4]).max() == 1


def test_the_mirror_image_gives_mirrored_maps(network: Path) -> None:
    """Its boundaries are averaged with those of the image, so even random ones are symmetric."""
    pixels, maps = scene(32, 48)
    other = refined(network, np.ascontiguousarray(pixels[:, ::-1]), np.ascontiguousarray(maps[..., ::-1]))
    assert other[..., ::-1] == pytest.approx(refined(network, pixels, maps), abs=1e-4)


def test_more_steps_go_further(network: Path) -> None:
    pixels, maps = scene(32, 48)
    near, far = (refined(network, pixels, maps, log_t=log_t)[0] for log_t in (1, 6))
    assert far[:, 30:].mean() > 2 * near[:, 30:].mean()
