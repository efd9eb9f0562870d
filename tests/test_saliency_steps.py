"""The saliency steps through their files: a detector from pairs to maps, given maps, and what is refused."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_voc import HEIGHT, SPLITS, WIDTH, make_voc, write_voc

from wsss_steps import make_saliency_example, methods, predict_saliency, train_saliency
from wsss_steps.data.manifest import read_manifest, write_manifest
from wsss_steps.errors import UserError
from wsss_steps.formats.kinds.saliency import SALIENCY
from wsss_steps.formats.stores import Store
from wsss_steps.formats.weights import read_weights, write_weights
from wsss_steps.settings.base import Backbone
from wsss_steps.settings.saliency import DetectorSaliency, GivenSaliency


def detector(**overrides: Any) -> dict[str, Any]:
    small = {
        "backbone": Backbone(net="small", mean=(0.4, 0.5, 0.6)),
        "pairs": "drawn",
        "frozen_batch_norm": "none",
        "decoder_width": 8,
    }
    quick = {"epochs": 1, "batch_size": 2, "crop": 64, "resize_long": None}
    return DetectorSaliency(**{**small, **quick, **overrides}).model_dump(mode="json")


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawn") / "pairs"
    make_saliency_example.run(output=folder, settings={"count": 4, "size": 64, "seed": 5})
    return folder


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    root = make_voc(folder / "voc")
    write_voc(root, folder / "m.json", folder / "t.json")
    return folder / "m.json"


def train(pairs: Path, folder: Path, name: str = "d", weights: Path | None = None, **overrides: Any) -> Path:
    output = folder / f"{name}.safetensors"
    train_saliency.run(
        pairs=pairs,
        weights=weights,
        output=output,
        history=folder / f"{name}.csv",
        settings=detector(**overrides),
        stamp="{}",
    )
    return output


def test_from_pairs_to_maps(pairs: Path, manifest: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        output = train(pairs, tmp_path, epochs=2)
        predict_saliency.run(
            manifest=manifest, source=output, output=tmp_path / "s.h5", settings=detector(), stamp='{"step": "test"}'
        )
    assert "4 pairs; salient are" in caplog.text
    assert "3 saliency maps; salient (above 127) are" in caplog.text
    state, content = read_weights(output, "saliency")
    assert (content["classes"], content["pairs"], content["init_weights"]) == (["salient"], "drawn", "random")
    assert len((tmp_path / "d.csv").read_text().splitlines()) == 3
    network, _ = methods.rebuild("saliency", output)
    assert all(np.array_equal(value, state[name]) for name, value in network.state_dict().items())
    with Store(tmp_path / "s.h5", SALIENCY) as store:
        assert store.ids() == sorted(SPLITS["train"])
        assert store.left_out == []
        for image_id in store.ids():
            values = store[image_id]["saliency"]
            assert (values.shape, values.dtype) == ((HEIGHT, WIDTH), np.float32)
            assert 0 < values.max() <= 1


def test_the_same_seed_gives_the_same_file(pairs: Path, tmp_path: Path) -> None:
    first, again, other = (train(pairs, tmp_path, name, seed=seed) for name, seed in (("a", 0), ("b", 0), ("c", 1)))
    assert first.read_bytes() == again.read_bytes()
    assert first.read_bytes() != other.read_bytes()


def test_a_detector_learns_one_picture_by_heart(tmp_path: Path) -> None:
    pairs = tmp_path / "pairs"
    make_saliency_example.run(output=pairs, settings={"count": 2, "size": 64, "seed": 5})
    output = train(pairs, tmp_path, epochs=60, learning_rate=0.1, head_multiplier=1, flip=False)
    losses = [float(line.split(",")[2]) for line in (tmp_path / "d.csv").read_text().splitlines()[1:]]
    assert losses[-1] < 0.5 * losses[0]
    assert output.is_file()


def test_masks_of_0_and_1_are_refused(tmp_path: Path) -> None:
    for kind, end in (("Image", "jpg"), ("Mask", "png")):
        (tmp_path / f"X-{kind}").mkdir()
        Image.fromarray(np.ones((8, 8), np.uint8)).save(tmp_path / f"X-{kind}" / f"a.{end}")
    with pytest.raises(UserError, match="no mask of 1 has a pixel above 127; expected masks of 0 and 255"):
        train(tmp_path, tmp_path)


def test_weights_of_another_kind_are_refused(manifest: Path, tmp_path: Path) -> None:
    write_weights(tmp_path / "c.safetensors", "classifier", {}, content={}, stamp="{}")
    with pytest.raises(UserError, match="expected .*wsss/saliency"):
        predict_saliency.run(
            manifest=manifest, source=tmp_path / "c.safetensors", output=tmp_path / "s.h5", settings=detector()
        )
    assert not (tmp_path / "s.h5").exists()


def give(folder: Path, *ids: str) -> Path:
    folder.mkdir()
    for number, image_id in enumerate(ids):
        values = np.zeros((HEIGHT, WIDTH), np.uint8)
        values[:, : WIDTH // (2 + 2 * number)] = 200
        Image.fromarray(values).save(folder / f"{image_id}.png")
    return folder


def test_given_maps(manifest: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = give(tmp_path / "maps", "t0", "t2")
    stop, leave = (GivenSaliency(bad_maps=bad).model_dump(mode="json") for bad in ("stop", "leave_out"))
    with pytest.raises(UserError, match=r"cannot be used .*\(1\):\n  t1: missing"):
        predict_saliency.run(manifest=manifest, source=folder, output=tmp_path / "s.h5", settings=stop)
    assert not (tmp_path / "s.h5").exists()
    with caplog.at_level(logging.INFO):
        predict_saliency.run(manifest=manifest, source=folder, output=tmp_path / "s.h5", settings=leave, stamp="{}")
    assert "37.5 % of the pixels on average, 25.0 to 50.0 %; 0 all zero; 1 images left out" in caplog.text
    with Store(tmp_path / "s.h5", SALIENCY) as store:
        assert store.left_out == ["t1"]
        assert not store["t1"]["saliency"].any()
        assert store["t0"]["saliency"][0].tolist() == pytest.approx([200 / 255] * 8 + [0] * 8)


def test_a_shard_may_be_without_any_map_and_a_data_set_may_not(manifest: Path, tmp_path: Path) -> None:
    data, folder = read_manifest(manifest), give(tmp_path / "maps")
    settings = GivenSaliency(bad_maps="leave_out").model_dump(mode="json")
    write_manifest(tmp_path / "part.json", dataclasses.replace(data, shard="000-of-002"))
    paths = {"source": folder, "output": tmp_path / "s.h5"}
    predict_saliency.run(manifest=tmp_path / "part.json", **paths, settings=settings, stamp="{}")
    with Store(tmp_path / "s.h5", SALIENCY) as store:
        assert store.left_out == list(SPLITS["train"])
    with pytest.raises(UserError, match="saliency maps that cannot be used"):
        predict_saliency.run(manifest=manifest, **paths, settings=settings, stamp="{}")


def test_maps_of_a_detector_are_of_the_image_as_it_expects_it(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By hand, for a network that returns its input: the sigmoid of red minus the mean, over the standard deviation."""
    mean, std = (0.6, 0.35, 0.2), (0.2, 0.5, 0.9)
    content = {"network": {"backbone": Backbone(net="small", mean=mean, std=std).model_dump(mode="json")}}
    monkeypatch.setattr(methods, "rebuild", lambda *_: (torch.nn.Identity(), content))
    paths = {"manifest": manifest, "source": tmp_path / "none", "output": tmp_path / "s.h5"}
    predict_saliency.run(**paths, settings=detector(), stamp='{"step": "test"}')
    with Store(tmp_path / "s.h5", SALIENCY) as store:
        assert store.provenance == {"step": "test"}
        for entry in read_manifest(manifest).split("train"):
            with Image.open(entry.image) as photo:
                red = np.array(photo)[..., 0] / 255
            expected = 1 / (1 + np.exp(-(red - mean[0]) / std[0]))
            np.testing.assert_allclose(store[entry.id]["saliency"], expected, atol=0.002)  # stored in 255 steps
