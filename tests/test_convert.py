"""Data sets that are converted from their archives: configuration, steps, and what a dry run plans."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import snakemake_runs as runs
import tiny_archives
import yaml

from wsss_steps import convert_masks, convert_tags, prepare, prepare_masks
from wsss_steps.__main__ import main
from wsss_steps.data.manifest import read_ground_truth, read_manifest
from wsss_steps.errors import UserError
from wsss_steps.workflow import configuration, conversion, files, planning, sharing, splits
from wsss_steps.workflow.config import Config
from wsss_steps.workflow.declarations import about_row
from wsss_steps.workflow.stages import rows

SCORED = "ImageSets/Segmentation/train.txt"
SMALL = {"backbone": "small", "frozen_batch_norm": "none"}
OF_ALL: dict[str, Any] = {
    "recipes": {"cam": runs.CAM_RECIPE},
    "classifier": {"plain": {**SMALL, "frozen_stages": 0, "resize_long": None}},
    "segmenter": {"plain": SMALL},
    "threads": 1,
}
VOC: dict[str, Any] = {
    "dataset": "voc2012",
    "root": "data/VOCdevkit/VOC2012",
    "convert": {"format": "voc2012", "published_counts": False},
    "classes": tiny_archives.CLASSES,
    **OF_ALL,
}
COCO: dict[str, Any] = {
    "dataset": "coco2014",
    "root": "coco",
    "convert": {"format": "coco2014", "published_counts": False},
    "classes": list(tiny_archives.CATEGORIES.values()),
    **OF_ALL,
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with both data sets."""
    monkeypatch.chdir(tmp_path)
    tiny_archives.make_voc(tmp_path / "data")
    tiny_archives.make_coco(tmp_path / "coco")
    return tmp_path


def config(content: dict[str, Any], **overrides: Any) -> Config:
    return configuration.load({**content, **overrides})


def test_check_leaves_the_images_to_the_workflow(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "voc.yaml").write_text(yaml.safe_dump(VOC))
    main(["check", "voc.yaml"])
    assert "the workflow converts the archives" in capsys.readouterr().out


def convert(mine: Config, split: str) -> None:
    """Run the steps of one split as their rules do, but in this process."""
    wildcards, results = {"split": split}, Path(mine.results)
    listed, root = results / f"converted/{split}.txt", Path(mine.root)
    given = json.loads(conversion.settings_of_tags(mine, wildcards))
    convert_tags.run(root=root, image_list=listed, tags=listed.with_suffix(".csv"), settings=given)
    given = json.loads(conversion.settings_of_masks(mine, wildcards))
    convert_masks.run(root=root, image_list=listed, output=results / f"converted/masks/{split}", settings=given)


def prepared(mine: Config, split: str) -> tuple[dict[str, tuple[int, ...]], dict[str, np.ndarray]]:
    """Tags by id, and ground truth by id, of a split that was converted, as every later step sees them."""
    manifest, wildcards = Path(mine.results, "splits", split, "manifest.json"), {"split": split}
    given = json.loads(planning.settings_of_images(mine, wildcards))
    listed = Path(files.list_of_split(mine, wildcards))
    prepare.run(root=Path(mine.base), list_file=listed, manifest=manifest, settings=given)
    truth = manifest.with_name("ground_truth.json")
    given = json.loads(planning.settings_of_masks(mine, wildcards))
    prepare_masks.run(root=Path(mine.base), manifest=manifest, ground_truth=truth, settings=given)
    entries, found = read_manifest(manifest).split(split), read_ground_truth(truth)
    return {one.id: one.tags for one in entries}, {one: found.labels(one) for one in found.masks}


def test_voc_and_sbd_become_a_manifest_and_a_ground_truth(here: Path) -> None:
    mine = config(VOC)
    for split in ("train", "val"):
        convert(mine, split)
    tags, truth = prepared(mine, "train")
    assert tags == {"2007_000032": (1, 2), "2007_000039": (4,), "2008_000002": (4,), "2008_000003": (2, 3)}
    assert sorted(truth) == tiny_archives.TRAIN_AUG
    assert np.unique(truth["2008_000003"]).tolist() == [0, 2, 3]
    assert np.unique(truth["2007_000032"]).tolist() == [0, 1, 2, 255]
    tags, truth = prepared(mine, "val")
    assert (tags, list(truth)) == ({"2007_000033": (1,)}, ["2007_000033"])


def test_scores_on_train_while_training_on_train_aug(here: Path) -> None:
    mine = config(VOC, scored_list=SCORED)
    convert(mine, "train")
    tags, truth = prepared(mine, "train")
    assert list(tags) == tiny_archives.TRAIN_AUG
    assert sorted(truth) == sorted(tiny_archives.VOC_LISTS["train"])


def test_coco_becomes_a_manifest_and_a_ground_truth(here: Path) -> None:
    pytest.importorskip("pycocotools")
    mine = config(COCO)
    for split in ("train", "val"):
        convert(mine, split)
    tags, truth = prepared(mine, "train")
    assert list(tags.values()) == [(1, 4), (5,)]
    assert {one: np.unique(labels).tolist() for one, labels in truth.items()} == {
        "COCO_train2014_000000000009": [0, 1, 4],
        "COCO_train2014_000000000025": [0, 5, 255],
    }
    tags, truth = prepared(mine, "val")
    assert list(tags.values()) == [(2, 3), ()]
    assert np.unique(truth["COCO_val2014_000000000042"]).tolist() == [0, 2, 3]


def test_the_same_inputs_give_the_same_bytes(here: Path) -> None:
    pytest.importorskip("pycocotools")
    for content in (VOC, COCO):
        found = []
        for name in ("a", "b"):
            mine = config(content, name=name)
            convert(mine, "train")
            below = Path(mine.results, "converted")
            outputs = (path for path in below.rglob("*") if path.is_file() and not path.name.startswith("."))
            found.append({path.relative_to(below): path.read_bytes() for path in outputs})
        assert found[0] == found[1]
        assert len(found[0]) >= 4


def test_what_cannot_be_drawn_leaves_nothing(here: Path) -> None:
    (here / "data/benchmark_RELEASE/dataset/cls/2008_000002.mat").write_bytes(b"x")
    tiny_archives.write_sbd(here / "data/benchmark_RELEASE/dataset/cls/2008_000003.mat", np.ones((3, 3, 3), np.uint8))
    mine = config(VOC)
    with pytest.raises(UserError) as error:
        convert(mine, "train")
    assert "2008_000002" in str(error.value)
    assert "2008_000003" in str(error.value)
    assert list(Path(mine.results, "converted/masks").iterdir()) == []


# ---- configuration


def test_keys_that_the_data_set_decides(here: Path) -> None:
    with pytest.raises(UserError) as error:
        config(VOC, train_list="x", tags_csv="tags.csv", splits={"val": "nowhere.txt"})
    assert "train_list: expected none beside convert" in str(error.value)
    assert "tags_csv: expected none beside convert" in str(error.value)
    assert "nowhere.txt: no such file" in str(error.value)
    with pytest.raises(UserError, match="splits: expected none beside convert"):
        config(COCO, splits={"val": "val.txt"})
    with pytest.raises(UserError, match="convert: expected no draw and no images beside it"):
        config(VOC, draw={"train": 4, "val": 2}, root="")
    with pytest.raises(UserError, match=r"classes \['cow boy'\] are not among those of the data set"):
        config(VOC, classes=["cow boy"])
    with pytest.raises(UserError, match="boxes: expected a scored_list"):
        config(VOC, boxes="Annotations")
    with pytest.raises(UserError, match="no such folder: nowhere"):
        config(VOC, root="nowhere")
    with pytest.raises(UserError, match="convert"):
        config(VOC, convert={"format": "voc2007"})


def test_paths_are_those_of_what_conversion_writes(here: Path) -> None:
    mine = config(VOC, scored_list=SCORED, boxes="Annotations")
    assert splits.list_files(mine) == {
        "train": "results/voc2012/converted/train.txt",
        "val": "results/voc2012/converted/val.txt",
    }
    assert mine.boxes == "data/VOCdevkit/VOC2012/Annotations"
    assert config(VOC, mask_folder=None).mask_folder is None
    of_val = splits.images_settings(config(COCO), "val")
    assert of_val["image_folder"] == "coco/val2014"
    assert of_val["tags_csv"] == "results/coco2014/converted/val.csv"


def test_rules_of_label_images_are_declared_beside_every_score(here: Path) -> None:
    def declared(mine: Config) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for row in rows(mine):
            found.setdefault(row.split, set()).add(about_row(mine, row)["label_images"])
        return found

    assert declared(config(COCO)) == {
        split: {"COCO, smaller objects on top, crowds: void"} for split in ("train", "val")
    }
    other = COCO["convert"] | {"overlap": "later", "crowd": "background"}
    assert declared(config(COCO, convert=other))["val"] == {"COCO, later annotations on top, crowds: background"}
    assert declared(config(VOC)) == {"train": {"VOC, else SBD"}, "val": {"VOC"}}
    assert declared(config(VOC, scored_list=SCORED)) == {"train": {"VOC"}, "val": {"VOC"}}


def test_files_that_share_results_agree_on_the_rules(here: Path) -> None:
    (here / "a.yaml").touch()
    sharing.record(config(COCO), [Path("a.yaml")])
    with pytest.raises(UserError, match='convert: overlap: "smaller" in a.yaml, "later" in b.yaml'):
        sharing.check(config(COCO, convert=COCO["convert"] | {"overlap": "later"}, tables="b"), [Path("b.yaml")])


# ---- states: a pure function of the user's files and of the records that the steps left


def states(mine: Config, split: str) -> dict[str, str]:
    functions = (conversion.state_of_tags, conversion.state_of_masks, planning.state_of_images)
    return {function.__name__.removeprefix("state_of_"): function(mine, split) for function in functions}


@pytest.mark.parametrize("content", [VOC, COCO], ids=["voc", "coco"])
def test_conversion_changes_no_state(here: Path, content: dict[str, Any]) -> None:
    """What planning says before the first run is what it says after it."""
    if content is COCO:
        pytest.importorskip("pycocotools")
    mine = config(content)
    before = {split: states(mine, split) for split in ("train", "val")}
    for split in ("train", "val"):
        convert(mine, split)
        prepared(mine, split)
    assert {split: states(config(content), split) for split in ("train", "val")} == before


@pytest.mark.parametrize(
    ("path", "changed"),
    [
        ("VOCdevkit/VOC2012/Annotations/2008_000002.xml", {("train", "tags")}),
        ("VOCdevkit/VOC2012/Annotations/2007_000033.xml", {("val", "tags")}),
        ("VOCdevkit/VOC2012/JPEGImages/2008_000002.jpg", {("train", "images")}),
        ("VOCdevkit/VOC2012/JPEGImages/2007_000033.jpg", {("val", "images")}),
        ("VOCdevkit/VOC2012/SegmentationClass/2007_000033.png", {("val", "masks")}),
        ("VOCdevkit/VOC2012/SegmentationClass/2007_000039.png", {("train", "masks")}),
        ("benchmark_RELEASE/dataset/cls/2008_000003.mat", {("train", "masks")}),
        ("benchmark_RELEASE/dataset/cls/2007_000039.mat", set()),
        ("benchmark_RELEASE/dataset/img/2008_000003.jpg", set()),
    ],
)
def test_an_edit_changes_the_state_of_what_depends_on_it(here: Path, path: str, changed: set[tuple[str, str]]) -> None:
    mine = config(VOC)
    for split in ("train", "val"):
        convert(mine, split)
        prepared(mine, split)
    before = {split: states(mine, split) for split in ("train", "val")}
    file = here / "data" / path
    os.utime(file)
    assert {split: states(mine, split) for split in ("train", "val")} == before, "a touch is no edit"
    file.write_bytes(file.read_bytes() + b" ")
    after = {split: states(mine, split) for split in ("train", "val")}
    assert {(split, of) for split in before for of in before[split] if before[split][of] != after[split][of]} == changed


def test_a_longer_list_of_sbd_changes_tags_masks_and_images(here: Path) -> None:
    mine = config(VOC)
    before = states(mine, "train")
    (here / "data/benchmark_RELEASE/dataset/val.txt").write_text("2007_000039\n")
    after = states(mine, "train")
    assert [of for of in before if before[of] == after[of]] == []


# ---- what a dry run plans


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    folder = runs.project_in(tmp_path_factory.mktemp("convert"), repository, VOC)
    tiny_archives.make_voc(folder / "data")
    tiny_archives.make_coco(folder / "coco")
    return folder


def inputs_of(job: str) -> str:
    found = re.search(r"^    input: (.*)$", job, re.MULTILINE)
    return found[1] if found else ""


def rule_of(job: str) -> str:
    return re.sub(r"^(?:local)?rule (\w+):.*", r"\1", job, flags=re.DOTALL)


@pytest.mark.workflow
@pytest.mark.parametrize("content", [VOC, COCO], ids=["voc", "coco"])
def test_a_dry_run_plans_the_conversion_of_every_split(project: Path, content: dict[str, Any]) -> None:
    runs.configure(project, content)
    jobs = runs.jobs(project)
    count = Counter(map(rule_of, jobs))
    assert {
        name: count[name] for name in ("convert_tags", "convert_masks", "prepare", "prepare_masks")
    } == dict.fromkeys(("convert_tags", "convert_masks", "prepare", "prepare_masks"), 2)
    assert count["train_classifier"] == count["train_segmenter"] == 1
    readers = {rule_of(job) for job in jobs if "converted/masks" in inputs_of(job)}
    assert readers == {"prepare_masks"}, "ground truth reaches evaluation alone"
    assert {rule_of(job) for job in jobs if "converted/train.csv" in inputs_of(job)} == {"prepare"}


@pytest.mark.workflow
def test_without_label_images_none_are_converted(project: Path) -> None:
    runs.configure(project, {**VOC, "mask_folder": None})
    planned = runs.planned(project)
    assert "convert_tags" in planned
    assert not planned & {"convert_masks", "evaluate"}
