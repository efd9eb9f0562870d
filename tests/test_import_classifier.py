"""A classifier of the user's: namings of public code, heads, classes, and files of this workflow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from contracts import world
from safetensors.torch import save_file
from torch import Tensor

from wsss_steps import import_classifier, methods
from wsss_steps.data.manifest import Manifest, write_manifest
from wsss_steps.errors import UserError
from wsss_steps.formats.weights import read_weights, write_weights
from wsss_steps.methods.classifier import _naming as naming
from wsss_steps.nets.backbones import build_backbone
from wsss_steps.settings.base import Backbone
from wsss_steps.settings.classifier import GivenClassifier

CLASSES = ("red", "green", "blue")
IMAGES = torch.rand(2, 3, 32, 48, generator=torch.Generator().manual_seed(0))
RESNET = (
    "conv1.weight",
    "bn1.bias",
    "layer1.0.bn1.bias",
    "layer2.3.bn1.bias",
    "layer3.0.bn1.bias",
    "layer4.1.bn1.bias",
)


def manifest(folder: Path, classes: tuple[str, ...] = CLASSES) -> Path:
    write_manifest(folder / "manifest.json", Manifest("x", classes, ()))
    return folder / "manifest.json"


def imported(source: Path, classes: tuple[str, ...] = CLASSES, **settings: Any) -> Any:
    """The network that the step makes, and what its file says."""
    chosen = GivenClassifier(**{"backbone": Backbone(net="small"), "output_stride": 8} | settings)
    output = source.parent / "out.safetensors"
    given = {"source": source, "output": output, "settings": chosen.model_dump(mode="json")}
    import_classifier.run(manifest=manifest(source.parent, classes), **given, stamp="{}")
    return methods.rebuild("classifier", output, classes=classes)


def backbone_state() -> dict[str, Tensor]:
    torch.manual_seed(1)
    return build_backbone("small", output_stride=8, options={}, dilated=False).net.state_dict()


def head(outputs: int = 3) -> tuple[Tensor, Tensor]:
    torch.manual_seed(2)
    channels = build_backbone("small", output_stride=8, options={}, dilated=False).channels
    return torch.randn(outputs, channels), torch.randn(outputs)


def expected(weight: Tensor, bias: Tensor) -> Tensor:
    """Scores by the backbone's features, pooled before the linear layer."""
    backbone = build_backbone("small", output_stride=8, options={}, dilated=False).eval()
    backbone.net.load_state_dict(backbone_state())
    with torch.no_grad():
        return backbone(IMAGES).mean((2, 3)) @ weight.T + bias


def written(folder: Path, state: Mapping[str, Tensor], name: str = "mine.pth") -> Path:
    path = folder / name
    if path.suffix == ".safetensors":
        save_file({key: one.contiguous() for key, one in state.items()}, path)
    else:
        torch.save(dict(state), path)
    return path


@pytest.mark.parametrize("prefix", ["", "model.", "module.net."])
@pytest.mark.parametrize("layer", ["fc", "classifier", "fc8", "head.fc"])
def test_scores_are_those_of_the_file(tmp_path: Path, prefix: str, layer: str) -> None:
    weight, bias = head()
    state = {f"{prefix}{key}": one for key, one in backbone_state().items()}
    state |= {f"{prefix}{layer}.weight": weight, f"{prefix}{layer}.bias": bias}
    network, content = imported(written(tmp_path, state))
    with torch.no_grad():
        assert torch.allclose(network(IMAGES), expected(weight, bias), atol=1e-5)
        assert torch.allclose(network.maps(IMAGES).mean((2, 3)) + bias, network(IMAGES), atol=1e-5)
    assert content["init_weights"].startswith("mine.pth sha256:")


def test_a_1x1_convolution_without_bias_outside_of_the_backbone_is_taken(tmp_path: Path) -> None:
    weight, _ = head()
    state = {f"resnet50.{key}": one for key, one in backbone_state().items()}
    state |= {"classifier.weight": weight[:, :, None, None], "newly_added.0.weight": weight.clone()[:, :, None, None]}
    network, _ = imported(written(tmp_path, state, "mine.safetensors"))
    with torch.no_grad():
        assert torch.allclose(network(IMAGES), expected(weight, torch.zeros(3)), atol=1e-5)


def test_the_user_says_which_output_is_which_class(tmp_path: Path) -> None:
    weight, bias = head(5)
    source = written(tmp_path, {**backbone_state(), "fc.weight": weight, "fc.bias": bias})
    network, _ = imported(source, class_numbers={"red": 4, "green": 0, "blue": 2})
    with torch.no_grad():
        assert torch.allclose(network(IMAGES), expected(weight, bias)[:, [4, 0, 2]], atol=1e-5)
    with pytest.raises(UserError, match=r"expected 3 outputs, one per class, found 5; say which by `class_numbers"):
        imported(source)


def test_all_that_does_not_fit_is_told_at_once(tmp_path: Path) -> None:
    state = backbone_state()
    first, second, third = [key for key in state if key.endswith("weight")][:3]
    state[second] = torch.zeros(1)
    state[third] = torch.full_like(state[third], torch.nan)
    del state[first]
    state |= {"extra.weight": torch.zeros(3), "fc.weight": torch.zeros(2, 7), "f9.weight": torch.zeros(2)}
    with pytest.raises(UserError) as error:
        imported(written(tmp_path, state), class_numbers={"red": 0, "green": 9, "cyan": 1}, ignore=("f9.",))
    for words in (
        f"1 missing: {first}",
        f"1 of another shape: {second}: expected",
        f"of unusable numbers: {third}:",
        "1 unexpected: extra.weight",
        "fc.weight: expected",
        "channels of the backbone, found 7",
        "unknown class 'cyan'; known classes: red, green, blue",
        "no number of class 'blue'",
        "found in the file:",
        "known: IRN (resnet50.conv1.weight or stage1.0.weight, ..., classifier.weight)",
    ):
        assert words in str(error.value)


def test_outputs_that_the_file_lacks_are_told(tmp_path: Path) -> None:
    weight, bias = head()
    source = written(tmp_path, {**backbone_state(), "fc.weight": weight, "fc.bias": bias})
    with pytest.raises(UserError, match="class_numbers: expected 0 to 2, found 3 of 'blue'"):
        imported(source, class_numbers={"red": 0, "green": 1, "blue": 3})


def test_a_layer_of_classes_that_is_not_known_is_named(tmp_path: Path) -> None:
    weight, bias = head()
    state = {**backbone_state(), "mine.weight": weight, "mine.bias": bias}
    with pytest.raises(
        UserError, match="no layer of classes: expected one of classifier.weight, .*say which by `head`"
    ):
        imported(written(tmp_path, state))
    assert imported(written(tmp_path, state), head="mine")
    state |= {"fc.weight": weight + 1, "head.weight": weight}
    with pytest.raises(UserError, match="several layers of classes: fc, head; say which by `head`"):
        imported(written(tmp_path, state))


STAGED = {
    "torchvision": ("", "", "", "", "", ""),
    "IRN": ("stage1.0.", "stage1.1.", "stage1.4.", "stage2.0.", "stage3.0.", "stage4.0."),
    "IRN's list": (
        "backbone.0.0.",
        "backbone.0.1.",
        "backbone.0.4.",
        "backbone.1.0.",
        "backbone.2.0.",
        "backbone.3.0.",
    ),
    "Puzzle-CAM": ("stage1.0.", "stage1.1.", "stage2.0.", "stage3.0.", "stage4.0.", "stage5.0."),
}


@pytest.mark.parametrize("code", STAGED)
@pytest.mark.parametrize("prefix", ["", "module."])
def test_stages_of_public_code_are_known(code: str, prefix: str) -> None:
    keys = [
        f"{prefix}{stage}{key.partition('.')[2]}" if stage else f"{prefix}{key}"
        for stage, key in zip(STAGED[code], RESNET, strict=True)
    ]
    found = naming.renamed({key: torch.tensor(number) for number, key in enumerate(keys)}, RESNET)
    assert [int(found[f"{prefix}{key}"]) for key in RESNET] == list(range(len(RESNET)))


# ---- files of this workflow


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return world.random_classifier(tmp_path / "own.safetensors")


def test_a_classifier_of_this_workflow_is_taken_as_it_is(own: Path) -> None:
    before, content = read_weights(own, "classifier")
    network, about = imported(own, backbone="resnet50")
    after = network.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert about == content


def test_its_classes_are_found_by_name(own: Path) -> None:
    before, _ = methods.rebuild("classifier", own)
    network, about = imported(own, ("blue", "red"))
    with torch.no_grad():
        assert torch.allclose(network(IMAGES), before(IMAGES)[:, [2, 0]], atol=1e-6)
    assert about["classes"] == ["blue", "red"]
    with pytest.raises(UserError, match=r"does not know \['cyan'\]; it was trained for \['red', 'green', 'blue'\]"):
        imported(own, ("red", "cyan"))


def test_another_network_of_this_workflow_is_refused(tmp_path: Path) -> None:
    write_weights(tmp_path / "s.safetensors", "segmenter", {}, content={}, stamp="")
    with pytest.raises(
        UserError, match="expected weights of a classifier, found those of a segmenter of this workflow"
    ):
        imported(tmp_path / "s.safetensors")
