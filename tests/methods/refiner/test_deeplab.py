"""The refiner deeplab: what is made of the logits of its network, worked by hand."""

from __future__ import annotations

from collections.abc import Callable
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from wsss_steps import methods
from wsss_steps.data.manifest import Entry
from wsss_steps.methods.refiner import deeplab

HEIGHT, WIDTH, STRIDE = 8, 12, 4
LOGITS = torch.tensor([0.0, log(2), 9.0, log(3)])  # of background and classes 1, 2, 3

Network = Callable[[Tensor], Tensor]


class Given(nn.Module):
    """A network of the given function, with cells of 4 px."""

    stride = STRIDE

    def __init__(self, function: Network) -> None:
        super().__init__()
        self.function = function

    def forward(self, images: Tensor) -> Tensor:
        return self.function(images)


def even(images: Tensor) -> Tensor:
    """The same logits everywhere."""
    size = [-(-side // STRIDE) for side in images.shape[-2:]]
    return LOGITS[None, :, None, None].expand(1, 4, *size)


def left(images: Tensor) -> Tensor:
    """Twice these logits in the left column, and 0 in the others."""
    return 2 * even(images) * (torch.arange(images.shape[-1] // STRIDE) == 0)


@pytest.fixture
def refined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., np.ndarray]:
    """Maps by a network that is given, of a black image."""
    Image.new("RGB", (WIDTH, HEIGHT)).save(tmp_path / "x.png")
    content = {"network": {"backbone": {"mean": (0, 0, 0), "std": (1, 1, 1)}}}

    def run(network: Network, before: np.ndarray, tags: tuple[int, ...] = (1, 3), **options: Any) -> np.ndarray:
        monkeypatch.setattr(methods, "rebuild", lambda *_: (Given(network), content))
        entry = Entry("x", "train", str(tmp_path / "x.png"), HEIGHT, WIDTH, tags)
        options = {"scales": (1.0,), "mirror": False} | options
        make = deeplab.maker(refiner=tmp_path, classes=["a", "b", "c"], device="cpu", **options)
        return make(entry, {"cams": {"cam": before}})

    return run


def test_tagged_classes_and_background_share_the_probability(refined: Callable[..., np.ndarray]) -> None:
    # exp of the logits of background, 1 and 3: 1, 2 and 3; class 2, which has no tag, has no part in it
    found = refined(even, np.ones((2, 4, 6), np.float32), scales=(1.0, 0.5))
    assert found.shape == (2, 4, 6)
    assert found[0] == pytest.approx(np.full((4, 6), 2 / 6))
    assert found[1] == pytest.approx(np.full((4, 6), 3 / 6))


def test_logits_are_averaged_with_those_of_the_mirror_image(refined: Callable[..., np.ndarray]) -> None:
    # at both edges the mean of twice the logits and 0; in the middle 0, which is a third for each label
    found = refined(left, np.ones((2, HEIGHT, WIDTH), np.float32), mirror=True)
    assert found[:, 0, 0] == pytest.approx([2 / 6, 3 / 6])
    assert found[:, -1, -1] == pytest.approx([2 / 6, 3 / 6])
    assert found == pytest.approx(found[..., ::-1])
    alone = refined(left, np.ones((2, HEIGHT, WIDTH), np.float32))
    assert alone[:, 0, 0] == pytest.approx([4 / 14, 9 / 14])
    assert alone[:, -1, -1] == pytest.approx([1 / 3, 1 / 3])


def test_a_map_of_zeros_stays_so_and_no_tag_means_no_map(refined: Callable[..., np.ndarray]) -> None:
    before = np.ones((2, 4, 6), np.float32)
    before[0] = 0
    found = refined(even, before)
    assert not found[0].any()
    assert found[1] == pytest.approx(np.full((4, 6), 3 / 6))
    assert refined(even, np.ones((0, 4, 6), np.float32), tags=()).shape == (0, 4, 6)
