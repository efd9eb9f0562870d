"""A non-finite loss, a single image, an image of one pixel: training stops with a message, or ends normally."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_voc
import torch
from fault_table import said
from PIL import Image

from wsss_steps import (
    evaluate,
    extract_keys,
    make_cams,
    make_seeds,
    make_superpixels,
    predict,
    pretrain_keys,
    train_classifier,
    train_segmenter,
)
from wsss_steps.errors import UserError
from wsss_steps.formats.files import read_json
from wsss_steps.formats.labels import read_labels, write_labels
from wsss_steps.formats.weights import read_weights
from wsss_steps.workflow import choices, configuration

SMALL = "~backbone=small~frozen_batch_norm=none~epochs=1~batch_size=2~warmup_epochs=0"
CLASSIFIER = f"plain{SMALL}~frozen_stages=0~resize_long=null"
KEYS = {"width": 24, "depth": 1, "heads": 2, "epochs": 1, "batch_size": 2, "prototypes": 8}
CONFIG = configuration.load(
    {
        "dataset": "x",
        "draw": {},
        "classes": ["cat", "dog"],
        "recipes": {"a": {}},
        "pretrain_keys": {**KEYS, "global_crop": 16, "local_crop": 8},
    }
)


def of(slot: str, text: str) -> dict[str, Any]:
    return choices.resolve(CONFIG, slot, text).settings


def step(name: str, **fixed: Any) -> dict[str, Any]:
    return dict(json.loads(configuration.step_settings(CONFIG, name, **fixed)))


def one_image(folder: Path, height: int, width: int) -> Path:
    """The manifest of a data set of one training and one validation image, of one colour."""
    root = tiny_voc.make_voc(folder / "voc")
    for name, label in (("t0", 1), ("v0", 2)):
        tiny_voc.write_list(root, {"t": "train", "v": "val"}[name[0]], (name,))
        Image.new("RGB", (width, height), (77, 70, 60)).save(root / "JPEGImages" / f"{name}.jpg")
        write_labels(root / "SegmentationClass" / f"{name}.png", np.full((height, width), label, np.uint8))
    return tiny_voc.write_voc(root, folder / "m.json", folder / "g.json")


def classifier(folder: Path, manifest: Path, overrides: str, **changes: Any) -> Path:
    paths = {"output": folder / "c.safetensors", "history": folder / "c.csv"}
    train_classifier.run(manifest=manifest, settings=of("classifier", CLASSIFIER + overrides) | changes, **paths)
    return paths["output"]


@pytest.mark.parametrize(("height", "width"), [(12, 16), (1, 1)])
def test_one_image_goes_all_the_way(height: int, width: int, tmp_path: Path) -> None:
    m = one_image(tmp_path, height, width)
    made = {name: tmp_path / name for name in ("cams.h5", "k.h5", "sp.h5", "seeds.h5", "p", "e.h5", "e.json")}
    network, vit, segmenter = (
        classifier(tmp_path, m, "~crop=32"),
        tmp_path / "v.safetensors",
        tmp_path / "s.safetensors",
    )
    make_cams.run(
        manifest=m, needs={"classifier": network}, output=made["cams.h5"], settings=of("cams", "cam~scales=[1.0, 0.5]")
    )
    pretrain_keys.run(manifest=m, output=vit, history=tmp_path / "v.csv", settings=step("pretrain_keys"))
    keys = of("features", "keys~vit=own~weights=pretrain_keys")
    extract_keys.run(manifest=m, weights=vit, output=made["k.h5"], settings=keys)
    make_superpixels.run(
        manifest=m, needs={"features": made["k.h5"]}, output=made["sp.h5"], settings=of("superpixels", "dino")
    )
    given = {"manifest": m, "needs": {"superpixels": made["sp.h5"]}}
    make_seeds.run(**given, cams=made["cams.h5"], output=made["seeds.h5"], settings=of("seeds", "superpixel"))
    grown = of("segmenter", f"spsrg{SMALL}~crop=32")
    train_segmenter.run(**given, seeds=made["seeds.h5"], output=segmenter, history=tmp_path / "s.csv", settings=grown)
    settings = step("predict", split="train", known_tags=True)
    predict.run(manifest=m, segmenter=segmenter, output=made["p"], settings=settings)
    assert read_labels(made["p"] / "t0.png").shape == (height, width)
    judged = {"predictions": made["p"], "output": made["e.h5"], "score": made["e.json"]}
    settings = step("evaluate", stage="pseudo_labels", kind="label_maps", split="train")
    evaluate.run(manifest=m, ground_truth=tmp_path / "g.json", settings=settings, **judged)
    assert 0 <= read_json(made["e.json"], "score")["miou"] <= 1


def test_a_batch_that_batch_normalisation_cannot_train_on(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        classifier(tmp_path, one_image(tmp_path, 12, 16), "~crop=16")
    said(
        "training: batch normalisation cannot train on 1 image of which the network leaves a single position; "
        "give more images, a larger crop, or frozen_batch_norm: all",
        caught.value,
    )
    assert not (tmp_path / "c.safetensors").exists()


def test_a_loss_that_is_not_finite(tmp_path: Path) -> None:
    """The previous network stays intact."""
    manifest = one_image(tmp_path, 12, 16)
    path = classifier(tmp_path, manifest, "~crop=32")
    before = path.read_bytes()
    with pytest.raises(UserError) as caught:
        classifier(tmp_path, manifest, "~crop=32", epochs=9, learning_rate=1e30)
    said(
        "training: the loss is not finite in epoch <number>, step 1, at learning rate <number>: <parts>; "
        "a lower learning_rate or a longer warm-up may help",
        caught.value,
    )
    assert path.read_bytes() == before
    state, _ = read_weights(path, "classifier")
    assert all(bool(torch.isfinite(tensor).all()) for tensor in state.values())
