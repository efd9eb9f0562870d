"""The multi-scale map against sums by hand, and mirror symmetry."""

import functools
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from wsss_steps.methods.cams import _shared
from wsss_steps.methods.cams.cam import raw_maps
from wsss_steps.methods.classifier import plain
from wsss_steps.nets.backbones import Backbone
from wsss_steps.nets.classifier import MapClassifier
from wsss_steps.settings.base import Backbone as Spec

OPTIONS: dict[str, Any] = {
    "mean": (0.0, 0.0, 0.0),
    "std": (1.0, 1.0, 1.0),
    "scales": (1.0,),
    "flip": True,
    "resolution": "full",
    "merge": "sum",
}


class_maps = functools.partial(_shared.multi_scale, raw_maps)


class Shift(nn.Module):
    """Every value moves one column to the right: a network that prefers a side."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[int, int]] = []

    def forward(self, images: Tensor) -> Tensor:
        self.seen.append((images.shape[2], images.shape[3]))
        return nn.functional.pad(images, (1, 0))[..., :-1]


def colour_classifier(features: nn.Module) -> MapClassifier:
    """Class 1 is red, class 2 green, class 3 blue less red."""
    network = MapClassifier(Backbone(features, channels=3, output_stride=1, stages=[]), 3)
    weights = torch.tensor([[1.0, 0, 0], [0, 1, 0], [-1, 0, 1]])
    network.head.weight.data = weights.reshape(3, 3, 1, 1)
    return network


def test_image_and_mirror_image_by_hand() -> None:
    image = np.zeros((1, 4, 3), np.uint8)
    image[0, :, 0] = (0, 255, 102, 51)
    # Shifted red 0, 0, 1, .4; the mirror image .2, .4, 1, 0 shifted is 0, .2, .4, 1, mirrored back 1, .4, .2, 0.
    maps = class_maps(colour_classifier(Shift()), image, np.array([1], np.uint8), **OPTIONS)
    assert maps.dtype == np.float32
    assert maps[0, 0] == pytest.approx(np.array([1, 0.4, 1.2, 0.4]) / 1.2, abs=1e-6)
    alone = class_maps(colour_classifier(Shift()), image, np.array([1], np.uint8), **OPTIONS | {"flip": False})
    assert alone[0, 0] == pytest.approx([0, 0, 1, 0.4], abs=1e-6)


def test_the_maximum_over_scales_by_hand() -> None:
    """Eq. 2.4 on a row of red 0, 1, .4, .2: at half the size it is two cells of any value; the larger wins."""
    image = np.zeros((2, 8, 3), np.uint8)
    image[:, 2:4, 0] = 255
    options = OPTIONS | {"flip": False}
    network, present = colour_classifier(nn.Identity()), np.array([1])
    one, half, both = (
        class_maps(network, image, present, **options | {"scales": scales, "merge": "max"})
        for scales in ((1.0,), (0.5,), (1.0, 0.5))
    )
    assert one[0, 0] == pytest.approx([0, 0, 1, 1, 0, 0, 0, 0], abs=1e-6)
    assert half.max() == 1
    assert both[0, 0, 2:4] == pytest.approx([1, 1], abs=0.1)
    assert both[0, 0, 1] > 0.1  # seen only at half the size
    with pytest.raises(ValueError, match="expected sum or max, found 'mean'"):
        class_maps(network, image, present, **options | {"merge": "mean"})


def test_only_present_classes_in_their_order_each_with_maximum_1() -> None:
    image = np.zeros((6, 8, 3), np.uint8)
    image[0, 0] = (200, 0, 0)
    image[5, 7] = (0, 0, 30)
    maps = class_maps(colour_classifier(nn.Identity()), image, np.array([1, 3], np.uint8), **OPTIONS)
    assert maps.shape == (2, 6, 8)
    assert [np.unravel_index(map_.argmax(), map_.shape) for map_ in maps] == [(0, 0), (5, 7)]
    assert maps.max((1, 2)).tolist() == [1, 1]
    assert maps.min() == 0  # the ReLU: class 3 is negative at the red pixel
    absent = class_maps(colour_classifier(nn.Identity()), image, np.array([2], np.uint8), **OPTIONS)
    assert (absent == 0).all()


def test_rows_columns_and_channels_keep_their_places() -> None:
    """A hand-made classifier on a photograph with one corner of each colour."""
    image = np.zeros((5, 9, 3), np.uint8)
    image[:2, :3, 0], image[:2, -3:, 1], image[-2:, :3, 2] = 255, 255, 255
    maps = class_maps(colour_classifier(nn.Identity()), image, np.array([1, 2, 3]), **OPTIONS | {"scales": (1.0, 2.0)})
    assert maps[0, 0, 0] == maps[1, 0, -1] == maps[2, -1, 0] == 1
    assert maps[0, -1].max() == maps[0, :, -1].max() == maps[1, :, 0].max() == maps[2, 0].max() == 0


def test_images_are_read_at_every_scale() -> None:
    features = Shift()
    image = np.random.default_rng(0).integers(0, 256, (375, 500, 3), dtype=np.uint8)
    options = OPTIONS | {"scales": (1.0, 0.5, 1.5, 0.001), "resolution": "strided"}
    maps = class_maps(colour_classifier(features), image, np.array([1]), **options)
    assert maps.shape == (1, 94, 125)
    assert features.seen == [(375, 500), (188, 250), (562, 750), (1, 1)]


@pytest.mark.parametrize("resolution", ["full", "strided"])
def test_the_mirrored_image_has_the_mirrored_map(resolution: str) -> None:
    torch.manual_seed(0)
    backbone = Spec(net="small").model_dump(mode="json")
    network = plain.build(
        2, backbone=backbone, output_stride=8, dilated=True, frozen_stages=0, frozen_batch_norm="none"
    )
    image = np.random.default_rng(0).integers(
        0, 256, (29, 48, 3), dtype=np.uint8
    )  # width: whole cells, so that nothing is cut
    options = OPTIONS | {"scales": (1.0, 0.5, 1.5), "resolution": resolution}
    present = np.array([1, 2])
    maps = class_maps(network, image, present, **options)
    mirrored = class_maps(network, np.ascontiguousarray(image[:, ::-1]), present, **options)
    assert maps.std() > 0.01
    assert mirrored == pytest.approx(maps[..., ::-1], abs=1e-4)


@pytest.mark.parametrize(("resolution", "shape"), [("full", (0, 5, 9)), ("strided", (0, 2, 3))])
def test_an_image_without_tags_has_no_maps(resolution: str, shape: tuple[int, ...]) -> None:
    image = np.zeros((5, 9, 3), np.uint8)
    maps = class_maps(
        colour_classifier(nn.Identity()), image, np.array([], np.uint8), **OPTIONS | {"resolution": resolution}
    )
    assert maps.shape == shape
    assert maps.dtype == np.float32
