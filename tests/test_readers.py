"""Readers of published files: what they fold away computes the same, and other files are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import timm
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from wsss_steps.errors import UserError
from wsss_steps.nets import rope_vit
from wsss_steps.nets.u2net import VARIANTS, U2Net, variant_of
from wsss_steps.pretrained import u2net
from wsss_steps.pretrained.readers import in_order, keras_resnet
from wsss_steps.pretrained.readers import u2net as of_u2net
from wsss_steps.pretrained.table import table

IMAGES = torch.linspace(-1, 1, 3 * 40 * 33).reshape(1, 3, 40, 33)  # odd sides, so that poolings leave a rest


# ---- U²-Net


@pytest.fixture(scope="module")
def small() -> U2Net:
    torch.manual_seed(0)
    return U2Net("u2netp").eval()


def convolutions(network: nn.Module) -> list[nn.Conv2d]:
    return [one for one in network.modules() if isinstance(one, nn.Conv2d)]


@pytest.mark.parametrize(("variant", "count"), [("u2net", 44_009_869), ("u2netp", 1_131_181)])
def test_published_sizes_without_batch_normalisation(variant: str, count: int) -> None:
    """The paper's 44.0 and 1.13 million parameters contain batch normalisation, two for each channel of 112 layers."""
    with torch.device("meta"):
        network = U2Net(variant)
    norms = sum(2 * one.out_channels for one in convolutions(network)[:-7])
    assert sum(one.numel() for one in network.parameters()) + norms == count
    assert len(convolutions(network)) == 119


def of_torch(network: U2Net, generator: torch.Generator) -> tuple[dict[str, Tensor], list[tuple[Tensor, ...]]]:
    """A file as its authors name it, with batch normalisation, and that of each convolution."""
    state, norms = dict[str, Tensor](), []
    for number, layer in enumerate(convolutions(network)):
        last = number >= 112
        name = f"side{number}" if last else f"stage{number}.conv_s1"
        state |= {f"{name}.weight": layer.weight.detach(), f"{name}.bias": layer.bias.detach()}
        if not last:
            values = [torch.rand(layer.out_channels, generator=generator) + 0.5 for _ in range(4)]
            parts = zip(("weight", "bias", "running_mean", "running_var"), values, strict=True)
            state |= {f"stage{number}.bn_s1.{part}": value for part, value in parts}
            norms.append(tuple(values))
    return state, norms


def test_batch_normalisation_is_folded_into_the_convolutions(small: U2Net, tmp_path: Path) -> None:
    state, norms = of_torch(small, torch.Generator().manual_seed(0))
    torch.save(state, tmp_path / "u2netp.pth")
    folded = convolutions(u2net.load(tmp_path / "u2netp.pth"))
    inputs = torch.randn(1, 3, 5, 5, generator=torch.Generator().manual_seed(1))
    weight, bias, mean, variance = norms[0]
    expected = nn.functional.batch_norm(
        convolutions(small)[0]._conv_forward(inputs, convolutions(small)[0].weight, convolutions(small)[0].bias),
        mean,
        variance,
        weight,
        bias,
    )
    found = folded[0]._conv_forward(inputs, folded[0].weight, folded[0].bias)
    torch.testing.assert_close(found, expected)


def graph(path: Path, pairs: list[tuple[Any, Any]]) -> Path:
    """An ONNX file with nothing but convolutions, whose initial values are `pairs`."""
    nodes, values = [], []
    for number, pair in enumerate(pairs):
        names = [f"w{number}", f"b{number}"]
        nodes.append(helper.make_node("Conv", [f"x{number}", *names], [f"x{number + 1}"]))
        values += [numpy_helper.from_array(np.asarray(value), name) for name, value in zip(names, pair, strict=True)]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("x0", f"x{len(pairs)}")]
    onnx.save(helper.make_model(helper.make_graph(nodes, "g", ends[:1], ends[1:], values)), path)
    return path


def test_initial_values_of_onnx_are_taken_in_the_order_of_the_graph(small: U2Net, tmp_path: Path) -> None:
    pairs = [(one.weight.detach().numpy(), one.bias.detach().numpy()) for one in convolutions(small)]
    found = u2net.load(graph(tmp_path / "u.onnx", pairs))
    with torch.inference_mode():
        torch.testing.assert_close(found(IMAGES), small(IMAGES), rtol=0, atol=0)
        assert found(IMAGES).shape == (1, 1, 40, 33)


def test_other_files_are_no_u2net(tmp_path: Path) -> None:
    graph(tmp_path / "other.onnx", [(np.zeros((2, 3, 3, 3), np.float32), np.zeros(2, np.float32))])
    with pytest.raises(UserError, match="expected the convolutions of u2net or u2netp, found 1 others"):
        u2net.load(tmp_path / "other.onnx")
    (tmp_path / "broken.onnx").write_bytes(b"\xff\xff\xff")
    with pytest.raises(UserError, match="not a readable ONNX file"):
        u2net.load(tmp_path / "broken.onnx")
    (tmp_path / "page.onnx").write_text("<!doctype html>")
    with pytest.raises(UserError, match="is a web page"):
        u2net.load(tmp_path / "page.onnx")
    with pytest.raises(UserError, match="no such weights file"):
        u2net.load(tmp_path / "none.onnx")
    with pytest.raises(ValueError, match="expected weights of u2net or u2netp"):
        variant_of({"conv1.weight": torch.zeros(1)})


def test_both_variants_have_eleven_levels() -> None:
    assert all((len(one.down), len(one.up)) == (6, 5) for one in VARIANTS.values())
    assert nn.BatchNorm2d(1).eps == of_u2net.EPSILON


# ---- others


def test_tensors_in_order_take_the_names_of_timm(tmp_path: Path) -> None:
    entry = table().of("efficientnet_lite0")
    torch.manual_seed(0)
    expected = timm.create_model("tf_efficientnet_lite0").state_dict()
    torch.save({f"t{number}": value for number, value in enumerate(expected.values())}, tmp_path / "w.pth")
    found = in_order.read(tmp_path / "w.pth", entry)
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], value) for name, value in expected.items())
    torch.save({f"t{number}": value for number, value in enumerate(list(expected.values())[1:])}, tmp_path / "w.pth")
    told = rf"expected the {len(expected)} tensors of timm:tf_.* found {len(expected) - 1},"
    with pytest.raises(UserError, match=told):
        in_order.read(tmp_path / "w.pth", entry)


def test_layers_of_keras_have_its_names() -> None:
    """The order of the numbers in the file is that of these names."""
    names = {
        "conv1": "conv1",
        "fc": "fc1000",
        "layer1.0.conv2": "res2a_branch2b",
        "layer3.5.conv3": "res4f_branch2c",
        "layer4.0.downsample.0": "res5a_branch1",
    }
    assert {name: keras_resnet._layer_of_keras(name) for name in names} == names
    assert keras_resnet._norm_of_keras("bn1") == "bn_conv1"
    assert keras_resnet._norm_of_keras("layer2.1.bn3") == "bn3b_branch2c"
    assert keras_resnet._norm_of_keras("layer2.0.downsample.1") == "bn3a_branch1"


def test_what_keras_computes_with_biases_and_its_epsilon_is_kept() -> None:
    """By hand: kernel 2, bias 3, mean 1, variance 4, scale 5, shift 6, so 5 (2 x + 3 - 1) / sqrt(4.001) + 6."""
    kernel = torch.zeros(7, 7, 3, 64)
    kernel[3, 3, 0] = 2.0  # of blue
    ones = torch.ones(64)
    given = {"conv1.weight": kernel, "conv1.bias": 3 * ones, "bn1.running_mean": ones, "bn1.running_var": 4 * ones}
    found = keras_resnet._as_torchvision(given | {"bn1.weight": 5 * ones, "bn1.bias": 6 * ones})
    assert "conv1.bias" not in found
    image = torch.tensor([9.0, 9.0, 7.0]).reshape(1, 3, 1, 1)  # RGB
    convolved = nn.functional.conv2d(image, found["conv1.weight"], padding=3)
    parts = (found[f"bn1.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
    value = nn.functional.batch_norm(convolved, *parts)[0, 0, 0, 0].item()
    assert value == pytest.approx(5 * (2 * 7 + 3 - 1) / 4.001**0.5 + 6, rel=1e-6)


def test_another_number_of_numbers_is_refused(tmp_path: Path) -> None:
    (tmp_path / "w.bin").write_bytes(bytes(8))
    with pytest.raises(UserError, match="expected 25,636,712 numbers of ResNet-50, found 2"):
        keras_resnet.read(tmp_path / "w.bin", table().of("keras_resnet50"))


def test_keys_of_dinov3_are_those_before_they_are_turned() -> None:
    torch.manual_seed(0)
    network = timm.create_model("vit_small_patch16_dinov3", num_classes=0).eval()
    seen: list[Tensor] = []
    network.blocks[-1].attn.qkv.register_forward_hook(lambda module, inputs, output: seen.append(output))
    images = torch.randn(1, 3, 32, 48, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        network(images)
        found = rope_vit.keys(network, images)
    expected = seen[0][:, network.num_prefix_tokens :, 384:768].reshape(1, 2, 3, 384)
    torch.testing.assert_close(found, expected)
