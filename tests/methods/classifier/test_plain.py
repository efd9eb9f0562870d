"""Maps and scores of the classifier by hand; its loss moves the right weights."""

from typing import Any

import pytest
import torch
from torch import nn

from wsss_steps.methods.classifier import plain
from wsss_steps.nets.backbones import Backbone
from wsss_steps.nets.classifier import MapClassifier
from wsss_steps.settings.base import Backbone as Spec

SETTINGS: dict[str, Any] = {
    "backbone": Spec(net="small").model_dump(mode="json"),
    "output_stride": 8,
    "dilated": True,
    "frozen_stages": 1,
    "frozen_batch_norm": "none",
}


def test_maps_and_scores_by_hand() -> None:
    network = MapClassifier(Backbone(nn.Identity(), channels=3, output_stride=1, stages=[]), 1)
    network.head.weight.data = torch.tensor([1.0, -1.0, 0.0]).reshape(1, 3, 1, 1)
    features = torch.tensor([[[1.0, 0.0], [2.0, 1.0]], [[0.0, 1.0], [1.0, 3.0]], [[9.0, 9.0], [9.0, 9.0]]])[None]
    assert network.maps(features).tolist() == [[[[1.0, -1.0], [1.0, -2.0]]]]
    assert network(features).tolist() == [[-1 / 4]]


def test_scores_are_the_means_of_the_maps_and_there_is_no_bias() -> None:
    network = plain.build(3, **SETTINGS).eval()
    images = torch.rand(2, 3, 24, 40)
    maps = network.maps(images)
    assert maps.shape == (2, 3, 3, 5)
    assert torch.allclose(network.scores(images), maps.mean((2, 3)))
    assert torch.allclose(
        network.scores(images), network.backbone(images).mean((2, 3)) @ network.head.weight[:, :, 0, 0].T, atol=1e-5
    )
    assert network.head.bias is None


def test_the_loss_reaches_all_but_the_frozen_stage() -> None:
    torch.manual_seed(0)
    network = plain.build(2, **SETTINGS)
    parts = plain.losses(network, {"images": torch.rand(2, 3, 16, 16), "tags": torch.tensor([[1.0, 0.0], [0.0, 0.0]])})
    assert parts.keys() == {"tags"}
    assert float(parts["tags"].detach()) == pytest.approx(0.69, abs=0.3)
    parts["tags"].backward()
    without = {name for name, weight in network.named_parameters() if weight.grad is None}
    assert without == {name for name, _ in network.named_parameters() if name.startswith("backbone.net.stages.0.")}
