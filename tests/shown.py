"""A results folder of a few pixels with one artifact of every kind, for the tests of `show` and `compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from tiny_voc import CLASSES, HEIGHT, TAGS, WIDTH, make_voc, truth_of, write_voc

from wsss_steps.data.boxes import ObjectBox, write_boxes
from wsss_steps.formats import kinds
from wsss_steps.formats.files import write_json, write_text
from wsss_steps.formats.labels import label_folder, write_labels
from wsss_steps.formats.stores import write_store
from wsss_steps.formats.weights import write_weights
from wsss_steps.ops.evaluation import confusion

STAMP = '{"step": "make_something", "device": "cpu", "seed": 3, "settings": {"alpha": 0.4}}'
CAM = np.linspace(0, 1, HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH)
PLACES = {
    "cams": "plain/cam/cams.h5",
    "seeds": "plain/cam/none/threshold/seeds.h5",
    "refined_saliency": "mdc/cam~merge=max/none/saliency/refined_saliency.h5",
    "superpixels": "superpixels/dino/superpixels.h5",
    "features": "features/keys/features.h5",
    "saliency": "saliency/detector/saliency.h5",
    "strong_masks": "strong/strong_masks.h5",
    "confusions": "plain/cam/none/threshold/evaluation/seeds/train.h5",
}
LABELS = "plain/cam/none/threshold/plain/pseudo_labels"


def arrays_of(kind: str, image_id: str) -> dict[str, Any]:
    """What a store of that kind holds of an image."""
    truth = truth_of(image_id)
    numbers = [CLASSES.index(name) + 1 for name in TAGS[image_id]]
    found: dict[str, dict[str, Any]] = {
        "cams": {"cam": np.stack([CAM] * len(numbers)), "class": np.array(numbers, np.uint8)},
        "seeds": {"seeds": truth},
        "refined_saliency": {"refined": np.where(truth == 255, truth, truth > 0).astype(np.uint8)},
        "superpixels": {
            "superpixels": (1 + (np.arange(WIDTH) >= 4) * np.ones((HEIGHT, 1))).astype(np.uint16),
            "seed_patches": np.array([2, -1], np.int32),
        },
        "features": {
            "features": np.arange(2 * 3 * 4, dtype=np.float16).reshape(2, 3, 4),
            "extent": np.array([HEIGHT, WIDTH + 2], np.float32),
        },
        "saliency": {"saliency": CAM},
        "strong_masks": {"masks": truth},
        "confusions": {"confusion": confusion(truth, truth, len(CLASSES))},
    }
    return found[kind]


def write_kind(path: Path, kind: str, **changes: Any) -> Path:
    """A store of that kind with all images; `changes` are arrays, or functions of them, for image t0."""
    classes = list(CLASSES) if kind in ("cams", "seeds", "confusions") else None
    items = {name: arrays_of(kind, name) for name in TAGS}
    items["t0"] |= {name: one(items["t0"][name]) if callable(one) else one for name, one in changes.items()}
    left_out = ["t1"] if kind == "saliency" else None
    write_store(path, kinds.find(kind), items.items(), stamp=STAMP, classes=classes, left_out=left_out)
    return path


def write_checkpoint(path: Path, **changes: Any) -> Path:
    """A classifier of 3 + 4 numbers."""
    content = {"method": "plain", "classes": list(CLASSES), "init_weights": "random", "seed": 0}
    content["network"] = {"backbone": {"net": "small", "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.2, 0.2]}}
    state = {"backbone.net.weight": torch.ones(3), "head.weight": torch.zeros(2, 2)}
    state |= changes.pop("state", {})
    write_weights(path, "classifier", state, content=content | changes, stamp=STAMP)
    return path


def write_label_maps(folder: Path, **changes: Any) -> Path:
    """Label maps of the training images, all of them the ground truth except those in `changes`."""
    with label_folder(folder, STAMP) as inner:
        for name in ("t0", "t1", "t2"):
            write_labels(inner / f"{name}.png", changes.get(name, truth_of(name)))
    return folder


def make_results(folder: Path, name: str = "tiny") -> Path:
    """The folder `folder`/results/`name`, images and masks beside it; returns it."""
    root = folder / "results" / name
    train = root / "splits" / "train"
    write_voc(make_voc(folder / "voc"), train / "manifest.json", train / "ground_truth.json")
    write_boxes(
        train / "boxes.json",
        {name: (ObjectBox(1, (0, 9, 6, 16), False), ObjectBox(2, (6, 9, 12, 16), True)) for name in ("t0", "t1")},
    )
    for kind, place in PLACES.items():
        write_kind(root / place, kind)
    write_label_maps(root / LABELS)
    write_checkpoint(root / "plain" / "classifier.safetensors")
    write_text(root / "plain" / "classifier_history.csv", "epoch,learning_rate,loss\n1,0.1,0.70000001\n2,0.05,0.5\n")
    score = {"format": "wsss/score", "version": 1, "miou": 0.25, "provenance": {"step": "evaluate"}}
    write_json(root / "plain/evaluation/x.json", score | {"per_class": [{"class": "cat", "iou": 0.5}]})
    return root
