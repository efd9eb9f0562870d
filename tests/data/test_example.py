"""The embedded example data set: reproducible, in the exact layout, and showing what it is meant to show."""

from __future__ import annotations

import hashlib
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from wsss_steps.errors import UserError
from wsss_steps.example.scenes import CLASSES, CONTEXT_OF, Scene
from wsss_steps.formats.labels import voc_palette
from wsss_steps.make_example import image_id, run, scene_of
from wsss_steps.ops.labels import IGNORE

SIZE = 128
SETTINGS = {"train": 4, "val": 2, "size": SIZE, "seed": 0}


def digests(folder: Path) -> dict[str, str]:
    """Path below `folder` -> digest of the file."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("example") / "data"
    run(output=output, settings=SETTINGS)
    return output


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [scene_of("train", index, SIZE, 0) for index in range(120)]


def names_in(scene: Scene) -> set[str]:
    return {found.name for found in scene.objects}


# ---- the folder ------------------------------------------------------------------------------------------------------


def test_same_seed_gives_the_same_bytes(drawn: Path, tmp_path: Path) -> None:
    run(output=tmp_path / "again", settings=SETTINGS)
    assert digests(tmp_path / "again") == digests(drawn)


def test_another_seed_gives_other_images(drawn: Path, tmp_path: Path) -> None:
    run(output=tmp_path / "other", settings=SETTINGS | {"seed": 1})
    other, ours = digests(tmp_path / "other"), digests(drawn)
    assert other.keys() == ours.keys()
    assert all(other[path] != ours[path] for path in ours if path.startswith("JPEGImages"))


def test_more_images_change_no_earlier_one(drawn: Path, tmp_path: Path) -> None:
    run(output=tmp_path / "more", settings=SETTINGS | {"train": 6, "val": 3})
    more, ours = digests(tmp_path / "more"), digests(drawn)
    assert all(more[path] == ours[path] for path in ours if not path.startswith("ImageSets"))


def test_layout_is_that_of_voc(drawn: Path) -> None:
    train = [f"2026_{number:06d}" for number in range(1, 5)]
    val = ["2026_500001", "2026_500002"]
    sets = drawn / "ImageSets" / "Segmentation"
    assert (sets / "train.txt").read_text().splitlines() == train
    assert (sets / "val.txt").read_text().splitlines() == val
    for folder, suffix in (("JPEGImages", "jpg"), ("SegmentationClass", "png"), ("Annotations", "xml")):
        assert sorted(path.name for path in (drawn / folder).iterdir()) == [f"{name}.{suffix}" for name in train + val]
    assert image_id("val", 1) == "2026_500002"


def test_label_images_are_indexed_with_the_voc_palette(drawn: Path) -> None:
    for path in (drawn / "SegmentationClass").iterdir():
        with Image.open(path) as image, Image.open(drawn / "JPEGImages" / f"{path.stem}.jpg") as photograph:
            assert image.mode == "P"
            palette = image.getpalette()
            assert palette is not None
            assert palette == voc_palette()[: len(palette)]
            assert image.size == photograph.size
            assert photograph.mode == "RGB"
            values = set(np.unique(np.asarray(image)).tolist())
        assert values <= {*range(len(CLASSES) + 1), IGNORE}
        assert IGNORE in values


def test_annotations_agree_with_the_label_images(drawn: Path) -> None:
    for path in (drawn / "Annotations").iterdir():
        root = ElementTree.parse(path).getroot()
        labels = np.asarray(Image.open(drawn / "SegmentationClass" / f"{path.stem}.png"))
        assert root.findtext("filename") == f"{path.stem}.jpg"
        assert [root.findtext(f"size/{side}") for side in ("height", "width", "depth")] == [
            *map(str, labels.shape),
            "3",
        ]
        assert root.findtext("segmented") == "1"
        listed = {CLASSES.index(found.findtext("name", "")) + 1 for found in root.iter("object")}
        assert listed == set(np.unique(labels).tolist()) - {0, IGNORE}
        in_a_box = np.zeros(labels.shape, bool)
        for found in root.iter("object"):
            assert [child.tag for child in found] == ["name", "pose", "truncated", "occluded", "bndbox", "difficult"]
            left, top, right, bottom = (
                int(found.findtext(f"bndbox/{side}", "")) for side in ("xmin", "ymin", "xmax", "ymax")
            )
            assert 1 <= left < right <= labels.shape[1]
            assert 1 <= top < bottom <= labels.shape[0]
            in_a_box[top - 1 : bottom, left - 1 : right] = True
        assert in_a_box[(labels > 0) & (labels != IGNORE)].all()


def test_an_interrupted_run_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("wsss_steps.make_example.write_labels", fail)
    with pytest.raises(OSError, match="no space"):
        run(output=tmp_path / "data", settings=SETTINGS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train": 0}, "train: expected a whole number of at least 1 and at most 500000, found 0"),
        ({"val": 500_001}, "val: expected .* at most 500000, found 500001"),
        ({"size": 63}, "size: expected a whole number of at least 64, found 63"),
        ({"size": 128.0}, "size: expected a whole number .* found 128.0"),
        ({"seed": -1}, "seed: expected a whole number of at least 0, found -1"),
        ({"colour": "red"}, "expected the settings train, val, size, seed, found .*colour"),
    ],
)
def test_bad_settings_are_named(tmp_path: Path, change: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        run(output=tmp_path / "data", settings=SETTINGS | change)
    assert list(tmp_path.iterdir()) == []


# ---- the scenes ------------------------------------------------------------------------------------------------------


def test_sizes_vary_about_the_nominal_side(scenes: list[Scene]) -> None:
    sides = np.array([scene.labels.shape for scene in scenes])
    assert sides.min() >= 0.85 * SIZE - 1
    assert sides.max() <= 1.1 * SIZE + 1
    assert len(np.unique(sides, axis=0)) > 50
    assert all(scene.image.shape == (*scene.labels.shape, 3) for scene in scenes)


def test_listed_classes_are_the_visible_ones(scenes: list[Scene]) -> None:
    for scene in scenes:
        classes, pixels = np.unique(scene.labels[(scene.labels > 0) & (scene.labels != IGNORE)], return_counts=True)
        assert {CLASSES[value - 1] for value in classes} == names_in(scene)
        assert pixels.min() >= 50


def test_every_border_of_an_object_is_void(scenes: list[Scene]) -> None:
    for scene in scenes:
        for first, second in ((scene.labels[1:], scene.labels[:-1]), (scene.labels[:, 1:], scene.labels[:, :-1])):
            assert ((first == second) | (first == IGNORE) | (second == IGNORE)).all()


def test_one_to_three_classes(scenes: list[Scene]) -> None:
    share = np.bincount([len(names_in(scene)) for scene in scenes], minlength=4) / len(scenes)
    assert share[0] == 0
    assert share[1:] == pytest.approx([0.5, 0.33, 0.17], abs=0.13)
    assert set().union(*map(names_in, scenes)) == set(CLASSES)
    assert any(len(scene.objects) > len(names_in(scene)) for scene in scenes)  # two of a class


@pytest.mark.parametrize(("name", "context"), CONTEXT_OF.items())
def test_contexts_keep_company_with_their_class(scenes: list[Scene], name: str, context: str) -> None:
    with_class = np.mean([context in scene.contexts for scene in scenes if name in names_in(scene)])
    without = np.mean([context in scene.contexts for scene in scenes if name not in names_in(scene)])
    assert 0.6 < with_class < 0.95
    assert 0.03 < without < 0.25


def test_things_without_a_class_are_in_half_of_the_scenes(scenes: list[Scene]) -> None:
    assert np.mean([bool(scene.distractors) for scene in scenes]) == pytest.approx(0.5, abs=0.15)


def test_things_are_large_and_small_cut_and_hidden(scenes: list[Scene]) -> None:
    shares = [
        np.mean(scene.labels == value)
        for scene in scenes
        for value in range(1, len(CLASSES) + 1)
        if (scene.labels == value).any()
    ]
    found = [thing for scene in scenes for thing in scene.objects]
    assert min(shares) < 0.04
    assert max(shares) > 0.28
    assert 0.1 < np.mean([thing.truncated for thing in found]) < 0.5
    assert 0.1 < np.mean([thing.occluded for thing in found]) < 0.5
    assert {thing.pose for thing in found} == {"Left", "Right"}


def test_colours_of_objects_and_ground_overlap(scenes: list[Scene]) -> None:
    """A threshold on any single colour channel finds the objects hardly better than chance."""
    pixels = np.concatenate([scene.image[scene.labels != IGNORE] for scene in scenes])
    on_object = np.concatenate([scene.labels[scene.labels != IGNORE] > 0 for scene in scenes])
    for channel in pixels.T:
        of_object = np.cumsum(np.bincount(channel[on_object], minlength=256) / on_object.sum())
        of_ground = np.cumsum(np.bincount(channel[~on_object], minlength=256) / (~on_object).sum())
        assert np.abs(of_object - of_ground).max() < 0.25


def test_a_larger_nominal_side_shows_the_same_scene() -> None:
    small, large = scene_of("train", 3, 128, 0), scene_of("train", 3, 256, 0)
    assert names_in(small) == names_in(large)
    assert np.asarray(large.labels.shape) == pytest.approx(2 * np.asarray(small.labels.shape), abs=2)
