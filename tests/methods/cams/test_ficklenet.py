"""FickleNet's maps: the plain expansion and gradients as an oracle, Grad-CAM where nothing is dropped, draws."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from expansion import convolved
from PIL import Image

from wsss_steps import methods
from wsss_steps.data.images import normalise, read_image
from wsss_steps.data.manifest import Entry
from wsss_steps.errors import UserError
from wsss_steps.formats.weights import write_weights
from wsss_steps.methods.cams import _shared, ficklenet, gradcam
from wsss_steps.ops.cam import merge_scales, normalise_maps
from wsss_steps.ops.gradcam import weighted_features
from wsss_steps.settings.base import Backbone

CLASSES = ("a", "b", "c")
TAGS = (1, 3)
NORM = {"mean": (0.5,) * 3, "std": (0.5,) * 3}
NETWORK: dict[str, Any] = {
    "backbone": Backbone(net="small", **NORM).model_dump(mode="json"),
    "output_stride": 8,
    "dilated": True,
    "frozen_stages": 0,
    "frozen_batch_norm": "none",
}
HEAD: dict[str, Any] = {"window": 3, "dropout": 0.5, "form": "centre_preserving", "rescale": False}
OPTIONS: dict[str, Any] = {
    "scales": (1.0,),
    "flip": True,
    "resolution": "full",
    "merge": "sum",
    "pool_grad": False,
    "passes": 5,
    "aggregate": "largest",
    "theta": 0.35,
    "seed": 0,
}


@pytest.fixture(scope="module")
def entry(tmp_path_factory: pytest.TempPathFactory) -> Entry:
    path = tmp_path_factory.mktemp("images") / "x.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (29, 48, 3), dtype=np.uint8)).save(path)
    return Entry("x", "train", str(path), 29, 48, TAGS)


def weights_file(folder: Path, method: str = "ficklenet", **head: Any) -> Path:
    torch.manual_seed(0)
    build = NETWORK | head
    network = methods.load("classifier", method).build(3, **build)
    content = {"method": method, "num_classes": 3, "classes": list(CLASSES), "network": build}
    write_weights(folder / "x.safetensors", "classifier", network.state_dict(), content=content, stamp="")
    return folder / "x.safetensors"


def maps(classifier: Path, entry: Entry, **options: Any) -> np.ndarray:
    given = {"classifier": classifier, "classes": CLASSES, "device": "cpu"}
    return ficklenet.maker(**given, **(OPTIONS | options))(entry, {})


def one_pass(network: Any, images: torch.Tensor, weights: torch.Tensor, *, pool_grad: bool) -> torch.Tensor:
    """Maps of an image and its mirror image by the expansion and a backward pass per class."""
    features = network.backbone(images).detach().requires_grad_()
    drawn = weights.expand(2, -1, -1, -1)
    scores = convolved(features, network.head.conv.weight, drawn).mean(dim=(2, 3)).sum(0)
    found = []
    for tag in TAGS:
        (gradients,) = torch.autograd.grad(scores[tag - 1], features, retain_graph=True)
        found.append(weighted_features(features.detach(), gradients, pool_grad=pool_grad))
    both = torch.stack(found, dim=1).relu()
    merge = {"resolution": "full", "output_stride": 8, "merge": "sum"}
    return normalise_maps(merge_scales([both[0] + both[1].flip(-1)], 29, 48, **merge))


@pytest.mark.parametrize("pool_grad", [False, True])
@pytest.mark.parametrize("form", ["centre_preserving", "general"])
def test_maps_are_those_of_the_expansion_and_of_gradients(
    form: str, pool_grad: bool, entry: Entry, tmp_path: Path
) -> None:
    """Of five passes, whose draws are those of the image; the paper's rule in plain loops."""
    path = weights_file(tmp_path, **(HEAD | {"form": form}))
    network, _ = methods.rebuild("classifier", path)
    pixels = torch.from_numpy(normalise(read_image(Path(entry.image)), **NORM))
    images, generator = torch.stack([pixels, pixels.flip(-1)]), ficklenet.generator_of(0, "x")
    draws = [network.head.weights(1, (4, 6), generator) for _ in range(5)]
    passes = np.stack([one_pass(network, images, one, pool_grad=pool_grad).numpy() for one in draws])
    assert passes.std(axis=0).max() > 0.05
    largest, mean = passes.max(0), passes.mean(0)
    expected = largest.copy()
    for y, x in np.ndindex(29, 48):
        if (largest[:, y, x] > 0.35).all():
            expected[mean[:, y, x].argmin(), y, x] = 0.35
    assert (expected != largest).any()
    assert maps(path, entry, pool_grad=pool_grad) == pytest.approx(expected, abs=1e-5)
    means = mean / mean.max(axis=(1, 2), keepdims=True)
    assert maps(path, entry, pool_grad=pool_grad, aggregate="mean") == pytest.approx(means, abs=1e-5)


@pytest.mark.parametrize("aggregate", ["largest", "mean"])
@pytest.mark.parametrize("pool_grad", [False, True])
def test_it_is_gradcam_at_several_scales_if_nothing_is_dropped(
    aggregate: str, pool_grad: bool, entry: Entry, tmp_path: Path
) -> None:
    path = weights_file(tmp_path, **(HEAD | {"form": "none"}))
    network, _ = methods.rebuild("classifier", path)
    options = {"scales": (1.0, 0.5), "flip": True, "resolution": "strided", "merge": "max"}
    raw = functools.partial(gradcam.raw_maps, pool_grad=pool_grad)
    expected = _shared.multi_scale(raw, network, read_image(Path(entry.image)), np.array(TAGS), **NORM, **options)
    found = maps(path, entry, **options, pool_grad=pool_grad, aggregate=aggregate, theta=1.0)
    assert found == pytest.approx(expected, abs=1e-5)


def test_draws_follow_from_the_seed_and_the_image(entry: Entry, tmp_path: Path) -> None:
    path = weights_file(tmp_path, **HEAD)
    once, again = (maps(path, entry) for _ in range(2))
    assert np.array_equal(once, again)
    assert not np.array_equal(once, maps(path, entry, seed=1))
    assert not np.array_equal(once, maps(path, replace(entry, id="y"), seed=0))


def test_torch_s_own_generator_is_left_alone(entry: Entry, tmp_path: Path) -> None:
    path = weights_file(tmp_path, **HEAD)
    make = ficklenet.maker(classifier=path, classes=CLASSES, device="cpu", **OPTIONS)
    before = torch.get_rng_state()
    make(entry, {})
    assert torch.equal(torch.get_rng_state(), before)


def test_more_passes_find_more(entry: Entry, tmp_path: Path) -> None:
    path = weights_file(tmp_path, **HEAD)
    few, many = (maps(path, entry, passes=count, theta=1.0) for count in (3, 30))
    assert (many >= few).all()
    assert many.mean() > few.mean() + 0.01


@pytest.mark.parametrize(("resolution", "size"), [("full", (29, 48)), ("strided", (8, 12))])
def test_an_image_without_tags_has_no_maps(
    resolution: str, size: tuple[int, int], entry: Entry, tmp_path: Path
) -> None:
    untagged = replace(entry, tags=())
    assert maps(weights_file(tmp_path, **HEAD), untagged, resolution=resolution).shape == (0, *size)


def test_a_classifier_of_another_kind_is_refused(entry: Entry, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="expected 'ficklenet', found classifier 'plain'"):
        maps(weights_file(tmp_path, "plain"), entry)
