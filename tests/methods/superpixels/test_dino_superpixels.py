"""Discovered superpixels of an image: seeds keep to their superpixels through upsampling and CRF."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from wsss_steps.data.manifest import Entry
from wsss_steps.errors import UserError
from wsss_steps.methods.superpixels.dino import maker
from wsss_steps.processes import now
from wsss_steps.settings import crf

IMAGE = np.random.default_rng(0).integers(0, 256, (30, 38, 3), np.uint8)


Superpixels = Callable[..., dict[str, np.ndarray]]


@pytest.fixture
def superpixels(saved: Callable[[np.ndarray], Entry]) -> Superpixels:
    """What the method makes of an image and its features."""

    def made(image: np.ndarray, *, features: dict[str, np.ndarray], **settings: Any) -> dict[str, np.ndarray]:
        return now(maker(**settings)(saved(image), {"features": features}))

    return made


def item(features: np.ndarray, *extent: float) -> dict[str, np.ndarray]:
    return {"features": features.astype(np.float16), "extent": np.array(extent, np.float32)}


def test_every_superpixel_holds_the_middle_of_its_seed_patch(superpixels: Superpixels) -> None:
    features = np.random.default_rng(1).normal(size=(4, 5, 6))
    found = superpixels(IMAGE, features=item(features, 32, 40), tau=0.3, order="lowest", crf=None)
    ids, seeds = found["superpixels"], found["seed_patches"]
    assert (ids.shape, ids.dtype, seeds.dtype) == ((30, 38), np.uint16, np.int32)
    assert np.array_equal(np.unique(ids), np.arange(1, len(seeds) + 1))
    rows, columns = np.divmod(seeds, 5)
    assert np.array_equal(ids[rows * 8 + 4, columns * 8 + 4], np.arange(1, len(seeds) + 1))


def test_ids_are_in_the_order_of_discovery(superpixels: Superpixels) -> None:
    features = np.eye(3)[[[0, 0, 0], [1, 1, 2]]]  # groups of 3, 2 and 1 patches: the smallest comes first
    found = superpixels(np.zeros((2, 3, 3), np.uint8), features=item(features, 2, 3), tau=0.3, order="lowest", crf=None)
    assert found["superpixels"].tolist() == [[3, 3, 3], [2, 2, 1]]
    assert found["seed_patches"].tolist() == [5, 3, 0]


def test_patches_smaller_than_pixels_leave_no_gaps(superpixels: Superpixels) -> None:
    features = np.eye(4)[None]  # four superpixels, two of which contain the centre of a pixel
    found = superpixels(np.zeros((1, 2, 3), np.uint8), features=item(features, 1, 2), tau=0.3, order="lowest", crf=None)
    assert found["superpixels"].tolist() == [[1, 2]]
    assert found["seed_patches"].tolist() == [1, 3]


def test_a_superpixel_that_the_crf_takes_away_leaves_no_gap(superpixels: Superpixels) -> None:
    """A plain square with one patch that differs only in features: the CRF gives its pixels to the colour around it."""
    image = np.full((32, 32, 3), 40, np.uint8)
    image[:, 16:] = 200
    features = np.eye(3)[np.repeat([[0, 0, 1, 1]], 4, axis=0)]
    features[1, 0] = [0, 0, 1]
    plain = superpixels(image, features=item(features, 32, 32), tau=0.3, order="lowest", crf=None)
    assert plain["seed_patches"].tolist() == [4, 0, 2]
    preset = crf.numbers("probability")
    refined = superpixels(image, features=item(features, 32, 32), tau=0.3, order="lowest", crf=preset)
    assert refined["seed_patches"].tolist() == [0, 2]
    assert np.array_equal(refined["superpixels"], np.repeat([[1] * 16 + [2] * 16], 32, axis=0))


def test_one_superpixel_needs_no_crf(superpixels: Superpixels) -> None:
    preset = crf.numbers("superpixel")
    found = superpixels(IMAGE, features=item(np.ones((4, 5, 6)), 32, 40), tau=0.3, order="lowest", crf=preset)
    assert (found["superpixels"] == 1).all()
    assert found["seed_patches"].tolist() == [0]


def test_order_and_tau_are_used(superpixels: Superpixels) -> None:
    features = np.random.default_rng(1).normal(size=(4, 5, 6))
    numbers = [
        len(superpixels(IMAGE, features=item(features, 32, 40), tau=tau, order="lowest", crf=None)["seed_patches"])
        for tau in (0.0, 0.9)
    ]
    assert numbers[0] < numbers[1] == 20
    angles = np.radians([[0, 10, 25, 110, 205]])
    fan = item(np.stack([np.cos(angles), np.sin(angles)], axis=-1), 1, 5)
    found = superpixels(np.zeros((1, 5, 3), np.uint8), features=fan, tau=0.0, order="highest", crf=None)
    assert found["superpixels"].tolist() == [[1, 1, 1, 1, 2]]


def test_guards(superpixels: Superpixels) -> None:
    with pytest.raises(UserError, match="span the image's width of 38 px, found that it spans 80 px"):
        superpixels(IMAGE, features=item(np.ones((4, 5, 6)), 32, 80), tau=0.3, order="lowest", crf=None)
