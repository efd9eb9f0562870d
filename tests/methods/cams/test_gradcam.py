"""Grad-CAM: values by hand, and its equality with CAM where the head is linear."""

import functools
from typing import Any

import numpy as np
import pytest
import torch

from wsss_steps.methods.cams import _shared, cam, gradcam
from wsss_steps.methods.classifier import mdc, plain
from wsss_steps.ops.gradcam import weighted_features
from wsss_steps.settings.base import Backbone

NETWORK: dict[str, Any] = {
    "backbone": Backbone(net="small").model_dump(mode="json"),
    "output_stride": 8,
    "dilated": True,
    "frozen_stages": 0,
    "frozen_batch_norm": "none",
}
OPTIONS: dict[str, Any] = {
    "mean": (0.5,) * 3,
    "std": (0.5,) * 3,
    "scales": (1.0, 0.5, 1.5),
    "flip": True,
    "resolution": "full",
    "merge": "sum",
}
IMAGE = np.random.default_rng(0).integers(0, 256, (29, 48, 3), dtype=np.uint8)
PRESENT = np.array([1, 3])


@pytest.mark.parametrize(("pool_grad", "expected"), [(True, [2.5, 2.0]), (False, [2.0, 0.0])])
def test_a_score_of_two_features_by_hand(pool_grad: bool, expected: list[float]) -> None:
    """Y = 2 A_1(0) + A_2(1) of A_1 = (1, 2) and A_2 = (3, 0): the mean gradients are 1 and 1/2."""
    features = torch.tensor([[[[1.0, 2.0]], [[3.0, 0.0]]]], requires_grad=True)
    score = 2 * features[0, 0, 0, 0] + features[0, 1, 0, 1]
    (gradients,) = torch.autograd.grad(score, features)
    assert weighted_features(features.detach(), gradients, pool_grad=pool_grad).tolist() == [[expected]]


@pytest.mark.parametrize("pool_grad", [True, False])
@pytest.mark.parametrize("merge", ["sum", "max"])
def test_it_is_cam_at_several_scales_if_the_head_is_linear(pool_grad: bool, merge: str) -> None:
    torch.manual_seed(0)
    network = plain.build(3, **NETWORK)
    raw = functools.partial(gradcam.raw_maps, pool_grad=pool_grad)
    options = OPTIONS | {"merge": merge}
    expected = _shared.multi_scale(cam.raw_maps, network, IMAGE, PRESENT, **options)
    found = _shared.multi_scale(raw, network, IMAGE, PRESENT, **options)
    assert expected.std() > 0.01
    assert found == pytest.approx(expected, abs=1e-5)


def test_a_head_with_layers_gives_maps_of_its_own_from_finite_differences() -> None:
    """The weight of a feature map is the change of the score if the whole map changes, over h w."""
    torch.manual_seed(0)
    network = mdc.build(3, **NETWORK, dilations=[], widths=[8, 8], init="kaiming", init_std=0.1).eval().double()
    images = torch.rand(2, 3, 24, 32, dtype=torch.float64)
    chosen = torch.tensor([2, 0])
    found = gradcam.raw_maps(network, images, chosen, pool_grad=True)
    with torch.no_grad():
        features = network.backbone(images)
        expected = torch.zeros_like(found)
        for k in range(features.shape[1]):
            step = torch.zeros_like(features)
            step[:, k] = 1e-6
            change = (network.head(features + step) - network.head(features - step)).mean(dim=(2, 3)) / 2e-6
            expected += change[:, chosen, None, None] * features[:, k, None]
    assert torch.allclose(found, expected, rtol=1e-4, atol=1e-7)


def test_the_network_keeps_its_parameters_and_gets_no_gradients() -> None:
    torch.manual_seed(0)
    network = plain.build(3, **NETWORK)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    raw = functools.partial(gradcam.raw_maps, pool_grad=True)
    _shared.multi_scale(raw, network, IMAGE, PRESENT, **OPTIONS)
    assert all(parameter.grad is None for parameter in network.parameters())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
