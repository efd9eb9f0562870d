"""Tokens, position embedding and keys, against manual computation, timm and a literal bicubic kernel."""

import math

import pytest
import torch
from torch.nn import functional

from wsss_steps.nets import vit

TINY = vit.Shape(patch=4, width=12, depth=2, heads=3, image_size=16)


@pytest.fixture
def network() -> torch.nn.Module:
    torch.manual_seed(0)
    network = vit.build(TINY).eval()
    torch.nn.init.normal_(network.pos_embed)  # the initial one is nearly zero and would hide mistakes
    torch.nn.init.normal_(network.cls_token)
    for parameter in network.parameters():
        if parameter.ndim == 1:
            torch.nn.init.normal_(parameter, mean=1.0)
    return network


@pytest.mark.parametrize(("patch", "grid"), [(8, (47, 63)), (16, (24, 32))])
def test_number_of_tokens_of_a_voc_image(patch: int, grid: tuple[int, int]) -> None:
    network = vit.build(vit.Shape(patch, width=12, depth=1, heads=3, image_size=224))
    images = torch.zeros(1, 3, math.ceil(375 / patch) * patch, math.ceil(500 / patch) * patch)
    assert grid[0] * grid[1] == {8: 2961, 16: 768}[patch]
    assert vit.tokens(network, images).shape == (1, 1 + grid[0] * grid[1], 12)
    assert vit.keys(network, images).shape == (1, *grid, 12)


def test_keys_are_the_hooked_projection_of_the_last_block(network: torch.nn.Module) -> None:
    images = torch.randn(2, 3, 16, 16)
    hooked: list[torch.Tensor] = []
    handle = network.blocks[-1].attn.qkv.register_forward_hook(lambda module, given, result: hooked.append(result))
    network(images)  # timm's own forward pass, at the training size
    handle.remove()
    expected = hooked[0].reshape(2, 17, 3, 3, 4)[:, 1:, 1].reshape(2, 4, 4, 12)
    torch.testing.assert_close(vit.keys(network, images), expected)


def test_keys_by_hand(network: torch.nn.Module) -> None:
    images = torch.randn(1, 3, 8, 12)
    entering = network.blocks[0](vit.tokens(network, images))[0]
    last = network.blocks[1]
    mean, variance = entering.mean(dim=1, keepdim=True), entering.var(dim=1, unbiased=False, keepdim=True)
    normed = (entering - mean) / torch.sqrt(variance + 1e-6) * last.norm1.weight + last.norm1.bias
    weight, bias = last.attn.qkv.weight[12:24], last.attn.qkv.bias[12:24]
    expected = torch.stack([weight @ token + bias for token in normed[1:]]).reshape(1, 2, 3, 12)
    torch.testing.assert_close(vit.keys(network, images), expected)


def test_two_calls_agree_and_a_batch_is_its_images(network: torch.nn.Module) -> None:
    images = torch.randn(2, 3, 8, 12)
    first = vit.keys(network, images)
    assert torch.equal(first, vit.keys(network, images))
    torch.testing.assert_close(first[1:], vit.keys(network, images[1:]))


def test_the_outputs_are_those_of_timm(network: torch.nn.Module) -> None:
    images = torch.randn(2, 3, 16, 16)
    token, keys = vit.class_token_and_keys(network, images)
    torch.testing.assert_close(token, network.forward_features(images)[:, 0])
    assert torch.equal(keys, vit.keys(network, images).flatten(1, 2))


def test_patch_i_lies_in_row_and_column(network: torch.nn.Module) -> None:
    plain = vit.tokens(network, torch.zeros(1, 3, 12, 20))
    marked = torch.zeros(1, 3, 12, 20)
    marked[:, :, 4:8, 12:16] = 1.0  # row 1, column 3 of 3 x 5 patches
    changed = (vit.tokens(network, marked) != plain).any(dim=-1)[0]
    assert changed.nonzero().flatten().tolist() == [1 + 1 * 5 + 3]


def cubic(distance: float, a: float = -0.75) -> float:
    """The kernel of Keys (1981)."""
    d = abs(distance)
    if d <= 1:
        return (a + 2) * d**3 - (a + 3) * d**2 + 1
    return a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a if d < 2 else 0.0


def test_position_embedding_in_the_scale_factor_form() -> None:
    embedding = torch.randn(1, 17, 5, dtype=torch.float64)
    found = vit.position_embedding(embedding, (3, 6))
    square = embedding[0, 1:].reshape(4, 4, 5)
    assert torch.equal(found[:, :1], embedding[:, :1])
    for row in range(3):
        for column in range(6):
            # the centre of the cell, in cells of the old grid; the scale is (target + 0.1) / 4, not target / 4
            y, x = (row + 0.5) * 4 / 3.1 - 0.5, (column + 0.5) * 4 / 6.1 - 0.5
            expected = torch.zeros(5, dtype=torch.float64)
            for i in range(math.floor(y) - 1, math.floor(y) + 3):
                for j in range(math.floor(x) - 1, math.floor(x) + 3):
                    expected += cubic(y - i) * cubic(x - j) * square[min(max(i, 0), 3), min(max(j, 0), 3)]
            torch.testing.assert_close(found[0, 1 + row * 6 + column], expected)


def test_position_embedding_of_the_training_grid_is_itself() -> None:
    embedding = torch.randn(1, 17, 5)
    assert vit.position_embedding(embedding, (4, 4)) is embedding
    resampled = vit.position_embedding(embedding, (2, 8))  # as many patches in another shape are resampled
    assert resampled.shape == embedding.shape
    assert not torch.equal(resampled, embedding)


def test_guards(network: torch.nn.Module) -> None:
    with pytest.raises(ValueError, match=r"expected images of whole patches of 4 px, found 10 x 12 px"):
        vit.tokens(network, torch.zeros(1, 3, 10, 12))
    with pytest.raises(ValueError, match="width 10 is not a multiple of the number of heads 3"):
        vit.build(vit.Shape(4, 10, 1, 3, 16))
    with pytest.raises(ValueError, match="image size 18 px is not a multiple of the patch, 4 px"):
        vit.build(vit.Shape(4, 12, 1, 3, 18))
    with pytest.raises(ValueError, match="a class token and a square grid, found 16 positions"):
        vit.position_embedding(torch.zeros(1, 16, 5), (3, 3))


def test_gradient_reaches_the_first_layer(network: torch.nn.Module) -> None:
    functional.mse_loss(vit.class_token_and_keys(network, torch.randn(1, 3, 8, 8))[0], torch.zeros(1, 12)).backward()
    assert network.patch_embed.proj.weight.grad is not None
    assert network.patch_embed.proj.weight.grad.abs().sum() > 0


def test_convolution_stem_gives_one_token_per_patch() -> None:
    network = vit.build(vit.Shape(8, 12, 2, 3, 32, stem="convolution")).eval()
    assert vit.patch_side(network) == 8
    assert vit.keys(network, torch.randn(2, 3, 40, 24)).shape == (2, 5, 3, 12)
    with pytest.raises(ValueError, match="expected images of whole patches of 8 px, found 40 x 20 px"):
        vit.keys(network, torch.randn(1, 3, 40, 20))


def test_convolution_stem_moves_with_the_image() -> None:
    stem = vit.ConvolutionStem(8, 12).eval()
    image = torch.randn(1, 3, 64, 64)
    moved = stem(torch.roll(image, 16, dims=-1))
    # away from the edges, where the convolutions see other pixels
    torch.testing.assert_close(moved[..., 2:6, 4:7], stem(image)[..., 2:6, 2:5])


def test_convolution_stem_needs_a_power_of_two() -> None:
    with pytest.raises(ValueError, match=r"a convolution stem needs a patch of 2, 4, 8, 16, ... px, found 6"):
        vit.ConvolutionStem(6, 12)
