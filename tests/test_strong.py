"""Label images of some training images: what is checked, what is stored, what is learnt from, and what is declared."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_voc
import torch
from tiny_voc import make_voc, truth_of, write_list

from wsss_steps import prepare, prepare_strong
from wsss_steps.data.datasets import SeedDataset
from wsss_steps.data.manifest import read_manifest
from wsss_steps.data.strong import StrongDataset
from wsss_steps.errors import UserError
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.formats.kinds.strong_masks import STRONG_MASKS
from wsss_steps.formats.stores import Store, write_store
from wsss_steps.workflow import configuration, declarations, planning, sharing, splits, strong
from wsss_steps.workflow.config import Config

LIST = "ImageSets/Segmentation/strong.txt"
STRONG = {"image_list": LIST}
RECIPES = {"semi": {"segmenter": "dsrg_semi+plain"}, "weak": {"segmenter": "dsrg"}}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data set with label images of two of three training images to learn from."""
    found = make_voc(tmp_path / "voc")
    write_list(found, "strong", ("t2", "t0"))
    return found


def load(root: Path, **changes: Any) -> Config:
    return tiny_voc.config(root, **{"recipes": RECIPES, "strong": STRONG, **changes})


def prepared(root: Path, folder: Path, **changes: Any) -> tuple[Path, Path]:
    """The manifest and the store, as the workflow makes them."""
    config, manifest, output = load(root, **changes), folder / "train.json", folder / "strong_masks.h5"
    given = splits.images_settings(config, "train")
    prepare.run(root=root, list_file=root / given["list_file"], manifest=manifest, settings=given)
    prepare_strong.run(root=root, manifest=manifest, output=output, settings=strong.settings(config), stamp="{}")
    return manifest, output


def test_the_listed_label_images_are_stored(root: Path, tmp_path: Path) -> None:
    """Values are those of the data set's classes; others become background, as they do in evaluation."""
    _, output = prepared(root, tmp_path)
    with Store(output, STRONG_MASKS) as store:
        assert store.ids() == ["t0", "t2"]
        assert all(np.array_equal(store[name]["masks"], truth_of(name)) for name in store.ids())
    _, output = prepared(root, tmp_path, classes=["dog"], mask_classes=["cat", "dog"], allow_untagged=True)
    with Store(output, STRONG_MASKS) as store:
        assert np.unique(store["t2"]["masks"]).tolist() == [0, 1, 255]


@pytest.mark.parametrize("broken", ["missing", "unknown value"])
def test_what_is_wrong_with_a_label_image_is_said(root: Path, tmp_path: Path, broken: str) -> None:
    path = root / "SegmentationClass" / "t2.png"
    path.unlink()
    if broken == "unknown value":
        tiny_voc.write_labels(path, np.full((tiny_voc.HEIGHT, tiny_voc.WIDTH), 7, np.uint8))
    with pytest.raises(UserError, match=r"t2\.png: (no such label image|expected values 0\.\.2 and 255, found \[7\])"):
        prepared(root, tmp_path)
    assert not (tmp_path / "strong_masks.h5").exists()


def test_label_images_that_are_not_listed_are_not_looked_at(root: Path, tmp_path: Path) -> None:
    (root / "SegmentationClass" / "t1.png").write_text("no image")
    prepared(root, tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"strong": None}, "recipes.semi: segmenter 'dsrg_semi\\+plain' learns from .* expected a key `strong`"),
        ({"strong": {"image_list": "none.txt"}}, "strong.image_list: .*none.txt"),
        ({"strong": {**STRONG, "mask_folder": "nowhere"}}, "strong.mask_folder: no such folder: .*nowhere"),
        ({"strong": {"image_list": "../{x}.txt"}}, "strong.image_list: "),
        (
            {"strong": {"image_list": "ImageSets/Segmentation/val.txt"}},
            "strong.image_list: id 'v0' is not in .*train.txt",
        ),
        ({"strong": {"mask_folder": "SegmentationClass"}}, "image_list"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(root: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        load(root, **changes)


def test_a_drawn_data_set_has_none() -> None:
    content = {"dataset": "x", "draw": {}, "classes": ["a"], "recipes": {"a": {}}, "strong": STRONG}
    with pytest.raises(UserError, match="strong: expected a data set of your own, found draw"):
        configuration.load(content)


def test_every_row_that_rests_on_it_says_so(root: Path) -> None:
    """From the network on that learns from it, to one that a chain teaches by it; weak recipes say nothing."""
    config = load(root)
    stages = ("cams", "seeds", "pseudo_labels", "segmentation", "segmentation_crf")
    found = {
        name: [declarations.extra_supervision(config, config.recipes[name], stage) for stage in stages]
        for name in RECIPES
    }
    tags = "ImageNet tags weights"  # of the backbones
    assert found == {"semi": [tags] * 2 + [f"{tags}; pixel masks of 2 training images"] * 3, "weak": [tags] * 5}


def test_only_networks_that_learn_from_it_need_it(root: Path) -> None:
    config = load(root)
    folder = {"classifier": "plain", "cams": "cam", "superpixels": "none", "seeds": "threshold"}
    needed = {
        name: planning.needed(config, folder | {"segmenter": name}, "segmenter", of_all=True)
        for name in ("dsrg", "dsrg_semi", "dsrg_semi+plain")
    }
    masks = {"strong_masks": "<results>/strong/strong_masks.h5"}
    assert needed == {"dsrg": {}, "dsrg_semi": masks, "dsrg_semi+plain": {}}


def test_settings_are_those_of_masks_with_a_list_and_a_folder_of_their_own(root: Path) -> None:
    """`scored_list` and `mask_folder` of the evaluation are not read: it may have none."""
    found = strong.settings(load(root, mask_folder=None))
    assert (found["mask_folder"], found["scored_list"]) == ("SegmentationClass", LIST)
    assert (found["split"], found["masks_optional"]) == ("train", False)
    assert json.loads(strong.settings_as_json(load(root, mask_folder=None))) == json.loads(json.dumps(found))


def test_the_state_changes_with_the_content_of_a_listed_label_image(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = load(root)
    place = Path(config.results, "strong")
    place.mkdir(parents=True)
    prepared(root, place)
    before = strong.state(config)
    os.utime(root / "SegmentationClass" / "t0.png", (1, 1))
    assert strong.state(config) == before
    tiny_voc.write_labels(root / "SegmentationClass" / "t1.png", truth_of("t0"))
    assert strong.state(config) == before
    tiny_voc.write_labels(root / "SegmentationClass" / "t0.png", truth_of("t1"))
    assert strong.state(config) != before


def test_two_files_of_one_results_folder_must_agree_on_it(root: Path) -> None:
    assert sharing.record_of(load(root), [])["settings"]["strong"] == {**STRONG, "mask_folder": "SegmentationClass"}


AUGMENTATION: dict[str, Any] = {"mean": (0.5,) * 3, "std": (0.5,) * 3, "crop": 20, "resize_long": None}
AUGMENTATION |= {"resize_scale": None, "scale_set": None, "flip": True, "jitter": (0.0,) * 4}


def datasets(root: Path, folder: Path, seeds_of: str = "") -> tuple[SeedDataset, StrongDataset]:
    """The same images without and with label images. Seeds are the truth."""
    manifest, output = prepared(root, folder)
    entries = read_manifest(manifest).split("train")
    items = ((entry.id, {"seeds": truth_of(entry.id)}) for entry in entries)
    write_store(folder / "seeds.h5", SEEDS, items, stamp="{}", classes=tiny_voc.CLASSES)
    given: dict[str, Any] = {"seeds": folder / "seeds.h5", "superpixels": None, "augmentation": AUGMENTATION, "seed": 3}
    return SeedDataset(entries, 2, **given), StrongDataset(entries, 2, strong_masks=output, **given)


def test_label_images_follow_the_image_and_others_have_none(root: Path, tmp_path: Path) -> None:
    weak, strongly = datasets(root, tmp_path)
    for index in range(3):
        one, other = weak[0, index], strongly[0, index]
        assert other.keys() - one.keys() == {"strong_masks"}
        assert all(torch.equal(one[name], other[name]) for name in one)
        if index == 1:
            assert (other["strong_masks"] == 255).all()
        else:
            assert torch.equal(other["strong_masks"], one["seeds"])
            assert (other["strong_masks"] < 255).any()


def test_a_store_without_any_of_the_images_is_refused(root: Path, tmp_path: Path) -> None:
    weak, strongly = datasets(root, tmp_path)
    given = {"seeds": weak.seeds, "superpixels": None, "augmentation": AUGMENTATION, "seed": 3}
    with pytest.raises(UserError, match="expected label images of some training images, found none"):
        StrongDataset(weak.entries[1:2], 2, strong_masks=strongly.strong_masks, **given)
