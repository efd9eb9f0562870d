"""Each refiner on an image whose object is known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from wsss_steps import methods
from wsss_steps.data.manifest import Entry
from wsss_steps.formats.weights import write_weights
from wsss_steps.methods.refiner import scg
from wsss_steps.methods.refiner._shared import at_cells, by_network
from wsss_steps.nets.backbones import build_backbone
from wsss_steps.nets.stage_outputs import stage_outputs
from wsss_steps.processes import now
from wsss_steps.settings import crf
from wsss_steps.settings.base import Backbone
from wsss_steps.settings.classifier import PlainClassifier
from wsss_steps.settings.registry import METHODS

HEIGHT, WIDTH = 32, 48
OBJECT = (slice(8, 24), slice(8, 28))


@pytest.fixture
def entry(tmp_path: Path) -> Entry:
    """A red object on green, and maps that know one half of it."""
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[..., 1] = 200
    pixels[OBJECT] = (200, 0, 0)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    return Entry("a", "train", str(tmp_path / "a.png"), HEIGHT, WIDTH, (2,))


def maps() -> np.ndarray:
    found = np.zeros((1, HEIGHT, WIDTH), np.float32)
    found[0, 8:24, 8:18] = 1
    return found


def given(cam: np.ndarray) -> dict[str, dict[str, Any]]:
    ids = np.ones((HEIGHT, WIDTH), np.uint16)
    ids[OBJECT] = 2
    return {"cams": {"cam": cam, "class": np.array([2], np.uint8)}, "superpixels": {"superpixels": ids}}


def test_a_network_reads_the_pixels_that_it_expects(entry: Entry) -> None:
    """Green of 200 of 255 in the corner: each channel minus its own mean, over its own deviation."""
    content = {"network": {"backbone": {"mean": (0.1, 0.2, 0.3), "std": (0.5, 0.25, 0.125)}}}
    seen = []

    def refine(entry: Entry, pixels: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
        seen.append(pixels)
        return before / 2

    found = by_network(content, "cpu", refine)(entry, given(maps()))
    assert seen[0].shape == (1, 3, HEIGHT, WIDTH)
    assert seen[0][0, :, 0, 0].tolist() == pytest.approx([-0.2, (200 / 255 - 0.2) / 0.25, -2.4])
    assert np.array_equal(found, maps() / 2)


@pytest.fixture
def classifier(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    spec = Backbone(net="small").model_dump(mode="json")
    settings = PlainClassifier(backbone=Backbone(net="small"), output_stride=8, frozen_batch_norm="none")
    options = methods.arguments(methods.load("classifier", "plain").build, settings.model_dump(mode="json"))
    network = methods.load("classifier", "plain").build(2, **options | {"backbone": spec})
    content = {"method": "plain", "num_classes": 2, "classes": ["a", "b"], "network": options | {"backbone": spec}}
    write_weights(tmp_path / "c.safetensors", "classifier", network.state_dict(), content=content, stamp="{}")
    return tmp_path / "c.safetensors"


def refiner(name: str, classifier: Path, **changes: Any) -> Callable[..., np.ndarray]:
    cls = next(cls for cls in METHODS["refiner"] if cls.model_fields["method"].default == name)
    settings = cls(**changes).model_dump(mode="json")
    settings |= {"crf": crf.numbers(settings["crf"])} if "crf" in settings else {}
    make = methods.load("refiner", name).maker
    table = settings | {"device": "cpu", "classes": ["a", "b"], "classifier": classifier}
    refined = make(**methods.arguments(make, table))
    return lambda *given: now(refined(*given))


@pytest.mark.parametrize("name", ["pamr", "par", "superpixel"])
def test_the_map_reaches_the_rest_of_the_object_and_not_beyond(name: str, entry: Entry, classifier: Path) -> None:
    found = refiner(name, classifier)(entry, given(maps()))[0]
    unknown, beyond = found[10:22, 19:26].mean(), found[10:22, 32:].mean()
    assert unknown > 0.05
    assert beyond < unknown / 5


def test_the_undecided_rest_of_an_object_follows_its_decided_part_in_the_crf(entry: Entry, classifier: Path) -> None:
    cam = maps() * 0.9
    cam[0, 8:24, 18:28] = 0.45
    found = refiner("crf", classifier)(entry, given(cam))[0]
    assert found[10:22, 19:26].min() > 0.9
    assert found[:, 32:].max() < 0.1
    assert np.allclose(refiner("crf", classifier, crf="none")(entry, given(cam)), cam)
    darker = refiner("crf", classifier, crf="none", background_power=0.1)(entry, given(cam))
    assert np.allclose(darker, cam)  # without a CRF the background changes nothing
    assert refiner("crf", classifier, background_power=0.1)(entry, given(cam))[0, 10:22, 19:26].max() < 0.9


@pytest.mark.parametrize("cell", [1, 4])
def test_scg_localises_what_is_like_the_sure_positions(cell: int, entry: Entry, classifier: Path) -> None:
    cam = maps()
    cam[0, 8:24, 18:28] = 0.2  # neither surely of the class nor surely not
    cam = cam[:, ::cell, ::cell]
    found = refiner("scg", classifier)(entry, given(cam))
    assert found.shape == cam.shape
    assert found.dtype == np.float32
    inside, outside = found[0, 10 // cell : 22 // cell, 19 // cell : 26 // cell], found[0, :, 40 // cell :]
    assert inside.mean() > 0.02  # the network is random: it tells colours apart, but not by much
    assert outside.mean() < inside.mean() / 5
    none = refiner("scg", classifier, foreground=1.0)(entry, given(cam))
    assert (none == 0).all()


def test_scg_pools_feature_maps_that_are_too_large(entry: Entry, classifier: Path) -> None:
    backbone = methods.rebuild("classifier", classifier)[0].backbone
    images = torch.zeros(1, 3, 36, 50)
    layers, stride = scg.grids_of(backbone, images, 2, 4096)
    assert ([layer.shape[1:] for layer in layers], stride) == ([(5, 7), (5, 7)], 8)
    layers, stride = scg.grids_of(backbone, images, 2, 12)
    assert ([layer.shape[1:] for layer in layers], stride) == ([(3, 4), (3, 4)], 16)
    assert refiner("scg", classifier, positions=4)(entry, given(maps())).shape == (1, HEIGHT, WIDTH)


def test_maps_at_cells_are_means_beyond_the_image_of_its_edge() -> None:
    ramp = torch.arange(6.0).expand(1, 4, 6)
    assert at_cells(ramp, (4, 6), 4)[0, 0].tolist() == [1.5, 4.75]
    assert at_cells(ramp[:, ::4], (4, 6), 4).shape == (1, 1, 2)


def test_outputs_of_stages_are_those_that_the_network_passes_on() -> None:
    backbone = build_backbone("small", output_stride=8, options={}).eval()
    images = torch.randn(1, 3, 16, 24)
    found = stage_outputs(backbone, images, 3)
    assert [tuple(one.shape[1:]) for one in found] == [(32, 4, 6), (64, 2, 3), (128, 2, 3)]
    assert torch.equal(found[-1], backbone(images))
    assert torch.equal(backbone.stages[-1][0](found[1]), found[2])
    assert len(stage_outputs(backbone, images, 9)) == 4
    assert not any(module._forward_hooks for module in backbone.modules())
