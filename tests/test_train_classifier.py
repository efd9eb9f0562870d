"""The two steps to class activation maps, on a few pixels and through their files."""

import functools
import logging
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from tiny_voc import CLASSES, HEIGHT, WIDTH, make_voc, write_voc

from wsss_steps import evaluate_classifier, make_cams, methods, train_classifier
from wsss_steps.data.manifest import Entry, Manifest, read_manifest, tag_matrix, write_manifest
from wsss_steps.errors import UserError
from wsss_steps.formats.files import read_json
from wsss_steps.formats.kinds.cams import CAMS
from wsss_steps.formats.stores import Store
from wsss_steps.formats.weights import read_weights, write_weights
from wsss_steps.methods import trainees
from wsss_steps.nets.backbones import build_backbone
from wsss_steps.ops.tag_scores import tag_scores
from wsss_steps.settings.base import Backbone
from wsss_steps.settings.cams import Cam
from wsss_steps.settings.classifier import MdcClassifier, PlainClassifier
from wsss_steps.training import resuming


def classifier(**overrides: Any) -> dict[str, Any]:
    small = {
        "backbone": Backbone(net="small", mean=(0.4, 0.5, 0.6)),
        "output_stride": 4,
        "frozen_stages": 0,
        "frozen_batch_norm": "none",
    }
    quick = {"epochs": 2, "batch_size": 2, "crop": 16, "resize_long": None}
    return PlainClassifier(**{**small, **quick, **overrides}).model_dump(mode="json")


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    root = make_voc(folder / "voc")
    return write_voc(root, folder / "manifest.json")


def train(manifest: Path, folder: Path, name: str = "c", weights: Path | None = None, **overrides: Any) -> Path:
    output, history = folder / f"{name}.safetensors", folder / f"{name}.csv"
    chosen = classifier(**overrides)
    train_classifier.run(
        manifest=manifest, weights=weights, output=output, history=history, settings=chosen, stamp="{}"
    )
    return output


def test_from_tags_to_maps(manifest: Path, tmp_path: Path) -> None:
    output = train(manifest, tmp_path)
    state, content = read_weights(output, "classifier")
    assert content["method"] == "plain"
    assert content["classes"] == list(CLASSES)
    assert content["network"]["backbone"]["mean"] == [0.4, 0.5, 0.6]
    assert content["init_weights"] == "random"
    assert len((tmp_path / "c.csv").read_text().splitlines()) == 3
    chosen = Cam(scales=(1.0, 0.5)).model_dump(mode="json")
    make_cams.run(
        manifest=manifest, needs={"classifier": output}, output=tmp_path / "cams.h5", settings=chosen, stamp="{}"
    )
    entries = read_manifest(manifest).split("train")
    with Store(tmp_path / "cams.h5", CAMS) as store:
        assert store.ids() == sorted(entry.id for entry in entries)
        for entry in entries:
            arrays = store[entry.id]
            assert arrays["class"].tolist() == list(entry.tags)
            assert arrays["cam"].shape == (len(entry.tags), HEIGHT, WIDTH)
            assert set(arrays["cam"].max((1, 2)).tolist()) <= {0.0, 1.0}
    network, _ = methods.rebuild("classifier", output)
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())


def test_dilated_blocks_from_tags_to_maps(manifest: Path, tmp_path: Path) -> None:
    chosen = classifier() | {"method": "mdc", "dilations": [1, 2], "widths": [8, 6], "init": "kaiming"}
    del chosen["legacy_irn_momentum"]
    chosen = MdcClassifier(**chosen).model_dump(mode="json")
    paths = [tmp_path / name for name in ("c.safetensors", "again.safetensors")]
    for output in paths:
        train_classifier.run(manifest=manifest, output=output, history=tmp_path / "c.csv", settings=chosen, stamp="{}")
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert (tmp_path / "c.csv").read_text().splitlines()[0] == "epoch,learning_rate,loss,tags,cam"
    network, content = methods.rebuild("classifier", paths[0])
    assert content["network"]["dilations"] == [1, 2]
    assert len(network.dilated) == 2
    maps = Cam(scales=(1.0, 0.5), merge="max").model_dump(mode="json")
    make_cams.run(
        manifest=manifest, needs={"classifier": paths[0]}, output=tmp_path / "cams.h5", settings=maps, stamp="{}"
    )
    with Store(tmp_path / "cams.h5", CAMS) as store:
        assert store.shape("t2", "cam") == (2, HEIGHT, WIDTH)


class Colours(torch.nn.Module):
    """A classifier whose map of a class is a channel of the image minus red: green for cat, blue for dog."""

    def __init__(self) -> None:
        super().__init__()
        self.head = torch.nn.Parameter(torch.zeros(1))
        self.backbone = SimpleNamespace(output_stride=1)
        self.asked: list[tuple[int, ...]] = []

    def maps(self, images: torch.Tensor) -> torch.Tensor:
        assert not self.training
        self.asked.append(tuple(images.shape))
        return images[:, 1:] - images[:, :1]


MEAN, STD = (0.6, 0.35, 0.2), (0.2, 0.5, 0.9)


@pytest.fixture
def colours(manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """A function from settings of `cam` to the network `Colours` and the items and stamp of its store."""

    def run(**overrides: Any) -> dict[str, Any]:
        network = Colours()
        backbone = Backbone(net="small", mean=MEAN, std=STD).model_dump(mode="json")
        content = {"classes": list(CLASSES), "network": {"backbone": backbone}}
        monkeypatch.setattr(methods, "rebuild", lambda *_: (network, content))
        chosen = Cam(**{"scales": (1.0,), "flip": False, "resolution": "full"} | overrides).model_dump(mode="json")
        paths = {"manifest": manifest, "needs": {"classifier": tmp_path / "none"}, "output": tmp_path / "cams.h5"}
        make_cams.run(**paths, settings=chosen, stamp='{"step": "test"}')
        with Store(tmp_path / "cams.h5", CAMS) as store:
            items = {name: store[name] for name in store.ids()}
            return {"items": items, "stamp": store.provenance, "asked": network.asked}

    return run


def test_maps_are_of_the_image_as_the_classifier_expects_it(manifest: Path, colours: Callable[..., Any]) -> None:
    """By hand: pixels minus the classifier's own mean, over its own deviation; negatives become 0, the maximum 1."""
    made = colours()
    assert made["stamp"] == {"step": "test"}
    for entry in read_manifest(manifest).split("train"):
        with Image.open(entry.image) as photo:
            pixels = (np.array(photo) / 255 - np.array(MEAN)) / np.array(STD)
        positive = [np.maximum(pixels[..., tag] - pixels[..., 0], 0) for tag in entry.tags]
        expected = [one / one.max() for one in positive]
        assert made["items"][entry.id]["class"].tolist() == list(entry.tags)
        np.testing.assert_allclose(made["items"][entry.id]["cam"], expected, atol=0.002)  # stored in 255 steps


def test_every_scale_is_read_and_the_mirror_image_with_it(colours: Callable[..., Any]) -> None:
    sizes = [(2, 3, HEIGHT, WIDTH), (2, 3, HEIGHT // 2, WIDTH // 2)]
    assert colours(scales=(1.0, 0.5), flip=True)["asked"] == 3 * sizes  # three images


def test_the_same_seed_gives_the_same_file(manifest: Path, tmp_path: Path) -> None:
    first, again, other = (train(manifest, tmp_path, name, seed=seed) for name, seed in (("a", 0), ("b", 0), ("c", 1)))
    assert first.read_bytes() == again.read_bytes()
    assert first.read_bytes() != other.read_bytes()


def test_initial_weights_come_from_a_file(manifest: Path, tmp_path: Path) -> None:
    """A classifier's own file initialises another; with every stage frozen, the backbone stays as it was."""
    first = train(manifest, tmp_path, "first", seed=3)
    small = Backbone(net="small", weights="first.safetensors")
    second = train(manifest, tmp_path, "second", weights=first, backbone=small, frozen_stages=4)
    before, after = (read_weights(path, "classifier") for path in (first, second))
    assert after[1]["init_weights"].startswith("first.safetensors sha256:")
    assert all(torch.equal(value, after[0][name]) for name, value in before[0].items() if name.startswith("backbone"))
    assert not torch.equal(before[0]["head.weight"], after[0]["head.weight"])


@pytest.fixture
def with_fc6(tmp_path: Path) -> Path:
    """Weights of the small network with an fc6 of 8 channels, which fits dilated blocks."""
    torch.manual_seed(7)
    state = build_backbone("small", output_stride=4, options={}).net.state_dict()
    state |= {"fc6.weight": torch.randn(8, 128, 3, 3) / 30, "fc6.bias": torch.randn(8)}
    save_file(state, tmp_path / "pre.safetensors")
    return tmp_path / "pre.safetensors"


def dilated(**overrides: Any) -> dict[str, Any]:
    """Settings of a classifier with dilated blocks."""
    chosen = classifier(backbone=Backbone(net="small", weights="pre.safetensors"))
    del chosen["legacy_irn_momentum"]
    few = {"method": "mdc", "dilations": [1, 2], "widths": [8, 6], "init": "kaiming"}
    return MdcClassifier(**(chosen | few | overrides)).model_dump(mode="json")


def test_layers_of_the_head_that_start_from_a_file_have_the_rate_of_the_backbone(
    manifest: Path, tmp_path: Path, with_fc6: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a multiplier of nearly 0 the new layers keep their initial weights, and fc6 learns."""
    fit = trainees.loop.fit
    made = []

    def spy(network: Any, dataset: Any, losses: Any, optimiser: Any, *rest: Any, **options: Any) -> Any:
        made.append((network, optimiser))
        return fit(network, dataset, losses, optimiser, *rest, **options)

    monkeypatch.setattr(trainees.loop, "fit", functools.wraps(fit)(spy))
    paths = {"output": tmp_path / "c.safetensors", "history": tmp_path / "c.csv", "weights": with_fc6}
    train_classifier.run(manifest=manifest, **paths, settings=dilated(head_multiplier=1e-20), stamp="{}")
    network, optimiser = made[0]
    slow = {id(parameter) for parameter in optimiser.param_groups[1]["params"]}
    given = load_file(with_fc6)
    for block in (network.head, *network.dilated):
        assert not torch.equal(block[0].weight, given["fc6.weight"])
        assert torch.allclose(block[0].weight, given["fc6.weight"], atol=0.3)  # where it started
        assert not slow & {id(parameter) for parameter in block[0].parameters()}
        assert {id(parameter) for layer in block[1:] for parameter in layer.parameters()} <= slow
    assert read_weights(tmp_path / "c.safetensors", "classifier")[1]["init_weights"].endswith(" with fc6")


class StopError(Exception):
    pass


def test_a_training_with_fc6_from_a_file_resumes_bit_for_bit(
    manifest: Path,
    tmp_path: Path,
    with_fc6: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def run(name: str) -> bytes:
        output = tmp_path / name / "c.safetensors"
        output.parent.mkdir(exist_ok=True)
        paths = {"output": output, "history": output.with_suffix(".csv"), "weights": with_fc6}
        train_classifier.run(manifest=manifest, **paths, settings=dilated(), stamp='{"step": "test"}')
        return output.read_bytes()

    expected = run("undisturbed")
    monkeypatch.setenv(resuming.SAVE, "0")
    after_step = resuming.Keeper.after_step

    def stopping(keeper: Any, state: Any) -> bool:
        if after_step(keeper, state) or state.step == 2:
            raise StopError
        return False

    with monkeypatch.context() as patch:
        patch.setattr(resuming.Keeper, "after_step", stopping)
        with pytest.raises(StopError):
            run("stopped")
    with caplog.at_level(logging.INFO):
        assert run("stopped") == expected
    assert "the training was interrupted: going on from" in caplog.text


@pytest.mark.parametrize("legacy", [False, True])
def test_momentum(manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, legacy: bool) -> None:
    made = []
    make = trainees.make_optimiser

    @functools.wraps(make)  # the step reads its signature
    def spy(*args: Any, **kwargs: Any) -> torch.optim.SGD:
        made.append(make(*args, **kwargs))
        return made[-1]

    monkeypatch.setattr(trainees, "make_optimiser", spy)
    train(manifest, tmp_path, legacy_irn_momentum=legacy)
    assert [group["momentum"] for group in made[0].param_groups] == [1e-4 if legacy else 0.9] * 2
    assert [group["weight_decay"] for group in made[0].param_groups] == [1e-4] * 2
    assert [group["base"] for group in made[0].param_groups] == [0.1, 1.0]


def test_a_frozen_random_backbone_is_told(manifest: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        train(manifest, tmp_path, frozen_stages=1, epochs=1)
    assert "random weights, yet parts are frozen" in caplog.text


def test_a_classifier_of_other_classes_is_refused(manifest: Path, tmp_path: Path) -> None:
    output, data = train(manifest, tmp_path, epochs=1), read_manifest(manifest)
    write_manifest(tmp_path / "other.json", Manifest(data.dataset, ("cow", "dog"), data.entries))
    with pytest.raises(UserError, match=r"was trained for classes \['cat', 'dog'\], the data set has \['cow', 'dog'\]"):
        make_cams.run(
            manifest=tmp_path / "other.json",
            needs={"classifier": output},
            output=tmp_path / "c.h5",
            settings=Cam().model_dump(),
            stamp="{}",
        )
    paths = {"manifest": tmp_path / "other.json", "classifier": output, "score": tmp_path / "tags.json"}
    with pytest.raises(UserError, match=r"was trained for classes \['cat', 'dog'\]"):
        evaluate_classifier.run(**paths, settings={"split": "val"})
    assert not (tmp_path / "tags.json").exists()


def test_weights_of_another_network_are_refused(manifest: Path, tmp_path: Path) -> None:
    state, content = read_weights(train(manifest, tmp_path, epochs=1), "classifier")
    changed = tmp_path / "changed.safetensors"
    write_weights(changed, "classifier", state, content={**content, "num_classes": 3}, stamp="{}")
    with pytest.raises(UserError, match=r"changed\.safetensors: was written by another version of this program"):
        methods.rebuild("classifier", changed)


def test_training_reads_the_images_of_train_alone(manifest: Path, tmp_path: Path) -> None:
    """The weights have the same bytes when the manifest has no other split."""
    data = read_manifest(manifest)
    write_manifest(tmp_path / "train.json", Manifest(data.dataset, data.classes, tuple(data.split("train"))))
    alone = train(tmp_path / "train.json", tmp_path, "alone", epochs=1)
    beside = train(manifest, tmp_path, "beside", epochs=1)
    assert alone.read_bytes() == beside.read_bytes()


def test_tag_scores_of_a_split(manifest: Path, tmp_path: Path) -> None:
    paths = {"manifest": manifest, "classifier": train(manifest, tmp_path, epochs=1), "score": tmp_path / "tags.json"}
    evaluate_classifier.run(**paths, settings={"split": "val"})
    score = read_json(tmp_path / "tags.json", "tag_score")
    assert (score["split"], score["images"]) == ("val", 2)
    assert all(0 <= score[name] <= 1 for name in ("f1", "precision", "recall", "macro_f1"))
    evaluate_classifier.run(**paths, settings={"split": "train"})
    score = read_json(tmp_path / "tags.json", "tag_score")
    assert (score["split"], score["images"]) == ("train", 3)
    with pytest.raises(UserError, match="no images of split 'test'"):
        evaluate_classifier.run(**paths, settings={"split": "test"})


def test_tags_are_predicted_above_one_half(manifest: Path) -> None:
    class Known(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return torch.tensor([[0.0, 1e-3]])  # probabilities 0.5 and slightly more: cat no, dog yes

    entries = [entry for entry in read_manifest(manifest).entries if entry.split == "val"]
    assert [entry.tags for entry in entries] == [(2,), (1,)]
    backbone = Backbone(net="small").model_dump(mode="json")
    predicted = evaluate_classifier.predicted_tags(Known(), entries, backbone, "cpu")
    scores = tag_scores(predicted, tag_matrix(entries, 2) > 0)
    assert scores == pytest.approx({"f1": 1 / 2, "precision": 1 / 2, "recall": 1 / 2, "macro_f1": np.mean([0, 2 / 3])})


def test_tags_are_predicted_of_the_image_as_the_classifier_expects_it(manifest: Path) -> None:
    class Channels(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return images.mean((2, 3))[
                :, :2
            ]  # the photographs are noise, about 0.5: less than MEAN of red, not of green

    entries = read_manifest(manifest).split("val")
    backbone = Backbone(net="small", mean=MEAN, std=STD).model_dump(mode="json")
    predicted = evaluate_classifier.predicted_tags(Channels(), entries, backbone, "cpu")
    assert predicted.tolist() == [[False, True]] * 2


def test_precision_and_recall_are_what_they_are_called(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both classes are predicted of either image, one is right."""
    content = {"classes": list(CLASSES), "network": {"backbone": {}}}
    monkeypatch.setattr(methods, "rebuild", lambda *_: (None, content))
    monkeypatch.setattr(evaluate_classifier, "predicted_tags", lambda *_: np.ones((2, 2), bool))
    paths = {"manifest": manifest, "classifier": tmp_path / "none", "score": tmp_path / "tags.json"}
    evaluate_classifier.run(**paths, settings={"split": "val"}, stamp='{"step": "test"}')
    score = read_json(tmp_path / "tags.json", "tag_score")
    assert (score["precision"], score["recall"], score["provenance"]) == (0.5, 1.0, {"step": "test"})
    one = {"f1": 2 / 3, "precision": 0.5, "recall": 1.0, "support": 1}
    assert score["per_class"] == [{"class": name, **one} for name in CLASSES]
    assert score["mistakes"] == [
        {"image": "v0", "wrong": ["cat"], "missed": []},
        {"image": "v1", "wrong": ["dog"], "missed": []},
    ]


def test_images_with_mistakes_are_listed() -> None:
    entries = [Entry(name, "val", "", 1, 1, ()) for name in "abc"]
    tags, predicted = (np.array(rows, bool) for rows in ([[1, 0], [0, 1], [1, 1]], [[1, 0], [1, 0], [0, 1]]))
    assert evaluate_classifier.mistakes(entries, predicted, tags, CLASSES) == [
        {"image": "b", "wrong": ["cat"], "missed": ["dog"]},
        {"image": "c", "wrong": [], "missed": ["cat"]},
    ]
