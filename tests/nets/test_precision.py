"""A backbone that computes in bfloat16: its input, output, weights and gradients stay float32."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest
import torch

from wsss_steps.nets.backbones import build_backbone
from wsss_steps.nets.poolnet import PoolNet
from wsss_steps.nets.precision import compute_in
from wsss_steps.nets.stage_outputs import stage_outputs


@pytest.fixture(autouse=True)
def _flags() -> Iterator[None]:
    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    yield
    torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before


def test_bfloat16_rounds_to_eight_bits_and_returns_float32() -> None:
    torch.manual_seed(0)
    exact = build_backbone("small", output_stride=8, options={}).eval()
    coarse = copy.deepcopy(exact)
    compute_in(coarse, "bfloat16")
    images = torch.randn(2, 3, 32, 32)
    one, other = exact(images), coarse(images)
    assert other.dtype == torch.float32
    assert torch.equal(other, other.bfloat16().float())  # what bfloat16 can hold
    error = float((one - other).detach().norm() / one.detach().norm())
    assert 1e-4 < error < 0.05, error  # one rounding is 2 ** -9 = 0.002
    other.square().mean().backward()
    assert all(weight.dtype == weight.grad.dtype == torch.float32 for weight in coarse.parameters())
    assert list(coarse.state_dict()) == list(exact.state_dict())


def test_outputs_of_stages_are_float32_too() -> None:
    backbone = build_backbone("small", output_stride=8, options={}).eval()
    compute_in(backbone, "bfloat16")
    found = stage_outputs(backbone, torch.randn(1, 3, 32, 32), 4)
    assert [one.dtype for one in found] == [torch.float32] * 4
    assert torch.equal(found[0], found[0].bfloat16().float())


def test_levels_of_a_pyramid_are_float32_too() -> None:
    backbone = build_backbone("small", output_stride=8, options={})
    network = PoolNet(backbone, 8)
    compute_in(network.backbone, "bfloat16")
    assert network(torch.randn(2, 3, 64, 64)).dtype == torch.float32


def test_float32_allows_no_tf32() -> None:
    backbone = build_backbone("small", output_stride=8, options={})
    forward = backbone.forward
    for precision in ("tf32", "float32"):
        compute_in(backbone, precision)
        flags = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
        assert flags == ((precision == "tf32"),) * 2
    assert backbone.forward == forward
