"""The slice of a configuration: 20 images of every layout, and choices that differ in what costs nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import snakemake_runs as runs
import tiny_archives
import tiny_voc
from estimating.cases import RECIPE, sliced
from photo_folders import make_folder, table_of_all

from wsss_steps.errors import UserError
from wsss_steps.estimating import cuts, slices
from wsss_steps.workflow import configuration


def test_images_are_taken_at_even_distances() -> None:
    assert cuts.spread(list(range(10)), 4) == [0, 2, 5, 7]
    assert cuts.spread([1, 2], 20) == [1, 2]


def test_a_slice_of_drawn_scenes(tmp_path: Path) -> None:
    config, cut = sliced({**runs.DRAWN, **RECIPE}, tmp_path, 3)
    assert config.draw is not None
    assert (config.draw.train, config.draw.val) == (3, 3)
    assert (cut.full, cut.taken) == ({"train": 10, "val": 4, "scored": 10}, {"train": 3, "val": 3, "scored": 3})


def test_a_slice_of_lists(tmp_path: Path) -> None:
    root = tiny_voc.make_voc(tmp_path / "voc")
    content = {"dataset": "voc", "root": str(root), "classes": tiny_voc.CLASSES, **RECIPE}
    config, cut = sliced(content, tmp_path)
    ids = tiny_voc.SPLITS["train"]
    assert cut.full["train"] == len(ids)
    assert Path(config.train_list).read_text().split() == [ids[0]]
    assert Path(config.splits["val"]).read_text().split() == [tiny_voc.SPLITS["val"][0]]


def test_a_slice_of_scored_images(tmp_path: Path) -> None:
    root = tiny_voc.make_voc(tmp_path / "voc")
    tiny_voc.write_list(root, "scored", tiny_voc.SPLITS["train"][1:])
    scored = {"scored_list": "ImageSets/Segmentation/scored.txt"}
    content = {"dataset": "voc", "root": str(root), "classes": tiny_voc.CLASSES, **scored, **RECIPE}
    config, cut = sliced(content, tmp_path)
    assert cut.full["scored"] == len(tiny_voc.SPLITS["train"]) - 1
    assert Path(str(config.scored_list)).read_text().split() == [tiny_voc.SPLITS["train"][1]]


def test_a_slice_of_voc_as_its_archives_unpack(tmp_path: Path) -> None:
    root = tiny_archives.make_voc(tmp_path)
    convert = {"format": "voc2012", "published_counts": False}
    content = {"dataset": "voc", "root": str(root), "convert": convert, "classes": tiny_archives.CLASSES, **RECIPE}
    config, cut = sliced(content, tmp_path, 2)
    assert (cut.full, cut.taken["train"]) == ({"train": 4, "val": 1, "scored": 4}, 2)
    assert config.convert is not None
    assert Path(config.root).parent == tmp_path / "slice"
    assert (Path(config.root) / "JPEGImages").is_symlink()


def test_a_slice_of_coco_counts_images_with_a_tag(tmp_path: Path) -> None:
    root = tiny_archives.make_coco(tmp_path / "coco")
    convert = {"format": "coco2014", "published_counts": False}
    content = {"dataset": "coco", "root": str(root), "convert": convert, "classes": ["person", "cat"], **RECIPE}
    config, cut = sliced(content, tmp_path, 1)
    # of the four training images one has a person and a cat, the others have none but a crowd, a brush or nothing
    assert cut.full == {"train": 1, "val": 2, "scored": 1}
    names = json.loads((Path(config.root) / "annotations/instances_train2014.json").read_text())["images"]
    assert [one["id"] for one in names] == [9]
    (root / "annotations/instances_val2014.json").write_text("{}")
    with pytest.raises(UserError, match="no readable annotations of COCO"):
        cuts.cut(configuration.load(content), 1, tmp_path / "other")


def test_a_slice_of_a_plain_folder(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "images")
    table_of_all(folder / "tags.csv")
    config, cut = sliced({"dataset": "own", "images": str(folder), "max_side": 64, **RECIPE}, tmp_path)
    photographs = [path for path in Path(str(config.images)).rglob("*") if path.is_symlink()]
    assert len(photographs) == sum(count for name, count in cut.taken.items() if name != "scored")
    assert set(config.classes) == set(configuration.load({"dataset": "own", "images": str(folder), **RECIPE}).classes)


def test_choices_lose_what_does_not_change_the_cost_of_an_image() -> None:
    assert slices.shortened("classifier", "plain~crop=64~epochs=30~seed=2") == "plain~crop=64"
    assert slices.shortened("segmenter", "plain~epochs=3+spsrg~seed=1") == "plain+spsrg"
    assert slices.shortened("seeds", "saliency~saliency=(detector~epochs=3)~tau_1=0.5") == (
        "saliency~saliency=detector~tau_1=0.5"
    )
    assert slices.shortened("cams", "cam+random_walk~seeds=(irn~foreground=0.4)") == (
        "cam+random_walk~seeds=(irn~foreground=0.4)"
    )
    assert slices.shortened("segmenter", "none") == "none"


def test_jobs_of_other_random_seeds_are_one_of_the_slice(tmp_path: Path) -> None:
    recipes = {"short": {"segmenter": "plain~epochs=3"}, "long": {"segmenter": "plain"}}
    content = {**runs.DRAWN, **RECIPE, "recipes": recipes, "random_seeds": [0, 1], "shards": 4}
    config, _ = sliced(content, tmp_path)
    assert len(config.runs) == 1
    assert (config.shards, config.random_seeds, config.segmenter["plain"]["epochs"]) == (1, (), 2)  # type: ignore[attr-defined]
    names = slices.Names(config)
    assert names.of("plain~seed=1/cam/none/threshold/plain~epochs=3~seed=1") == "plain/cam/none/threshold/plain"
    assert names.of("plain~seed=1/scores/val") == "plain/scores/val"
    assert names.of("splits/val") == "splits/val"
    assert names.of("features/keys~centre=true") == "features/keys~centre=true"
