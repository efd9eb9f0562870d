from __future__ import annotations

import csv
import logging
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from tiny_voc import config, make_voc, read_voc

from wsss_steps import prepare, prepare_masks
from wsss_steps.data.manifest import read_ground_truth, read_manifest, tag_matrix
from wsss_steps.errors import UserError
from wsss_steps.settings.data_set import Prepare
from wsss_steps.workflow import splits

VOC_CLASSES = [
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "diningtable",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "sofa",
    "train",
    "tvmonitor",
]


def run(root: Path, folder: Path, split: str, **overrides: object) -> None:
    """Both steps, as the workflow runs them for one split."""
    mine = config(root, **overrides)
    manifest, truth = folder / f"{split}.json", folder / f"{split}_truth.json"
    given = splits.images_settings(mine, split)
    prepare.run(root=root, list_file=root / given["list_file"], manifest=manifest, settings=given)
    given = splits.masks_settings(mine, split)
    prepare_masks.run(root=root, manifest=manifest, ground_truth=truth, settings=given)


def test_manifest_and_ground_truth_are_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    run(make_voc(tmp_path / "voc"), tmp_path, "train")
    manifest = read_manifest(tmp_path / "train.json")
    assert tag_matrix(manifest.split("train"), 2).tolist() == [[1, 0], [0, 1], [1, 1]]
    assert sorted(read_ground_truth(tmp_path / "train_truth.json").masks) == ["t0", "t1", "t2"]
    assert "SegmentationClass" not in (tmp_path / "train.json").read_text()  # training must not see the paths of masks
    for line in (
        "train: 3 images",
        "train: 3 label images of 3 images",
        "train: images per class: cat 2, dog 2",
        "train: images by number of tags: 1: 2, 2: 1",
        "train: heights 12 to 12 px, widths 16 to 16 px",
    ):
        assert line in caplog.text


def test_nothing_is_written_when_something_is_wrong(tmp_path: Path) -> None:
    root = make_voc(tmp_path / "voc")
    (root / "JPEGImages" / "t0.jpg").unlink()
    with pytest.raises(UserError, match="t0: no such image"):
        run(root, tmp_path, "train")
    assert [path.name for path in tmp_path.iterdir()] == ["voc"]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ({"classes": ()}, "expected names of classes, found none"),
        ({"classes": ("cat", "dog", "cat")}, r"each class once.* found \['cat'\]"),
        ({"classes": ("background", "dog")}, "without 'background'"),
        ({"mask_classes": ("cat",)}, r"classes \['dog'\] are not among mask_classes"),
        ({"dataset": "a/b"}, "pattern"),
        ({"dataset": ".."}, "pattern"),
        ({"other_classes": "void"}, "'background' or 'ignore'"),
        ({"maskfolder": "x"}, "Extra inputs"),
        ({"splits": {"train": "x"}}, "expected names of held-out images, found 'train'"),
        ({"splits": {"a b": "x"}}, "pattern"),
        ({"unscored": ("test",)}, r"unscored: \['test'\] are not among splits \['val'\]"),
    ],
)
def test_settings_are_checked(override: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Prepare(**{"dataset": "tiny", "classes": ("cat", "dog"), **override})


@pytest.mark.data
def test_real_photographs(real_data: Path) -> None:
    """Six of VOC's twenty classes, tags from a table: masks keep all values, tags have only the six."""
    root = real_data / "voc_animals"
    manifest, truth, _ = read_voc(
        root,
        dataset="voc_animals",
        classes=("cat", "cow", "dog", "horse", "person", "sheep"),
        mask_classes=VOC_CLASSES,
        tags_csv="tags.csv",
        mask_folder="SegmentationClassAug",
    )
    assert (len(manifest.split("train")), len(manifest.split("val"))) == (800, 200)
    assert [truth.class_of_value[value] for value in (0, 8, 10, 12, 13, 15, 17, 255, 1, 21)] == [
        0,
        1,
        2,
        3,
        4,
        5,
        6,
        255,
        0,
        -1,
    ]
    with (root / "tags.csv").open(encoding="utf-8", newline="") as file:
        expected = {row["id"]: set(row["tags"].split(";")) for row in csv.DictReader(file)}
    assert {entry.id: {manifest.classes[tag - 1] for tag in entry.tags} for entry in manifest.entries} == expected
    entry = manifest.entries[0]
    labels = truth.labels(entry.id)
    assert labels.shape == (entry.height, entry.width)
    assert set(np.unique(labels)) <= {0, *entry.tags, 255}
