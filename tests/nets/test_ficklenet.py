"""FickleNet's head: drawn while training, the mean in evaluation, gradients of what was drawn."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from expansion import convolved
from pydantic import ValidationError
from torch import Tensor

from wsss_steps.methods.classifier import ficklenet
from wsss_steps.nets.ficklenet import FickleHead
from wsss_steps.ops.losses.tags import multi_label_loss
from wsss_steps.settings.base import Backbone
from wsss_steps.settings.classifier import FickleNet

NETWORK: dict[str, Any] = {
    "backbone": Backbone(net="small").model_dump(mode="json"),
    "output_stride": 8,
    "dilated": True,
    "frozen_stages": 0,
    "frozen_batch_norm": "none",
}


def head(form: str = "centre_preserving", dropout: float = 0.5, rescale: bool = False) -> FickleHead:
    torch.manual_seed(0)
    return FickleHead(4, 2, window=3, dropout=dropout, form=form, rescale=rescale).double()


def features(count: int = 2) -> Tensor:
    return torch.randn(count, 4, 5, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.mark.parametrize("form", ["centre_preserving", "general", "none"])
def test_training_draws_from_torch_s_generator(form: str) -> None:
    one = head(form)
    torch.manual_seed(5)
    found = one(features())
    torch.manual_seed(5)
    weights = one.weights(2, (5, 6)).double()
    torch.testing.assert_close(found, convolved(features(), one.conv.weight, weights))
    assert torch.equal(found, one(features())) == (not one.draws)


def test_images_of_a_batch_are_drawn_apart() -> None:
    one = head()
    first, second = one(features(1).expand(2, -1, -1, -1))
    assert not torch.equal(first, second)


@pytest.mark.parametrize("rescale", [False, True])
@pytest.mark.parametrize("form", ["centre_preserving", "general"])
def test_evaluation_gives_the_mean_of_what_is_drawn(form: str, rescale: bool) -> None:
    one, many = head(form, rescale=rescale), features(1).expand(4000, -1, -1, -1)
    drawn = one(many).mean(0)
    assert torch.allclose(one.eval()(features(1))[0], drawn, atol=0.05)


def test_without_dropout_it_is_a_convolution_in_training_too() -> None:
    for one in (head("none"), head(dropout=0.0)):
        torch.testing.assert_close(one(features()), one.conv(features()))
        assert not one.draws


def test_gradients_of_the_loss_with_fixed_draws() -> None:
    one, tags = head(), torch.tensor([[1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)

    def loss(inputs: Tensor, kernel: Tensor) -> Tensor:
        torch.manual_seed(2)
        maps = torch.func.functional_call(one, {"conv.weight": kernel}, (inputs,))
        return multi_label_loss(maps.mean(dim=(2, 3)), tags)

    kernel = one.conv.weight.detach().clone().requires_grad_()
    assert torch.autograd.gradcheck(loss, (features().requires_grad_(), kernel))


def test_the_classes_that_are_asked_for() -> None:
    one, chosen = head(), torch.tensor([1])
    torch.testing.assert_close(one.cell_scores(features(), chosen), one.cell_scores(features())[:, 1:])


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(ValueError, match="dropout: expected 0 to 1, below 1 with rescale"):
        head(dropout=1.0, rescale=True)


def test_the_loss_of_a_batch_by_hand() -> None:
    """Without dropout it is the multi-label loss of the mean of a padded convolution."""
    torch.manual_seed(0)
    network = ficklenet.build(3, **NETWORK, window=5, dropout=0.9, form="none", rescale=False)
    batch = {"images": torch.rand(2, 3, 32, 40), "tags": torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])}
    found = ficklenet.losses(network.eval(), batch)["tags"]
    probability = network.head.conv(network.backbone(batch["images"])).mean(dim=(2, 3)).sigmoid()
    expected = -torch.where(batch["tags"] > 0, probability, 1 - probability).log().mean()
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"window": 4}, "expected an odd window"), ({"dropout": 1.0, "rescale": True}, "expected a dropout below 1")],
)
def test_settings_that_cannot_be_drawn_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        FickleNet(**settings)
