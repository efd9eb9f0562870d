"""DRS's refinement network: its layers, what it learns, and what is made of its output."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from wsss_steps import methods
from wsss_steps.data.manifest import Entry
from wsss_steps.methods.refiner import drs_refine
from wsss_steps.settings.base import Backbone
from wsss_steps.settings.refiner import DrsRefine

HEIGHT, WIDTH = 16, 24


def build(net: str = "vgg16", **overrides: Any) -> Any:
    torch.manual_seed(0)
    settings = DrsRefine(backbone=Backbone(net=net), **overrides).model_dump(mode="json")
    return drs_refine.build(3, **methods.arguments(drs_refine.build, settings))


def test_it_is_the_classifier_with_plain_relus() -> None:
    network = build()
    layers = [type(layer) for layer in network.head]
    assert layers == [nn.Conv2d, nn.ReLU] * 3 + [nn.Conv2d]
    assert [layer.out_channels for layer in network.head if isinstance(layer, nn.Conv2d)] == [512, 512, 512, 3]
    assert isinstance(network.backbone.net.features[-1], nn.Identity)  # no pool5
    for layer in (layer for layer in network.head if isinstance(layer, nn.Conv2d)):
        assert layer.weight.std().item() == pytest.approx(0.01, rel=0.05)
        assert not layer.bias.any()


@pytest.mark.parametrize("size", [(32, 48), (33, 50)])
def test_its_maps_have_the_size_of_the_image_and_no_activation(size: tuple[int, int]) -> None:
    network = build("small", frozen_batch_norm="none", init_std=0.3, width=8).eval()
    found = network(torch.rand(2, 3, *size))
    assert found.shape == (2, 3, *size)
    assert (found < 0).any()
    assert (found > 0).any()


def test_padding_does_not_teach_and_the_weaker_class_is_0() -> None:
    network = build("small", frozen_batch_norm="all", init_std=0.3, width=8)
    maps = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    inside = torch.ones(2, 16, 16, dtype=torch.bool)
    inside[:, 8:] = False
    batch = {"images": torch.rand(2, 3, 16, 16), "maps": maps, "inside": inside}
    (loss,) = drs_refine.losses(network, batch).values()
    other = maps.clone()
    other[:, :, 8:] = 0.5
    assert drs_refine.losses(network, batch | {"maps": other})["maps"] == loss
    weaker = torch.where(maps == maps.amax(1, keepdim=True), maps, maps / 2)
    assert drs_refine.losses(network, batch | {"maps": weaker})["maps"] == loss
    assert drs_refine.losses(network, batch | {"maps": maps / 2})["maps"] != loss


@pytest.fixture
def refined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., np.ndarray]:
    """Maps by a network that is given, of an image that is red on the left and has tags 1 and 3."""
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[:, : WIDTH // 2, 0] = 255
    Image.fromarray(pixels).save(tmp_path / "x.png")
    entry = Entry("x", "train", str(tmp_path / "x.png"), HEIGHT, WIDTH, (1, 3))
    content = {"network": {"backbone": {"mean": (0, 0, 0), "std": (1, 1, 1)}}}

    def run(network: Callable[[Tensor], Tensor], before: np.ndarray, **options: Any) -> np.ndarray:
        class Given(nn.Module):
            def forward(self, images: Tensor) -> Tensor:
                return network(images)

        monkeypatch.setattr(methods, "rebuild", lambda *_: (Given(), content))
        options = {"scales": (1.0,), "mirror": False} | options
        make = drs_refine.maker(refiner=Path("r"), classes=["a", "b", "c"], device="cpu", **options)
        return make(entry, {"cams": {"cam": before, "class": np.array([1, 3], np.uint8)}})

    return run


def test_maps_are_those_of_the_tagged_classes_cut_to_0_and_1(refined: Callable[..., np.ndarray]) -> None:
    """Class 1 has 2 x red - 0.5, class 2 has 9, class 3 has 0.25."""

    def network(images: Tensor) -> Tensor:
        red = images[:, :1]
        return torch.cat([2 * red - 0.5, torch.full_like(red, 9), torch.full_like(red, 0.25)], dim=1)

    found = refined(network, np.ones((2, HEIGHT, WIDTH), np.float32))
    assert found[0, :, : WIDTH // 2].tolist() == np.ones((HEIGHT, WIDTH // 2)).tolist()
    assert not found[0, :, WIDTH // 2 :].any()
    assert (found[1] == np.float32(0.25)).all()
    assert refined(network, np.ones((2, 4, 6), np.float32)).shape == (2, 4, 6)


def test_a_map_that_was_0_everywhere_stays_so(refined: Callable[..., np.ndarray]) -> None:
    before = np.zeros((2, HEIGHT, WIDTH), np.float32)
    before[1, 0, 0] = 0.1
    found = refined(lambda images: torch.ones(len(images), 3, *images.shape[-2:]), before)
    assert not found[0].any()
    assert (found[1] == 1).all()


def test_the_largest_over_scales_and_mirror_image(refined: Callable[..., np.ndarray]) -> None:
    """A network whose maps are the width of what it reads, over 100, on the left; nothing on the right."""

    def network(images: Tensor) -> Tensor:
        maps = torch.full((len(images), 3, *images.shape[-2:]), images.shape[-1] / 100)
        maps[..., images.shape[-1] // 2 :] = 0
        return maps

    before = np.ones((2, HEIGHT, WIDTH), np.float32)
    for scales, most in (((1.0,), 0.24), ((1.0, 2.0), 0.48), ((0.5, 1.0), 0.24)):
        found = refined(network, before, scales=scales)
        assert found.max() == pytest.approx(most)
        assert not found[..., WIDTH // 2 + 1 :].any()
    both = refined(network, before, mirror=True)
    assert both == pytest.approx(np.full_like(both, 0.24))
