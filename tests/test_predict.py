"""Scores over scales and mirror images, by networks whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from wsss_steps.predict import enlarge, label_logits, label_maps


class Pixels(nn.Module):
    """Gives the first two channels of the image as logits."""

    def forward(self, images: Tensor) -> Tensor:
        return images[:, :2]


class Width(nn.Module):
    """Gives the width of its input as the logit of label 1."""

    def forward(self, images: Tensor) -> Tensor:
        logits = torch.zeros(1, 2, -(-images.shape[2] // 8), -(-images.shape[3] // 8))
        logits[:, 1] = images.shape[-1]
        return logits


@pytest.mark.parametrize(("merge", "expected"), [("max", 20), ("mean", (10 + 20 + 5) / 3)])
def test_scales_are_merged(merge: str, expected: float) -> None:
    logits = label_logits(Width(), torch.zeros(1, 3, 8, 10), 8, scales=[1.0, 2.0, 0.5], flip=False, merge=merge)
    assert logits.shape == (2, 8, 10)
    assert torch.allclose(logits[1], torch.tensor(expected, dtype=torch.float32))


@pytest.mark.parametrize("merge", ["max", "mean"])
def test_a_mirrored_image_gives_mirrored_scores(merge: str) -> None:
    image = torch.randn(1, 3, 7, 9, generator=torch.Generator().manual_seed(0))
    network = nn.Conv2d(3, 2, 3, padding=1)
    one, other = (
        label_logits(network, view, 1, scales=[1.0, 0.5], flip=True, merge=merge) for view in (image, image.flip(-1))
    )
    assert torch.allclose(one, other.flip(-1), atol=1e-6)


def test_one_scale_without_mirror_is_the_network_itself() -> None:
    image = torch.randn(1, 3, 5, 6, generator=torch.Generator().manual_seed(0))
    assert torch.equal(label_logits(Pixels(), image, 1, scales=[1.0], flip=False, merge="mean"), image[0, :2])


def test_an_image_of_one_pixel() -> None:
    assert label_logits(Pixels(), torch.zeros(1, 3, 1, 1), 1, scales=[0.5], flip=True, merge="max").shape == (2, 1, 1)


def test_a_cell_that_reaches_over_the_edge_is_cut() -> None:
    cells = torch.tensor([0.0, 4.0]).view(1, 1, 1, 2)
    assert enlarge(cells, (2, 3), 2).tolist() == [[[[0, 1, 3], [0, 1, 3]]]]


def test_only_allowed_labels_compete() -> None:
    logits = torch.tensor([0.0, 9.0, 1.0]).view(3, 1, 1).expand(3, 4, 4)
    image = np.zeros((4, 4, 3), np.uint8)
    assert (label_maps(logits, image, [0, 1, 2], "deeplab")[0] == 1).all()
    for labels in label_maps(logits, image, [0, 2], "deeplab"):
        assert labels.dtype == np.uint8
        assert (labels == 2).all()
    assert not label_maps(logits, image, [0], "deeplab")[0].any()


def test_the_crf_removes_a_speck() -> None:
    logits = torch.zeros(2, 16, 16)
    logits[0] = 1.0
    logits[1, 8, 8] = 1.5
    after, before = label_maps(logits, np.full((16, 16, 3), 90, np.uint8), [0, 1], "deeplab")
    assert before.sum() == 1
    assert after.sum() == 0
