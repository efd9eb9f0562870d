"""The small network: sizes, alignment with the image, no dependence on the batch in eval mode."""

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
    """The middle cell of an odd number of cells sees the middle of the image, up to random weights."""
    torch.manual_seed(0)
    small, side = Small(output_stride), 9 * output_stride
    image = torch.rand(1, 3, side, side, requires_grad=True)
    features = small(image)[0, :16, 4, 4]
    weight = sum(torch.autograd.grad(value, image, retain_graph=True)[0].abs().sum(1)[0] for value in features)
    assert isinstance(weight, torch.Tensor)
    places = torch.arange(float(side))
    centre = [float(weight.sum(axis) @ places / weight.sum()) for axis in (1, 0)]
    assert centre == pytest.approx([(side - 1) / 2] * 2, abs=0.8)  # halving with 3x3 kernels is off by (stride - 1) / 2


def test_an_image_is_the_same_alone_and_in_a_batch() -> None:
    torch.manual_seed(0)
    small, images = Small(8).eval(), torch.rand(3, 3, 24, 40)
    assert torch.allclose(small(images)[1:2], small(images[1:2]), atol=1e-5)
