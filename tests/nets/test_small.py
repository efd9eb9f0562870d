"""The small network: sizes, alignment with the image, no dependence on the batch."""

import pytest
import torch

from wsss_steps.nets.small import Small


@pytest.mark.parametrize("output_stride", [4, 8, 16])
def test_maps_have_one_cell_per_stride_begun(output_stride: int) -> None:
    small = Small(output_stride)
    for height, width in ((32, 48), (33, 31), (1, 50)):
        shape = small(torch.zeros(2, 3, height, width)).shape
        assert shape == (2, small.channels, -(-height // output_stride), -(-width // output_stride))


def test_it_is_small() -> None:
    assert 3e5 < sum(parameter.numel() for parameter in Small(8).parameters()) < 6e5


@pytest.mark.parametrize("output_stride", [4, 8])
def test_cells_lie_over_their_pixels(output_stride: int) -> None:
    """The centre of the gradient of a cell is the centre of its pixels, up to chance."""
    torch.manual_seed(0)
    small = Small(output_stride).double()
    image = torch.rand(1, 3, 96, 96, dtype=torch.float64, requires_grad=True)
    cell = 96 // output_stride // 2
    centres = []
    for channel in range(16):
        (gradient,) = torch.autograd.grad(small(image)[0, channel, cell, cell], image)
        weight = gradient.abs().sum(1)[0]
        if weight.sum() > 0:
            weight = weight / weight.sum()
            centres.append((weight.sum(1) @ torch.arange(96.0).double(), weight.sum(0) @ torch.arange(96.0).double()))
    middle = (cell + 0.5) * output_stride - 0.5
    assert torch.tensor(centres).mean(0).tolist() == pytest.approx([middle, middle], abs=1.0)


def test_an_image_is_the_same_alone_and_in_a_batch() -> None:
    torch.manual_seed(0)
    small, images = Small(8).train(), torch.rand(3, 3, 24, 40)
    assert torch.allclose(small(images)[1:2], small(images[1:2]), atol=1e-5)
