"""Weights in every naming give the same network; misfits and failed downloads are reported."""

import logging
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save_file

from wsss_steps.data.manifest import Entry
from wsss_steps.errors import UserError
from wsss_steps.formats.weights import write_weights
from wsss_steps.methods.features import keys as features
from wsss_steps.nets import vit
from wsss_steps.pretrained import vit as pretrained_vit
from wsss_steps.pretrained.table import table
from wsss_steps.settings.features import KeyFeatures

TINY = vit.Shape(patch=4, width=12, depth=2, heads=3, image_size=16)
NAME = "vit_tiny_test"
IMAGE = torch.linspace(-1, 1, 3 * 8 * 12).reshape(1, 3, 8, 12)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> torch.nn.Module:
    """A tiny network, which timm builds for a name like the published ones."""
    monkeypatch.setattr(pretrained_vit, "KNOWN", [*pretrained_vit.KNOWN, NAME])
    monkeypatch.setattr(timm, "create_model", lambda name, num_classes: {NAME: vit.build(TINY)}[name])
    torch.manual_seed(0)
    return vit.build(TINY).eval()


def keys(path: Path, name: str = NAME) -> torch.Tensor:
    with torch.no_grad():
        return vit.keys(pretrained_vit.load(name, path).vit, IMAGE)


def test_every_naming_gives_the_same_keys(network: torch.nn.Module, tmp_path: Path) -> None:
    state = network.state_dict()
    with torch.no_grad():
        expected = vit.keys(network, IMAGE)
    torch.save(state, tmp_path / "dino.pth")
    heads = {"head.mlp.0.weight": torch.zeros(2, 2), "head.last_layer.weight_g": torch.zeros(2, 1)}
    teacher = {f"module.backbone.{name}": tensor for name, tensor in state.items()}
    student = {name: tensor + 1 for name, tensor in teacher.items()}
    nested = {"student": student, "teacher": teacher | {f"module.{k}": v for k, v in heads.items()}, "epoch": 3}
    torch.save(nested, tmp_path / "checkpoint.pth")
    timm_names = state | {"head.weight": torch.zeros(5, 12), "head.bias": torch.zeros(5)}
    save_file({name: tensor.contiguous() for name, tensor in timm_names.items()}, tmp_path / "timm.safetensors")
    for file in ("dino.pth", "checkpoint.pth", "timm.safetensors"):
        torch.testing.assert_close(keys(tmp_path / file), expected, rtol=0, atol=0, msg=file)


def test_moco_v3_as_published_gives_its_base_encoder(
    network: torch.nn.Module, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Both encoders have a projector in place of the head, and there is a predictor besides."""
    projector = {"head.0.weight": torch.zeros(4, 12), "head.1.running_var": torch.ones(4)}
    base = network.state_dict() | projector
    state = {f"module.momentum_encoder.{name}": tensor + 1 for name, tensor in base.items()}
    state |= {f"module.base_encoder.{name}": tensor for name, tensor in base.items()}
    state |= {f"module.predictor.{name}": tensor for name, tensor in projector.items()}
    torch.save({"epoch": 300, "arch": "vit_base", "state_dict": state}, tmp_path / "vit-b-300ep.pth.tar")
    with torch.no_grad():
        expected = vit.keys(network, IMAGE)
    with caplog.at_level(logging.INFO):
        torch.testing.assert_close(keys(tmp_path / "vit-b-300ep.pth.tar"), expected, rtol=0, atol=0)
    told = "left out module.base_encoder.head (2), module.momentum_encoder (32), module.predictor (2)"
    assert told in caplog.text


def test_numbers_that_are_no_weights_are_refused(network: torch.nn.Module, tmp_path: Path) -> None:
    state = network.state_dict()
    state["norm.bias"][2] = float("nan")
    state["patch_embed.proj.weight"] = torch.zeros(12, 3, 4, 4, dtype=torch.int8)
    torch.save(state, tmp_path / "q.pth")
    with pytest.raises(UserError) as raised:
        keys(tmp_path / "q.pth")
    assert str(raised.value).splitlines()[1:] == [
        "  patch_embed.proj.weight: expected floating point, found int8",
        "  norm.bias: 1 of 12 are NaN or infinite",
    ]


@pytest.mark.parametrize("name", [NAME, "own"])
def test_a_web_page_is_named_whatever_was_expected(network: torch.nn.Module, tmp_path: Path, name: str) -> None:
    (tmp_path / "vit.pth").write_text("<!doctype html><title>Sign in</title>")
    with pytest.raises(UserError, match=r"vit\.pth: is a web page \(HTML or XML\), not weights"):
        keys(tmp_path / "vit.pth", name)


def test_own_weights_tell_how_to_build_them(network: torch.nn.Module, tmp_path: Path) -> None:
    content = {**vars(TINY), "mean": [0.1, 0.2, 0.3], "std": [1.0, 2.0, 3.0]}
    path = tmp_path / "own.safetensors"
    half = {name: tensor.half() for name, tensor in network.state_dict().items()}
    write_weights(path, "vit", half, content=content, stamp="")
    loaded = pretrained_vit.load("own", path)
    assert (loaded.mean, loaded.std) == ((0.1, 0.2, 0.3), (1.0, 2.0, 3.0))
    assert {tensor.dtype for tensor in loaded.vit.state_dict().values()} == {torch.float32}
    torch.testing.assert_close(keys(path, "own"), vit.keys(network, IMAGE), rtol=0, atol=2e-3)
    with pytest.raises(UserError, match="expected weights for vit: vit_tiny_test, found weights of pretrain_keys"):
        keys(path)


def test_the_weights_of_the_example_give_the_keys_that_they_gave(repository: Path) -> None:
    """Channel 0 of all patches, as on the day when timm took over building the published networks."""
    network = pretrained_vit.load("own", repository / "weights/example_vit.safetensors").vit
    with torch.no_grad():
        found = vit.keys(network, torch.linspace(-1, 1, 3 * 16 * 24).reshape(1, 3, 16, 24))
    expected = torch.tensor([[-0.7054, -0.6880, -0.6791], [-0.5424, -0.2323, -0.0894]])
    torch.testing.assert_close(found[0, :, :, 0], expected, rtol=0, atol=1e-4)


def test_misfits_are_all_named(network: torch.nn.Module, tmp_path: Path) -> None:
    state = network.state_dict()
    del state["blocks.1.norm1.bias"]
    state["patch_embed.proj.weight"] = torch.zeros(12, 3, 8, 8)
    state["decoder.weight"] = torch.zeros(2)
    torch.save(state, tmp_path / "other.pth")
    with pytest.raises(UserError) as raised:
        keys(tmp_path / "other.pth")
    assert str(raised.value).splitlines()[0] == f"{tmp_path / 'other.pth'} for {NAME}: weights that do not fit (3):"
    for line in (
        "blocks.1.norm1.bias: missing",
        "decoder.weight: unknown to this network",
        "patch_embed.proj.weight: expected shape (12, 3, 4, 4), found (12, 3, 8, 8)",
    ):
        assert f"  {line}" in str(raised.value)


def test_other_guards(network: torch.nn.Module, tmp_path: Path) -> None:
    torch.save(network.state_dict(), tmp_path / "plain.pth")
    with pytest.raises(UserError, match="vit: own is for weights of pretrain_keys"):
        keys(tmp_path / "plain.pth", "own")
    with pytest.raises(UserError, match="unknown vision transformer 'vit_huge'; known: vit_small_patch8_224"):
        keys(tmp_path / "plain.pth", "vit_huge")
    with pytest.raises(UserError, match=r"no\.pth: no such file \(expected weights of a vision transformer\)"):
        keys(tmp_path / "no.pth")


# ---- networks of timm


def test_networks_with_published_weights_are_those_of_the_settings() -> None:
    assert {*pretrained_vit.KNOWN, "own"} == set(get_args(KeyFeatures.model_fields["vit"].annotation))


def test_a_file_of_timm_and_a_checkpoint_of_dino_give_the_network_of_timm(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = timm.create_model("vit_small_patch16_224.dino", num_classes=0).eval()
    state = network.state_dict()
    save_file(state, tmp_path / "model.safetensors")
    teacher = {f"backbone.{name}": tensor for name, tensor in state.items()} | {"head.mlp.0.bias": torch.zeros(2)}
    student = {f"module.{name}": torch.zeros_like(tensor) for name, tensor in teacher.items()}
    torch.save({"student": student, "teacher": teacher, "epoch": 3}, tmp_path / "checkpoint.pth")
    images = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        for file in ("model.safetensors", "checkpoint.pth"):
            loaded = pretrained_vit.load("vit_small_patch16_224", tmp_path / file).vit
            torch.testing.assert_close(vit.keys(loaded, images), vit.keys(network, images), rtol=0, atol=0)
            torch.testing.assert_close(vit.class_token_and_keys(loaded, images)[0], network(images))  # timm's own


def test_the_table_says_of_files_of_timm_what_timm_does() -> None:
    """Where they lie, under which licence, and which mean and std they expect."""
    for entry in table().entries.values():
        for source in entry.sources:
            if source.kind == "hub":
                about = timm.get_pretrained_cfg(source.place.removeprefix("timm/"))
                assert (about.hf_hub_id, about.mean, about.std) == (source.place, entry.mean, entry.std), entry.name
                assert about.license.lower() == entry.licence.lower()


def test_keys_of_dinov3_come_from_a_file(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = timm.create_model("vit_small_patch16_dinov3", num_classes=0).eval()
    save_file(network.state_dict(), tmp_path / "model.safetensors")
    Image.fromarray(np.full((20, 40, 3), 90, np.uint8)).save(tmp_path / "a.png")
    options = {"input_mode": "pad", "image_scale": 1.0, "centre": False, "device": "cpu"}
    make = features.maker(vit="vit_small_patch16_dinov3", weights=tmp_path / "model.safetensors", **options)
    found = make(Entry("a", "train", str(tmp_path / "a.png"), 20, 40, ()), {})
    assert found["features"].shape == (2, 3, 384)
    with pytest.raises(UserError, match="vit: own needs weights; for one of your own"):
        features.maker(vit="own", weights=None, **options)
