"""Contracts of every method that is trained: its losses teach the whole network, and its checkpoint brings it back."""

from __future__ import annotations

import copy
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from contracts import effects, trainings
from contracts.cases import Method
from contracts.trainings import Batch, batch_of, minimised, start, taught_by, trained

from wsss_steps import methods
from wsss_steps.formats.weights import write_weights
from wsss_steps.ops.labels import IGNORE

SLOTS = ["classifier", "refiner", "segmenter", "saliency"]


def covers(method: Method) -> bool:
    return hasattr(method.module, "losses")


def first(batch: Batch, count: int = 1) -> Batch:
    return {name: values[:count] for name, values in batch.items()}


def gradients(method: Method, batch: Batch) -> dict[str, torch.Tensor | None]:
    trainee = start(method, method.settings())
    trainee.loss(batch).backward()
    return {name: weight.grad for name, weight in trainee.network.named_parameters() if weight.requires_grad}


def test_a_gradient_reaches_every_parameter_that_is_trained(method: Method) -> None:
    found = gradients(method, batch_of(method))
    assert [name for name, gradient in found.items() if gradient is None or not gradient.any()] == []
    assert all(gradient.isfinite().all() for gradient in found.values())


def test_training_lowers_the_loss(method: Method) -> None:
    batch = batch_of(method)
    settings = method.settings()
    assert trained(method, settings, 12, batch).loss(batch) < start(method, settings).loss(batch)


def test_the_parts_of_the_loss_are_finite_numbers_and_say_what_is_only_recorded(method: Method) -> None:
    trainee = start(method, method.settings())
    parts = trainee.losses(trainee.network, batch_of(method))
    assert all(part.ndim == 0 and part.isfinite() for part in parts.values())
    recorded = {name for name, part in parts.items() if not part.requires_grad}
    assert recorded == {name for name in parts if name.startswith("share_")}


def test_the_loss_is_finite_where_nothing_is_known(method: Method) -> None:
    """No tag, no pixel inside the image, no label, nothing salient."""
    batch = batch_of(method)
    for name in batch.keys() & {"tags", "inside", "seeds", "maps", "masks"}:
        trainee = start(method, method.settings())
        loss = trainee.loss(batch | {name: torch.full_like(batch[name], IGNORE if name == "seeds" else 0)})
        loss.backward()
        assert loss.isfinite()
        assert all(weight.grad is None or weight.grad.isfinite().all() for weight in trainee.network.parameters())


def test_the_loss_of_one_image_is_finite(method: Method) -> None:
    assert start(method, method.settings()).loss(first(batch_of(method))).isfinite()


def test_one_image_gives_what_it_gives_in_a_batch(method: Method) -> None:
    network = start(method, method.settings()).network.eval()
    images = batch_of(method)["images"]
    with torch.no_grad():
        together = network(images)
        for row, image in enumerate(images):
            torch.testing.assert_close(network(image[None])[0], together[row], rtol=1e-4, atol=1e-5)


def test_the_same_random_seed_gives_the_same_training(method: Method) -> None:
    one, other = (trained(method, method.settings(), 2).network.state_dict() for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_the_batch_is_left_as_it_is(method: Method) -> None:
    batch = batch_of(method)
    untouched = copy.deepcopy(batch)
    start(method, method.settings()).loss(batch)
    assert batch.keys() == untouched.keys()
    assert all(torch.equal(batch[name], untouched[name]) for name in batch)


def test_losses_read_what_the_batch_teaches(method: Method) -> None:
    """Other tags, seeds, maps or masks, another loss."""
    batch = batch_of(method)
    label = taught_by(method)
    trainee = start(method, method.settings())
    other = batch | {label: batch[label].flip(0)}
    assert trainee.loss(batch) != trainee.loss(other)
    assert trainee.loss(batch) != trainee.loss(batch | {"images": batch["images"].flip(0)})


def test_a_checkpoint_brings_the_network_back(method: Method, tmp_path: Path) -> None:
    settings = method.settings()
    network = trained(method, settings, 2).network.eval()
    content = trainings.content_of(method, settings)
    write_weights(tmp_path / "x.safetensors", method.slot, network.state_dict(), content=content, stamp="")
    with method.loaded():
        back, known = methods.rebuild(method.slot, tmp_path / "x.safetensors", classes=trainings.classes_of(method))
    images = batch_of(method)["images"]
    with torch.no_grad():
        assert torch.equal(back(images), network(images))
    assert known["method"] == method.name


def test_every_setting_has_an_effect_on_what_is_trained(method: Method) -> None:
    assert effects.without_effect(method, effects.of_training(method), functools.partial(started, method)) == []


def started(method: Method, settings: Mapping[str, Any]) -> dict[str, Any]:
    """A network, what of it is trained, at which rates, and the gradients of its losses."""
    trainee, batch = start(method, settings), batch_of(method)
    network = trainee.network.train()
    weights = {name: weight.detach().clone() for name, weight in network.state_dict().items()}
    torch.manual_seed(0)
    parts = trainee.losses(network, batch)
    minimised(parts).backward()
    return {
        "weights": weights,
        "parts": {name: part.detach() for name, part in parts.items()},
        "gradients": {name: one.grad for name, one in network.named_parameters() if one.grad is not None},
        "rates": getattr(network, "multipliers", {}),
        "training": [module.training for module in network.modules()],
    }
