"""Contracts of segmenters: logits of background and of every class, learnt from seeds."""

from __future__ import annotations

import pytest
import torch
from contracts.cases import Method
from contracts.trainings import batch_of, minimised, start, trained
from contracts.world import CLASSES, HEIGHT, WIDTH
from torch import Tensor, nn

from wsss_steps import methods
from wsss_steps.ops.labels import IGNORE

SLOT = "segmenter"


@pytest.mark.parametrize(("head", "stride", "cell"), [("v2", 4, 4), ("v2", 8, 8), ("v3plus", 8, 4)])
def test_there_are_logits_of_background_and_of_every_class(method: Method, head: str, stride: int, cell: int) -> None:
    network = start(method, method.settings(head=head, output_stride=stride)).network.eval()
    images = batch_of(method)["images"]
    assert network.stride == cell
    assert network(images).shape == (len(images), len(CLASSES) + 1, HEIGHT // cell, WIDTH // cell)


def test_there_is_one_part_of_the_loss_per_input_scale(method: Method) -> None:
    trainee = start(method, method.settings(train_scales=(1.0, 0.5)))
    assert {"seed_1", "seed_0.5"} <= set(trainee.losses(trainee.network, batch_of(method)))


def test_images_without_labels_teach_nothing(method: Method) -> None:
    trainee = start(method, method.settings())
    batch = batch_of(method)
    labels = batch.keys() & {"seeds", "strong_masks"}
    loss = trainee.loss(batch | {name: torch.full_like(batch[name], IGNORE) for name in labels})
    loss.backward()
    assert loss.item() == 0
    assert not any(one.grad is not None and one.grad.any() for one in trainee.network.parameters())


@pytest.mark.parametrize(("head", "stride"), [("v2", 4), ("v3plus", 8)])
def test_seeds_of_background_and_of_a_class_are_learnt(method: Method, head: str, stride: int) -> None:
    """After some steps, on the image with one class; which of several a seed is of, not every loss asks."""
    batch = {name: values[:1] for name, values in batch_of(method).items()}
    settings = method.settings(head=head, output_stride=stride, train_scales=(1.0,))
    network = trained(method, settings, 25, batch).network.eval()
    with torch.no_grad():
        probabilities = torch.softmax(network(batch["images"])[0], 0)
    seeds = batch["seeds"][0, 2::4, 2::4]
    assert probabilities[0, seeds == 0].mean() > probabilities[0, seeds == 1].mean() + 0.1
    assert probabilities[1, seeds == 1].mean() > probabilities[1, seeds == 0].mean() + 0.1
    assert probabilities[1, seeds == 1].mean() > probabilities[2:, seeds == 1].sum(0).mean() + 0.1


class Cells(nn.Module):
    """Predicts class 2 on cells of 8 px, the last of which extend beyond the edge."""

    stride = 8

    def __init__(self) -> None:
        super().__init__()
        self.logits = nn.Parameter(10.0 * nn.functional.one_hot(torch.tensor(2), len(CLASSES) + 1))

    def forward(self, images: Tensor) -> Tensor:
        rows, columns = (-(-side // 8) for side in images.shape[2:])
        return self.logits[None, :, None, None].expand(len(images), -1, rows, columns)


def test_cells_whose_centre_is_beyond_the_edge_are_not_labelled(method: Method) -> None:
    """Class 2 is right inside the image: nothing may be learnt from the padding, least of all background."""
    settings = method.settings(train_scales=(1.0,)) | {"lambda_seg": 0, "classifier": None}
    batch = {
        "images": torch.zeros(1, 3, 12, 12),
        "tags": torch.tensor([[0.0, 1.0, 0.0]]),
        "seeds": torch.full((1, 12, 12), 2),
        "strong_masks": torch.full((1, 12, 12), 2),
        "superpixels": torch.ones(1, 12, 12, dtype=torch.int64),
        "inside": torch.ones(1, 12, 12, dtype=torch.bool),
        "pixels": torch.zeros(1, 3, 12, 12, dtype=torch.uint8),
    }
    options = methods.arguments(method.module.losses, settings)
    parts = method.module.losses(Cells(), batch, **options)
    assert minimised(parts).item() == pytest.approx(0, abs=1e-3)
    assert all(part.item() == 1 for name, part in parts.items() if name.startswith("share_"))  # of the one cell inside
