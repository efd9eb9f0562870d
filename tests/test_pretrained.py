"""Initial weights: wrappers are taken off, misfits are told, nothing in a file is run, real weights see real cats."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import timm
import torch
import torchvision
from safetensors.torch import load_file, save_file

from wsss_steps.data.images import normalise, read_image, resize_image
from wsss_steps.errors import UserError
from wsss_steps.nets.backbones import Backbone, build_backbone
from wsss_steps.pretrained import load_backbone

NET = "timm:mobilenetv2_035"


def build(net: str = NET, seed: int = 0, **options: Any) -> Backbone:
    torch.manual_seed(seed)
    return build_backbone(net, output_stride=16, options=options)


def spec(weights: str, net: str = NET, **options: Any) -> dict[str, Any]:
    return {"net": net, "weights": weights, "mean": [0, 0, 0], "std": [1, 1, 1], "options": options}


def same(one: Backbone, two: Backbone) -> bool:
    return all(torch.equal(value, two.state_dict()[key]) for key, value in one.state_dict().items())


def with_head(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {**state, "classifier.weight": torch.zeros(1000, 1280), "classifier.bias": torch.zeros(1000)}


WRAPPED: dict[str, Callable[[dict[str, torch.Tensor]], Any]] = {
    "bare": lambda state: state,
    "head": with_head,
    "nested": lambda state: {"epoch": 3, "state_dict": with_head(state)},
    "parallel": lambda state: {"model": {f"module.{key}": value for key, value in with_head(state).items()}},
    "ours": lambda state: (
        {f"backbone.net.{key}": value for key, value in state.items()} | {"head.weight": torch.zeros(3)}
    ),
    "old": lambda state: {key: value for key, value in state.items() if "num_batches_tracked" not in key},
}


@pytest.mark.parametrize("name", WRAPPED)
def test_wrapped_weights_are_found(tmp_path: Path, name: str) -> None:
    source, target = build(seed=1), build(seed=2)
    content = WRAPPED[name](source.net.state_dict())
    torch.save(content, tmp_path / "w.pth")
    text = load_backbone(target, spec("w.pth"), tmp_path / "w.pth")
    assert same(source, target)
    assert text.startswith("w.pth sha256:")
    if name not in ("nested", "parallel"):
        save_file(content, tmp_path / "w.safetensors")
        target = build(seed=3)
        load_backbone(target, spec(str(tmp_path / "w.safetensors")), None)
        assert same(source, target)


def test_none_changes_nothing() -> None:
    backbone = build(seed=1)
    assert load_backbone(backbone, spec("none"), None) == "random"
    assert same(backbone, build(seed=1))


def test_a_misfit_lists_a_few_of_each_kind(tmp_path: Path) -> None:
    state = build().net.state_dict()
    state = {key: value for key, value in state.items() if not key.startswith("blocks.6.0.bn")}
    state["blocks.9.weight"] = torch.zeros(2)
    state["conv_stem.weight"] = torch.zeros(16, 4, 3, 3)
    save_file(state, tmp_path / "w.safetensors")
    target = build(seed=1)
    with pytest.raises(UserError) as error:
        load_backbone(target, spec(str(tmp_path / "w.safetensors")), None)
    lines = str(error.value).splitlines()
    assert lines[0].startswith("weights do not fit, w.safetensors sha256:")
    assert "12 missing: blocks.6.0.bn1.bias" in lines[1]
    assert lines[1].endswith(" ...")
    assert lines[2] == "  1 unexpected: blocks.9.weight"
    assert lines[3] == "  1 of another shape: conv_stem.weight: expected (16, 3, 3, 3), found (16, 4, 3, 3)"
    assert same(target, build(seed=1))  # nothing is loaded by halves


def test_weights_of_a_deeper_network_are_refused(tmp_path: Path) -> None:
    save_file(build("timm:resnet34").net.state_dict(), tmp_path / "deep.safetensors")
    with pytest.raises(UserError, match=r"unexpected: layer1\.2"):
        load_backbone(build("timm:resnet18"), spec(str(tmp_path / "deep.safetensors"), "timm:resnet18"), None)


class Harmful:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("harm"),)


def test_files_that_are_no_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": Harmful()}, tmp_path / "harmful.pth")
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(Harmful()))
    for name in ("harmful.pth", "plain.pth"):
        with pytest.raises(UserError, match="holds more than plain tensors"):
            load_backbone(build(), spec(name), None)
    assert not (tmp_path / "harm").exists()
    (tmp_path / "cut.safetensors").write_bytes(b"\x10\x00\x00")
    torch.save([1, 2], tmp_path / "list.pth")
    torch.save({"epoch": 1}, tmp_path / "empty.pt")
    (tmp_path / "none.pth").write_bytes(b"")
    for name, words in {
        "cut.safetensors": "not a readable safetensors file",
        "list.pth": "expected a dictionary of tensors by name, found list",
        "empty.pt": "expected a dictionary of tensors by name, found dict",
        "none.pth": "not a readable file of torch.save",
        "absent.pth": "no such weights file",
        "w.ckpt": r"expected a weights file \.safetensors, \.pth or \.pt, found '\.ckpt'",
    }.items():
        (tmp_path / "w.ckpt").touch()
        with pytest.raises(UserError, match=words):
            load_backbone(build(), spec(name), None)


def test_a_failed_download_tells_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise URLError("no route to host")

    monkeypatch.setattr(torchvision.models._api, "load_state_dict_from_url", refuse)
    monkeypatch.setattr(timm, "create_model", refuse)
    for net in ("vgg16", NET):
        backbone = Backbone(torch.nn.Identity(), channels=1, output_stride=16, stages=[])
        with pytest.raises(
            UserError,
            match=r"could not be downloaded \(URLError: .*no route.* give its path as the backbone's `weights`",
        ):
            load_backbone(backbone, spec("imagenet", net), None)
    with pytest.raises(UserError, match="small has no ImageNet weights; set its weights to none or to a file"):
        load_backbone(build("small"), spec("imagenet", "small"), None)


@pytest.mark.data
def test_imagenet_weights_know_cats_and_dogs(real_data: Path) -> None:
    """Through our own backbone, loader and normalisation. Class 1 + n is n of ImageNet: cats 281-285, dogs 151-268."""
    file = real_data / "weights" / "mobilenetv2_100_imagenet.safetensors"
    options = {"num_classes": 1001, "pad_type": "same"}
    backbone = build("timm:mobilenetv2_100", **options)
    load_backbone(backbone, spec(str(file), "timm:mobilenetv2_100", **options), file)
    head = load_file(file)
    wanted = {"cat": set(range(282, 287)), "dog": set(range(152, 270))}
    rows = (real_data / "voc_animals" / "tags.csv").read_text().splitlines()[1:]
    for name, classes in wanted.items():
        ids = [row.split(",")[0] for row in rows if row.split(",")[2] == name][:20]
        images = [read_image(real_data / "voc_animals" / "JPEGImages" / f"{image_id}.jpg") for image_id in ids]
        pixels = [
            torch.from_numpy(normalise(resize_image(image, (224, 224)), (0.5,) * 3, (0.5,) * 3)) for image in images
        ]
        with torch.no_grad():
            features = backbone.eval()(torch.stack(pixels)).mean((2, 3))
        found = (features @ head["classifier.weight"].T + head["classifier.bias"]).argmax(1).tolist()
        assert sum(label in classes for label in found) >= 14
