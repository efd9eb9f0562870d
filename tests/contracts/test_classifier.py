"""Contracts of classifiers: a score per class, whose evidence is a map."""

from __future__ import annotations

import pytest
import torch
from contracts.cases import Method
from contracts.trainings import batch_of, start, trained
from contracts.world import CLASSES, HEIGHT, WIDTH

SLOT = "classifier"


def covers(method: Method) -> bool:
    """What is given was trained elsewhere."""
    return not method.given


@pytest.mark.parametrize("stride", [4, 8])
def test_there_is_a_score_and_a_map_for_every_class(method: Method, stride: int) -> None:
    network = start(method, method.settings(output_stride=stride)).network.eval()
    images = batch_of(method)["images"]
    assert network(images).shape == (len(images), len(CLASSES))
    assert network.maps(images).shape == (len(images), len(CLASSES), HEIGHT // stride, WIDTH // stride)


def test_it_learns_the_tags_of_the_drawn_images(method: Method) -> None:
    batch = batch_of(method)
    network = trained(method, method.settings(), 40, batch).network
    with torch.no_grad():
        assert torch.equal(network(batch["images"]) > 0, batch["tags"] > 0)
