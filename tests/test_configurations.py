"""The configuration files that ship: those of one results folder agree, and the comparison holds every method."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tiny_archives
import tiny_voc
import yaml
from photo_folders import make_folder, table_of_all

from wsss_steps.settings.registry import METHODS
from wsss_steps.workflow import configuration, sharing
from wsss_steps.workflow.config import Config
from wsss_steps.workflow.experiments import choices_of
from wsss_steps.workflow.spelling import parse

# What the comparison on the example leaves out, and why
LEFT_OUT = {
    ("segmenter", "dsrg_semi"): "the example has no label images to learn from",
    **{(slot, "given"): "the example has none" for slot in ("classifier", "cams", "superpixels", "saliency", "seeds")},
    ("saliency", "u2net"): "it knows photographs, and the example runs without a download",
    ("saliency", "unsupervised"): "needs keys of a network that knows more than drawn scenes",
    ("features", "backbone"): "the dissertation's keys are those of a vision transformer",
    ("features", "rgb"): "a baseline, measured in superpixels.csv",
}

ROOTS = {"voc2012": "VOCdevkit/VOC2012", "coco2014": "coco"}  # of data sets that are converted


def loaded(path: Path, tmp_path: Path) -> Config:
    content: dict[str, Any] = yaml.safe_load(path.read_text())
    if "draw" not in content:
        folder = "images" if "images" in content else "root"
        content[folder] = str(tmp_path / folder)
    if "convert" in content:
        content["root"] = str(tmp_path / ROOTS[content["convert"]["format"]])
        content["convert"]["published_counts"] = False
    return configuration.load(content)


@pytest.fixture
def files(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Every configuration, with a data set that is nearly empty for those that want one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights/example_vit.safetensors").symlink_to(repository / "weights/example_vit.safetensors")
    root = tmp_path / "root"
    tiny_voc.make_voc(root)
    tiny_archives.make_own(tiny_archives.make_voc(tmp_path))
    tiny_archives.make_coco(tmp_path / "coco")
    tiny_voc.write_list(root, "train_aug", tiny_voc.SPLITS["train"])
    for name in ("SegmentationClassAug", "saliency", "saliency_u2net", "weights", "../weights", "DUTS-TR"):
        (root / name).mkdir(exist_ok=True)
    weights = ("weights/vgg16_coco.pth", "weights/resnet101_coco.pth")
    timm = ("../weights/mobilenetv2_100_imagenet.safetensors", "../weights/efficientnet_lite0_imagenet.safetensors")
    for name in ("tags.csv", *weights, *timm):
        (root / name).touch()
    table_of_all(make_folder(tmp_path / "images") / "tags.csv")
    return sorted(repository.glob("configs/**/*.yaml"))


def test_those_of_one_results_folder_agree(files: list[Path], tmp_path: Path) -> None:
    for file in files:
        config = loaded(file, tmp_path)
        sharing.check(config, [file])
        sharing.record(config, [file])


def test_the_comparison_holds_every_method(repository: Path, tmp_path: Path) -> None:
    config = loaded(repository / "configs/compare.yaml", tmp_path)
    used = {
        (slot, parse(choice)[0])
        for slot, choice in choices_of(config, [pair for run in config.all_runs for pair in run.recipe.choices()])
    }
    every = {(slot, one.model_fields["method"].default) for slot, methods in METHODS.items() for one in methods}
    assert every - used == LEFT_OUT.keys()
