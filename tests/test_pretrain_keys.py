"""A tiny pretraining of one epoch: its files, reproducible from the seed, and the keys extracted with them."""

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from wsss_steps import extract_keys, pretrain_keys
from wsss_steps.data.manifest import Entry, Manifest, write_manifest
from wsss_steps.formats.kinds.features import FEATURES
from wsss_steps.formats.stamps import read_stamp
from wsss_steps.formats.stores import Store
from wsss_steps.formats.weights import read_weights
from wsss_steps.settings.features import BackboneFeatures, KeyFeatures, RgbFeatures
from wsss_steps.settings.steps import PretrainKeys
from wsss_steps.training import loop

SIZES = [(40, 36), (33, 47), (36, 36), (50, 30)]


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    entries = []
    for number, (height, width) in enumerate(SIZES):
        path = tmp_path / f"{number}.png"
        Image.fromarray(random.integers(0, 256, (height, width, 3), dtype=np.uint8)).save(path)
        entries.append(Entry(f"image{number}", "train", str(path), height, width, (1,)))
    entries.append(Entry("unseen", "val", str(tmp_path / "missing.png"), 8, 8, (1,)))
    write_manifest(tmp_path / "manifest.json", Manifest("tiny", ("thing",), tuple(entries)))
    return tmp_path / "manifest.json"


def settings(**changes: Any) -> dict[str, Any]:
    tiny = {"width": 12, "depth": 2, "heads": 3, "epochs": 1, "batch_size": 2, "prototypes": 8}
    crops = {"global_crop": 24, "local_crop": 16, "local_crops": 1, "blurred": 0.5}
    return PretrainKeys(**{**tiny, **crops, **changes}).model_dump(mode="json")


def train(manifest: Path, name: str, **changes: Any) -> tuple[Path, Path]:
    output, history = manifest.parent / f"{name}.safetensors", manifest.parent / f"{name}.csv"
    given = {"settings": settings(**changes), "stamp": '{"step": "test"}'}
    pretrain_keys.run(manifest=manifest, output=output, history=history, **given)
    return output, history


def test_the_seed_decides_every_byte(manifest: Path) -> None:
    first, second, other = train(manifest, "a"), train(manifest, "b"), train(manifest, "c", seed=1)
    for left, right in zip(first, second, strict=True):
        assert left.read_bytes() == right.read_bytes()
    assert first[0].read_bytes() != other[0].read_bytes()


def test_history_and_weights(manifest: Path) -> None:
    output, history = train(manifest, "a", epochs=2)
    header, *rows = history.read_text().splitlines()
    assert header == "epoch,learning_rate,loss,image,entropy_image,patch,entropy_patch"
    assert [row.split(",")[0] for row in rows] == ["1", "2"]
    state, content = read_weights(output, "vit")
    assert read_stamp(output) == {"step": "test"}
    assert (content["patch"], content["width"], content["image_size"]) == (8, 12, 24)
    assert {tensor.dtype for tensor in state.values() if tensor.is_floating_point()} == {torch.float16}


@pytest.mark.parametrize(("mode", "extents"), [("pad", [(40.0, 40.0), (40.0, 48.0)]), ("resize", SIZES[:2])])
def test_keys_of_the_train_split(manifest: Path, mode: str, extents: list[tuple[float, float]]) -> None:
    weights, _ = train(manifest, "a")
    chosen = KeyFeatures(vit="own", weights="pretrain_keys", input_mode=mode).model_dump(mode="json")
    output = manifest.parent / "keys.h5"
    extract_keys.run(manifest=manifest, weights=weights, output=output, settings=chosen, stamp='{"step": "test"}')
    with Store(output, FEATURES) as store:
        assert store.provenance == {"step": "test"}
        assert store.ids() == ["image0", "image1", "image2", "image3"]
        assert store["image0"]["features"].shape == (5, 5, 12)
        assert store["image1"]["features"].shape == (5, 6, 12)
        assert [tuple(store[f"image{i}"]["extent"].tolist()) for i in (0, 1)] == [tuple(map(float, e)) for e in extents]


def test_other_features_go_the_same_way(manifest: Path) -> None:
    rgb = RgbFeatures(cell=8).model_dump(mode="json")
    extract_keys.run(manifest=manifest, output=manifest.parent / "rgb.h5", settings=rgb)
    backbone = {"net": "small", "weights": "none", "mean": [0.5] * 3, "std": [0.25] * 3, "options": {}}
    small = {**BackboneFeatures().model_dump(mode="json"), "backbone": backbone}
    for name in ("first", "second"):
        extract_keys.run(manifest=manifest, output=manifest.parent / f"{name}.h5", settings=small)
    with Store(manifest.parent / "rgb.h5", FEATURES) as store:
        assert store["image1"]["features"].shape == (5, 6, 3)
    read = [Store(manifest.parent / f"{name}.h5", FEATURES) for name in ("first", "second")]
    first, second = (store["image1"]["features"] for store in read)
    assert first.shape[:2] == (3, 3)  # 33 x 47 px at output stride 16
    assert np.array_equal(first, second)  # random weights, but the same ones


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """The arguments of every call of `loop.fit`, with its keyword arguments as the last."""
    found, fit = [], loop.fit

    @functools.wraps(fit)  # the step reads its signature
    def spy(*args: Any, **options: Any) -> list[dict[str, float]]:
        found.append((*args, options))
        return fit(*args, **options)

    monkeypatch.setattr(loop, "fit", spy)
    return found


def test_the_teacher_is_written_and_how_its_images_are_normalised(manifest: Path, asked: list[tuple[Any, ...]]) -> None:
    mean, std = (0.6, 0.35, 0.2), (0.2, 0.5, 0.9)
    state, content = read_weights(train(manifest, "a", mean=mean, std=std)[0], "vit")
    assert (content["mean"], content["std"]) == (list(mean), list(std))
    teacher, student = (network.vit.state_dict() for network in (asked[0][0].teacher, asked[0][0].student))
    assert all(np.array_equal(value, teacher[name].half()) for name, value in state.items())
    assert not all(np.array_equal(value, student[name].half()) for name, value in state.items())


def test_settings_reach_losses_schedule_and_teacher(manifest: Path, asked: list[tuple[Any, ...]]) -> None:
    """None of them is a default."""
    of_losses = {"student_temperature": 0.3, "teacher_temperature": 0.07, "patch_weight": 0.6}
    of_schedule = {"learning_rate": 0.002, "warmup": 0.2, "weight_decay": 0.01}
    of_loop = {"epochs": 2, "batch_size": 3, "seed": 4}
    train(manifest, "a", teacher_momentum=0.7, **of_losses, **of_schedule, **of_loop)
    network, dataset, losses, optimiser, schedule, options = asked[0]
    assert (losses.keywords, schedule.keywords) == (of_losses, of_schedule)
    assert options["after_step"].keywords == {"teacher_momentum": 0.7}
    assert {name: options[name] for name in of_loop} == of_loop
    assert (dataset.seed, len(dataset)) == (4, 4)
    assert options["drop_last"]  # a batch norm of the heads would see few images
    student = {id(parameter) for parameter in network.student.parameters() if parameter.requires_grad}
    assert {id(parameter) for group in optimiser.param_groups for parameter in group["params"]} == student
