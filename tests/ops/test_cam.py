"""Fusing, sizes and normalisation of class activation maps by hand."""

import pytest
import torch

from wsss_steps.ops.cam import canvas_size, fuse_flip, merge_scales, normalise_maps, strided_size


def test_fuse_by_hand() -> None:
    maps = torch.tensor([[[[1.0, 2.0, 3.0]]], [[[10.0, 20.0, 30.0]]]])
    assert fuse_flip(maps).tolist() == [[[31.0, 22.0, 13.0]]]


def test_relu_comes_before_the_sum() -> None:
    maps = torch.tensor([[[[-5.0, 2.0]]], [[[-1.0, 7.0]]]])
    assert fuse_flip(maps).tolist() == [[[7.0, 2.0]]]  # the ReLU of the sum would give [2, 1]


def test_sizes_by_hand() -> None:
    assert strided_size(375, 500) == (94, 125)
    assert canvas_size(375, 500, 16) == (384, 512)
    assert canvas_size(32, 48, 16) == (32, 48)
    assert (strided_size(1, 5), canvas_size(1, 5, 4)) == ((1, 2), (4, 8))


def test_full_maps_are_cut_from_the_canvas() -> None:
    map_ = torch.tensor([[[0.0, 4.0]]])  # cells of 4 px: centres at 1.5 and 5.5, so 0, 0, .5, 1.5, 2.5, 3.5, 4, 4
    full = merge_scales([map_], 3, 7, resolution="full", output_stride=4)
    assert full[0].tolist() == [[0.0, 0.0, 0.5, 1.5, 2.5, 3.5, 4.0]] * 3


def test_scales_are_summed() -> None:
    maps = [torch.full((2, 3, 5), 1.0), torch.full((2, 2, 3), 2.5)]
    for resolution, shape in {"full": (2, 9, 20), "strided": (2, 3, 5)}.items():
        total = merge_scales(maps, 9, 20, resolution=resolution, output_stride=4)
        assert total.shape == shape
        assert torch.allclose(total, torch.tensor(3.5))
    with pytest.raises(ValueError, match="expected full or strided, found 'half'"):
        merge_scales(maps, 9, 20, resolution="half", output_stride=4)


def test_the_largest_of_the_scales_is_taken() -> None:
    maps = [torch.tensor([[[1.0, 4.0]]]), torch.tensor([[[3.0, 2.0]]])]
    merged = merge_scales(maps, 1, 2, resolution="full", output_stride=1, merge="max")
    assert merged.tolist() == [[[3.0, 4.0]]]
    with pytest.raises(ValueError, match="expected sum or max, found 'mean'"):
        merge_scales(maps, 1, 2, resolution="full", output_stride=1, merge="mean")


def test_each_class_is_normalised_by_its_own_maximum() -> None:
    maps = torch.tensor([[[1.0, 4.0]], [[0.0, 0.0]], [[1e-7, 2e-7]]])
    assert normalise_maps(maps).tolist() == [[[0.25, 1.0]], [[0.0, 0.0]], [[0.5, 1.0]]]
    assert normalise_maps(torch.zeros(0, 3, 4)).shape == (0, 3, 4)
