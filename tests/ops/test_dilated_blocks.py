"""Fusion of the blocks and the two losses by hand (dissertation, eqs. 2.1 and 2.2)."""

import pytest
import torch
from torch.autograd import gradcheck

from wsss_steps.ops.dilated_blocks import blocks_tag_loss, cam_loss, fuse_blocks

PIXELS = [[1.0, 4.0], [3.0, 2.0], [5.0, 0.0]]  # of M0, M1, M2 at two positions


def maps_of(pixels: list[list[float]]) -> torch.Tensor:
    """Maps (blocks, 1, 2, 1, 2): the given pixels for class 1, those of M0 times 7 for class 2."""
    first = torch.tensor(pixels, dtype=torch.float64)[:, None, None, None]
    return torch.cat([first, 7 * first], dim=2)


def random_maps(blocks: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(blocks, 2, 3, 2, 2, dtype=torch.float64, generator=generator)


TAGS = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]], dtype=torch.float64)


def test_fusion_by_hand() -> None:
    assert fuse_blocks(maps_of(PIXELS))[0, 0].tolist() == [[4.0, 4.0]]  # the mean of M1, M2 is 4, 1
    assert fuse_blocks(maps_of(PIXELS[:1]))[0, 0].tolist() == [[1.0, 4.0]]


def test_cam_loss_by_hand() -> None:
    present = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    assert cam_loss(maps_of(PIXELS), present, detach_target=True).item() == (9 + 0) / 4  # C |S| = 2 * 2
    assert cam_loss(maps_of(PIXELS), torch.zeros(1, 2).double(), detach_target=True).item() == 0
    assert cam_loss(maps_of(PIXELS[:1]), present, detach_target=True).item() == 0


def test_the_relu_comes_before_the_difference() -> None:
    maps = maps_of([[-1.0, -4.0], [2.0, -3.0]])
    # fused 2, -3; relu 2, 0 against 0, 0
    assert cam_loss(maps, torch.tensor([[1.0, 0.0]]).double(), detach_target=True).item() == 4 / 4


def test_tag_loss_by_hand() -> None:
    one = torch.ones(1, 1, 1, 2, 2)
    for tag, expected in ((1.0, 0.313262), (0.0, 1.313262)):
        tags = torch.tensor([[tag]])
        assert blocks_tag_loss(one, tags).item() == pytest.approx(expected, abs=1e-6)
        both = torch.cat([one, one])
        assert blocks_tag_loss(both, tags).item() == pytest.approx(2 * expected, abs=1e-6)


def test_tag_loss_reads_the_mean_of_each_map() -> None:
    maps = torch.tensor([0.0, 2.0])[None, None, None, None]
    assert blocks_tag_loss(maps, torch.ones(1, 1)).item() == pytest.approx(0.313262, abs=1e-6)


def test_a_detached_target_pulls_the_standard_block_alone() -> None:
    for detach, moved in ((True, False), (False, True)):
        maps = maps_of(PIXELS).requires_grad_()
        cam_loss(maps, torch.tensor([[1.0, 0.0]]).double(), detach_target=detach).backward()
        assert maps.grad is not None
        assert maps.grad[0].any()
        assert bool(maps.grad[1:].any()) == moved
        assert maps.grad[0, 0, 0, 0, 0] < 0  # gradient descent raises M0


@pytest.mark.parametrize("blocks", [1, 3])
def test_gradients(blocks: int) -> None:
    maps = random_maps(blocks).requires_grad_()
    assert gradcheck(lambda x: blocks_tag_loss(x, TAGS), (maps,))
    assert gradcheck(lambda x: cam_loss(x, TAGS, detach_target=False), (maps,))


def test_the_gradient_of_the_detached_loss_is_that_to_a_fixed_target() -> None:
    maps = random_maps(3)
    target = fuse_blocks(maps)
    standard = maps[0].clone().requires_grad_()
    loss = cam_loss(torch.cat([standard[None], maps[1:]]), TAGS, detach_target=True)
    by_hand = ((target.relu() - standard.relu()) ** 2 * TAGS[:, :, None, None]).mean()
    found, expected = (torch.autograd.grad(value, standard)[0] for value in (loss, by_hand))
    assert torch.allclose(found, expected)
    assert found.any()
