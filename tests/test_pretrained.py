"""Initial weights: wrappers removed, mismatches reported, no code in a file run, real weights recognise real cats."""

import logging
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
from wsss_steps.nets.deeplab import Aspp
from wsss_steps.nets.dilated import DilatedClassifier
from wsss_steps.pretrained import cache, sources
from wsss_steps.pretrained.backbones import load_backbone
from wsss_steps.pretrained.table import table

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


State = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def resnet() -> Backbone:
    return build("resnet50", seed=1)


def under(prefix: str, state: State) -> State:
    return {f"{prefix}.{key}": value for key, value in state.items()}


def coco(state: State) -> State:
    """The deeplabv3_resnet50 of torchvision with its auxiliary classifier."""
    network = torchvision.models.segmentation.deeplabv3_resnet50(weights=None, weights_backbone=None, aux_loss=True)
    return network.state_dict() | under("backbone", state)


def nested(state: State) -> dict[str, Any]:
    others = under("module.decode_head", {"conv_seg.weight": torch.zeros(3, 4)}) | {"module.queue": torch.zeros(2)}
    return {"epoch": 3, "state_dict": under("module.backbone", state) | others}


def moco(state: State) -> dict[str, Any]:
    """MoCo v3: the projector replaces fc, in both encoders."""
    projector = {"fc.0.weight": torch.zeros(8, 2048), "fc.1.running_mean": torch.zeros(8), "fc.3.weight": torch.ones(4)}
    base = state | projector
    average = {key: value + 1 for key, value in base.items()}
    found = under("module.momentum_encoder", average) | under("module.base_encoder", base)
    return {"arch": "resnet50", "state_dict": found | under("module.predictor", projector), "optimizer": {"state": {}}}


def moco_v2(state: State) -> dict[str, Any]:
    average = {key: value + 1 for key, value in state.items()}
    queue = {"module.queue": torch.zeros(2, 3), "module.queue_ptr": torch.zeros(1, dtype=torch.int64)}
    return {"state_dict": under("module.encoder_k", average) | under("module.encoder_q", state) | queue}


def irn(state: State) -> State:
    """Duplicates of the layers, in stages and in a list of stages."""
    stem = {"conv1": "stage1.0", "bn1": "stage1.1", "layer1": "stage1.4"}
    names = stem | {f"layer{number}": f"stage{number}.0" for number in (2, 3, 4)}
    stages = {".".join([names[key.split(".")[0]], *key.split(".")[1:]]): value for key, value in state.items()}
    listed = {f"backbone.{int(key[5]) - 1}{key[6:]}": value for key, value in stages.items()}
    head = torch.zeros(20, 2048, 1, 1)
    return under("resnet50", state) | stages | listed | {"classifier.weight": head, "newly_added.0.weight": head}


PUBLISHED: dict[str, tuple[str, Callable[[State], Any], str]] = {
    "deeplabv3_resnet50_coco": ("d.pth", coco, "left out aux_classifier (8), classifier (44)"),
    "nested": ("n.pth", nested, "left out module.decode_head (1), module.queue (1)"),
    "dictionaries": (
        "n.pt",
        lambda state: {"model": {"backbone": state, "head": {"weight": torch.zeros(2)}}},
        "left out head (1)",
    ),
    "MoCo v3": (
        "r-50-100ep.pth.tar",
        moco,
        "left out module.base_encoder.fc (3), module.momentum_encoder (321), module.predictor (3)",
    ),
    "MoCo v2": ("m.pth", moco_v2, "left out module.encoder_k (318), module.queue (1), module.queue_ptr (1)"),
    "IRN": (
        "res50_cam.pth",
        irn,
        "left out backbone (318), classifier (1), newly_added (1), stage1 (66), stage2 (78), stage3 (114), stage4 (60)",
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_weights_are_taken(
    resnet: Backbone, tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    file, make, told = PUBLISHED[name]
    torch.save(make(resnet.net.state_dict()), tmp_path / file)
    target = build("resnet50", seed=2)
    with caplog.at_level(logging.INFO):
        load_backbone(target, spec(file, "resnet50"), tmp_path / file)
    assert same(resnet, target)
    assert told in caplog.text


def test_parts_of_another_prefix_are_told_of_where_keys_are_missing(tmp_path: Path) -> None:
    state = under("net", build().net.state_dict()) | {"stem.weight": torch.zeros(2)}
    del state["net.conv_stem.weight"]
    save_file(state, tmp_path / "w.safetensors")
    with pytest.raises(UserError, match=r"1 missing: conv_stem\.weight\n  1 under other prefixes: stem\.weight$"):
        load_backbone(build(), spec(str(tmp_path / "w.safetensors")), None)


def test_numbers_that_are_no_weights_are_refused(tmp_path: Path) -> None:
    state = build().net.state_dict()
    state["blocks.0.0.bn1.bias"][1] = float("nan")
    state["bn1.weight"] = torch.full((16,), float("inf")).half()
    state["conv_stem.weight"] = state["conv_stem.weight"].to(torch.int8)
    unused = {"head.weight": torch.tensor([float("nan")]), "classifier.weight": torch.zeros(3, dtype=torch.int8)}
    save_file(state | unused, tmp_path / "w.safetensors")
    target = build(seed=1)
    with pytest.raises(UserError) as error:
        load_backbone(target, spec(str(tmp_path / "w.safetensors")), None)
    assert str(error.value).splitlines()[1:] == [
        "  3 of unusable numbers: blocks.0.0.bn1.bias: 1 of 16 are NaN or infinite, "
        "bn1.weight: 16 of 16 are NaN or infinite, conv_stem.weight: expected floating point, found int8"
    ]
    assert same(target, build(seed=1))
    save_file(build().net.state_dict() | unused, tmp_path / "w.safetensors")
    load_backbone(target, spec(str(tmp_path / "w.safetensors")), None)  # unused tensors may hold anything


def vgg_state(**layers: tuple[int, ...]) -> State:
    """Weights of VGG16 with extra layers of these shapes, `_` for `.` in their names."""
    generator = torch.Generator().manual_seed(5)
    state = build("vgg16", seed=1).net.state_dict()
    for name, shape in layers.items():
        state[f"{name.replace('_', '.')}.weight"] = torch.randn(shape, generator=generator)
        state[f"{name.replace('_', '.')}.bias"] = torch.randn(shape[0], generator=generator)
    return state


CONVOLUTIONAL = {"fc6": (1024, 512, 3, 3), "fc7": (1024, 1024, 1, 1), "fc8": (1000, 1024, 1, 1)}


@pytest.mark.parametrize("names", [("fc6", "fc7"), ("classifier.0", "classifier.3")])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_convolutional_fc6_and_fc7_fill_every_branch(tmp_path: Path, names: tuple[str, str], prefix: str) -> None:
    shapes = {name.replace(".", "_"): shape for name, shape in zip(names, CONVOLUTIONAL.values(), strict=False)}
    state = vgg_state(**shapes)
    save_file({f"{prefix}{key}": value for key, value in state.items()}, tmp_path / "w.safetensors")
    head = Aspp(512, 21, (6, 12), hidden=1024)
    before = head.branches[0][6].weight.clone()
    text = load_backbone(build("vgg16"), spec("w", "vgg16"), tmp_path / "w.safetensors", head.fc_layers)
    for branch in head.branches:
        for at, name in zip((0, 3), names, strict=True):
            assert torch.equal(branch[at].weight, state[f"{name}.weight"])
            assert torch.equal(branch[at].bias, state[f"{name}.bias"])
    assert torch.equal(head.branches[0][6].weight, before)
    assert text.endswith(" with fc6 and fc7")
    filled = {id(parameter) for branch in head.branches for at in (0, 3) for parameter in branch[at].parameters()}
    assert {id(parameter) for parameter in head.fc_layers.parameters()} == filled


def test_layers_of_4096_channels_are_left_out_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    state = build("vgg16", seed=1).net.state_dict()
    for number, shape in {0: (4096, 25088), 3: (4096, 4096), 6: (1000, 4096)}.items():  # torchvision's
        state[f"classifier.{number}.weight"] = torch.zeros(1).expand(shape)
        state[f"classifier.{number}.bias"] = torch.zeros(shape[0])
    torch.save(state, tmp_path / "vgg.pth")
    head = Aspp(512, 21, (6,), hidden=1024)
    before = {name: value.clone() for name, value in head.state_dict().items()}
    target = build("vgg16")
    with caplog.at_level(logging.INFO):
        text = load_backbone(target, spec("vgg.pth", "vgg16"), tmp_path / "vgg.pth", head.fc_layers)
    assert same(target, build("vgg16", seed=1))
    assert all(torch.equal(value, before[name]) for name, value in head.state_dict().items())
    assert not list(head.fc_layers.parameters())
    assert text.startswith("vgg.pth sha256:")
    assert "fc6" not in text
    assert (
        "classifier.0 is left out, expected {'weight': (1024, 512, 3, 3), 'bias': (1024,)}, "
        "found {'weight': (4096, 25088), 'bias': (4096,)}; it starts at random" in caplog.text
    )
    assert "left out classifier (6)" in caplog.text


def test_shapes_decide_what_is_filled(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """fc7 of the dilated blocks is 3x3, that of the file 1x1; and nothing is loaded behind a new layer."""
    state = vgg_state(**CONVOLUTIONAL)
    save_file(state, tmp_path / "w.safetensors")
    options = {"dilations": [3], "init": "normal", "init_std": 0.01}
    network = DilatedClassifier(build("vgg16"), 2, widths=[1024, 1024], **options)
    with caplog.at_level(logging.INFO):
        load_backbone(network.backbone, spec("w", "vgg16"), tmp_path / "w.safetensors", network.fc_layers)
    assert network.fc_layers.filled == ["fc6"]
    for block in (network.head, *network.dilated):
        assert torch.equal(block[0].weight, state["fc6.weight"])
    assert "fc7 is left out, expected {'weight': (1024, 1024, 3, 3)" in caplog.text
    save_file({key: value for key, value in state.items() if "fc6" not in key}, tmp_path / "w.safetensors")
    head = Aspp(512, 21, (6,), hidden=1024)
    load_backbone(build("vgg16"), spec("w", "vgg16"), tmp_path / "w.safetensors", head.fc_layers)
    assert head.fc_layers.filled == []


def test_broken_numbers_of_fc6_are_refused(tmp_path: Path) -> None:
    state = vgg_state(**CONVOLUTIONAL)
    state["fc6.bias"][3] = float("nan")
    save_file(state, tmp_path / "w.safetensors")
    target, head = build("vgg16"), Aspp(512, 21, (6,), hidden=1024)
    with pytest.raises(UserError, match=r"1 of unusable numbers: fc6\.bias: 1 of 1024 are NaN or infinite$"):
        load_backbone(target, spec("w", "vgg16"), tmp_path / "w.safetensors", head.fc_layers)
    assert same(target, build("vgg16"))
    assert head.fc_layers.filled == []


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
    assert same(target, build(seed=1))  # nothing is loaded in part


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
        "w.ckpt": r"expected a weights file \.safetensors, \.pth, \.pt or \.pth\.tar, found '\.ckpt'",
    }.items():
        (tmp_path / "w.ckpt").touch()
        with pytest.raises(UserError, match=words):
            load_backbone(build(), spec(name), None)


def test_a_failed_download_tells_the_way_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise URLError("no route to host")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(sources, "urlopen", refuse)
    monkeypatch.setattr(timm, "create_model", refuse)
    backbone = Backbone(torch.nn.Identity(), channels=1, output_stride=16, stages=[])
    with pytest.raises(UserError) as error:
        load_backbone(backbone, spec("imagenet", "vgg16"), None)
    place = tmp_path / "hub/checkpoints/vgg16-397923af.pth"
    first, second = str(error.value).splitlines()
    assert f"expected vgg16-397923af.pth (sha256 beginning 397923af) at {place}, or run" in first
    assert second.startswith("  https://download.pytorch.org/models/vgg16-397923af.pth: URLError: ")
    page = r"fetch https://huggingface\.co/timm/mobilenetv2_035\.\w+/resolve/main/model\.safetensors on a machine"
    with pytest.raises(UserError, match=rf"could not be downloaded \(URLError: .*no route.*(a \.safetensors|{page})"):
        load_backbone(backbone, spec("imagenet", NET), None)
    with pytest.raises(UserError, match="small has no ImageNet weights; set its weights to none or to a file"):
        load_backbone(build("small"), spec("imagenet", "small"), None)


def test_imagenet_of_torchvision_is_the_file_in_its_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where torchvision looks for it, with the checksum in its name."""
    entry = table().for_net("torchvision", "resnet50")
    assert entry is not None
    url = torchvision.models.get_model_weights("resnet50")["IMAGENET1K_V1"].url
    assert [source.place for source in entry.sources] == [url]
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert cache.place(entry) == Path(torch.hub.get_dir(), "checkpoints", Path(url).name)
    cache.place(entry).parent.mkdir(parents=True)
    cache.place(entry).write_bytes(b"something else")
    with pytest.raises(UserError, match="expected sha256 0676ba61, found "):
        load_backbone(build("resnet50"), spec("imagenet", "resnet50"), None)


@pytest.mark.data
def test_imagenet_weights_know_cats_and_dogs(real_data: Path) -> None:
    """With our own backbone, loader and normalisation. Class 1 + n is n of ImageNet: cats 281-285, dogs 151-268."""
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
