"""Puzzle-CAM's module and loss: by hand, by a slow transcription, by what must not change, and the gradient."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from wsss_steps.ops.losses.reconstruction import reconstruction_loss
from wsss_steps.ops.puzzle import merge, rising_weight, tile


def drawn(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)), dtype=torch.float64)


def test_the_quarters_of_a_ramp_by_hand() -> None:
    found = tile(torch.arange(16.0).view(1, 1, 4, 4), 1)
    assert found[:, 0].tolist() == [
        [[0, 1], [4, 5]],
        [[2, 3], [6, 7]],
        [[8, 9], [12, 13]],
        [[10, 11], [14, 15]],
    ]


def test_equal_quarters_of_all_images_follow_each_other() -> None:
    found = tile(torch.arange(8.0).view(2, 1, 2, 2), 1)
    assert found.flatten().tolist() == [0, 4, 1, 5, 2, 6, 3, 7]


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("height", range(1, 8))
@pytest.mark.parametrize("width", [1, 4, 5])
def test_merging_undoes_tiling(batch: int, height: int, width: int) -> None:
    images = drawn(batch, 2, height, width)
    assert torch.equal(merge(tile(images, 1), (height, width)), images)


def test_an_odd_image_is_filled_with_the_mean_colour_below_and_to_the_right() -> None:
    found = tile(torch.arange(1.0, 10.0).view(1, 1, 3, 3), 1)
    assert found[:, 0].tolist() == [[[1, 2], [4, 5]], [[3, 0], [6, 0]], [[7, 8], [0, 0]], [[9, 0], [0, 0]]]


@pytest.mark.parametrize(
    ("side", "stride", "expected"),
    [(512, 16, 256), (144, 8, 72), (321, 8, 168), (500, 16, 256), (16, 16, 16), (17, 16, 16), (33, 16, 32)],
)
def test_sides_of_tiles_by_hand(side: int, stride: int, expected: int) -> None:
    """321 px are 41 cells of 8 px, so 21 cells a tile."""
    assert tile(torch.zeros(1, 1, side, 2 * stride), stride).shape == (4, 1, expected, stride)


@pytest.mark.parametrize("size", [(16, 24), (12, 12), (13, 30), (5, 4), (1, 9)])
@pytest.mark.parametrize("stride", [1, 2, 4, 8])
def test_a_network_that_sees_one_cell_has_equal_maps(size: tuple[int, int], stride: int) -> None:
    """So L_re is 0, also where the stride divides neither the tile nor the image."""
    images, weights = drawn(2, 3, *size), drawn(5, 3, 1, 1)

    def maps(pixels: Tensor) -> Tensor:
        edges = (0, -pixels.shape[-1] % stride, 0, -pixels.shape[-2] % stride)
        return F.conv2d(F.avg_pool2d(F.pad(pixels, edges), stride), weights)

    whole = maps(images)
    merged = merge(maps(tile(images, stride)), (whole.shape[-2], whole.shape[-1]))
    torch.testing.assert_close(merged, whole, rtol=0, atol=1e-12)
    inside = torch.ones(2, *whole.shape[-2:], dtype=torch.bool)
    assert reconstruction_loss(whole, merged, torch.ones(2, 5), inside) < 1e-12


@pytest.mark.parametrize("shape", [(3, 1, 2, 2), (4, 1, 1, 2), (4, 1, 2, 1)])
def test_maps_that_are_no_puzzle_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected maps of 4 tiles each that cover \(3, 4\), found"):
        merge(torch.zeros(shape), (3, 4))


def test_the_weight_rises_as_published() -> None:
    found = [rising_weight(share, alpha=4.0, schedule=0.5) for share in (0.0, 0.25, 0.5, 1.0)]
    assert found == [0, 2, 4, 4]
    assert rising_weight(0.0, alpha=4.0, schedule=0.0) == 4
    assert rising_weight(0.5, alpha=3.0, schedule=1.0) == 1.5


WHOLE = torch.tensor([[[[1.0, 2.0]], [[0.0, 0.0]]]])
MERGED = torch.tensor([[[[0.0, 4.0]], [[5.0, 5.0]]]])
ALL = torch.ones(1, 1, 2, dtype=torch.bool)


def test_the_loss_by_hand() -> None:
    """Absent classes are 0 in the mean: (1 + 2 + 0 + 0) / 4. So is padding."""
    tags = torch.tensor([[1.0, 0.0]])
    assert reconstruction_loss(WHOLE, MERGED, tags, ALL) == 0.75
    assert reconstruction_loss(WHOLE, MERGED, torch.ones(1, 2), ALL) == 13 / 4
    assert reconstruction_loss(WHOLE, MERGED, tags, torch.tensor([[[True, False]]])) == 0.25
    assert reconstruction_loss(WHOLE, MERGED, torch.zeros(1, 2), ALL) == 0


def test_a_slow_transcription_agrees() -> None:
    maps, merged = drawn(2, 3, 4, 5), drawn(2, 3, 5, 4).transpose(2, 3)
    tags, inside = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]), drawn(2, 4, 5) > -0.5
    total = 0.0
    for b in range(2):
        for c in range(3):
            for y in range(4):
                for x in range(5):
                    if tags[b, c] == 1 and inside[b, y, x]:
                        total += abs(float(maps[b, c, y, x]) - float(merged[b, c, y, x]))
    found = reconstruction_loss(maps, merged, tags, inside)
    assert float(found) == pytest.approx(total / (2 * 3 * 4 * 5), abs=1e-12)


def test_the_gradient_of_the_loss() -> None:
    """Through the merging of maps of tiles that reach beyond the image."""
    maps, tiles = drawn(1, 2, 3, 3).requires_grad_(), drawn(4, 2, 2, 2).requires_grad_()
    tags, inside = torch.tensor([[1.0, 0.0]]), torch.ones(1, 3, 3, dtype=torch.bool)
    inside[0, 0, 1] = False
    assert torch.autograd.gradcheck(
        lambda one, other: reconstruction_loss(one, merge(other, (3, 3)), tags, inside), (maps, tiles)
    )
