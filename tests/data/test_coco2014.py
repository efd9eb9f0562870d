"""MS-COCO 2014 as its archives unpack: tags, label images by every rule, against pixels worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_archives
from tiny_archives import HEIGHT, WIDTH

from wsss_steps.data.archives import coco2014
from wsss_steps.data.coco_instances import mask_of, read_instances
from wsss_steps.errors import UserError
from wsss_steps.formats.labels import write_labels

PERSON, CAR, BIRD, CAT, TOOTHBRUSH = 1, 3, 15, 16, 80
RULES = {"overlap": "smaller", "crowd": "void", "masks": None, "scored_list": None}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tiny_archives.make_coco(tmp_path / "coco")


def name(split: str, number: int) -> str:
    return Path(tiny_archives.file_of(split, number)).stem


def tags_of(root: Path, split: str, **overrides: Any) -> dict[str, tuple[str, ...]]:
    given = {"crowd": "void", "untagged": "leave_out", "published_counts": False, "classes": coco2014.CLASSES}
    ids, tags, _ = coco2014.read_tags(root, split=split, **{**given, **overrides})
    return {one: tags[one] for one in ids}


def painted(root: Path, split: str, **overrides: Any) -> dict[int, np.ndarray]:
    numbers = tiny_archives.ANNOTATED[split]
    ids = [name(split, number) for number in numbers]
    made = dict(coco2014.label_images(root, ids, split=split, **{**RULES, **overrides}))
    return {number: make() for number, make in zip(numbers, made.values(), strict=True)}


def rectangle(image: np.ndarray, top: int, left: int, bottom: int, right: int, value: int) -> None:
    image[top:bottom, left:right] = value


def test_the_classes_are_the_80_of_coco_in_the_order_of_their_ids() -> None:
    """Ten of the ids 1 to 90 are not used: those of street sign, hat, shoe and so on."""
    unused = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83}
    ids = [number for number in range(1, 91) if number not in unused]
    assert len(coco2014.CLASSES) == len(set(coco2014.CLASSES)) == len(ids) == 80
    known = {
        1: "person",
        3: "car",
        11: "fire hydrant",
        13: "stop sign",
        17: "cat",
        44: "bottle",
        62: "chair",
        67: "dining table",
    }
    known |= {70: "toilet", 72: "tv", 82: "refrigerator", 84: "book", 90: "toothbrush"}
    assert {number: coco2014.CLASSES[ids.index(number)] for number in known} == known


def test_training_images_without_a_tag_are_left_out_or_kept(root: Path) -> None:
    assert tags_of(root, "train") == {name("train", 9): ("person", "cat"), name("train", 25): ("toothbrush",)}
    kept = tags_of(root, "train", untagged="keep")
    assert kept[name("train", 30)] == kept[name("train", 34)] == ()
    assert list(kept) == [name("train", number) for number in (9, 25, 30, 34)]


def test_held_out_images_are_always_kept(root: Path) -> None:
    assert tags_of(root, "val") == {name("val", 42): ("car", "bird"), name("val", 73): ()}


def test_crowds_give_a_tag_if_they_are_objects(root: Path) -> None:
    found = tags_of(root, "train", crowd="object")
    assert found[name("train", 34)] == ("person",)
    assert found[name("train", 25)] == ("person", "toothbrush")
    assert tags_of(root, "train", crowd="background") == tags_of(root, "train")


def test_tags_are_of_the_listed_classes(root: Path) -> None:
    assert tags_of(root, "train", classes=("cat", "dog")) == {name("train", 9): ("cat",)}


@pytest.mark.parametrize(("overlap", "within"), [("smaller", CAT), ("later", PERSON)])
def test_overlapping_objects(root: Path, overlap: str, within: int) -> None:
    expected = np.zeros((HEIGHT, WIDTH), np.uint8)
    rectangle(expected, 0, 0, 8, 8, PERSON)
    rectangle(expected, 2, 2, 6, 6, within)
    np.testing.assert_array_equal(painted(root, "train", overlap=overlap)[9], expected)


def test_partly_overlapping_objects(root: Path) -> None:
    """The car has 32 px, the bird 60: the car has their common pixels if the smaller is on top."""
    for overlap, common in (("smaller", CAR), ("later", BIRD)):
        expected = np.zeros((HEIGHT, WIDTH), np.uint8)
        rectangle(expected, 1, 1, 5, 9, CAR)
        rectangle(expected, 3, 5, 9, 15, BIRD)
        rectangle(expected, 3, 5, 5, 9, common)
        np.testing.assert_array_equal(painted(root, "val", overlap=overlap)[42], expected)
    assert not painted(root, "val")[73].any()


@pytest.mark.parametrize(("crowd", "value"), [("void", 255), ("object", PERSON), ("background", 0)])
def test_crowds(root: Path, crowd: str, value: int) -> None:
    expected = np.zeros((HEIGHT, WIDTH), np.uint8)
    rectangle(expected, 6, 0, HEIGHT, WIDTH, value)
    np.testing.assert_array_equal(painted(root, "train", crowd=crowd)[34], expected)
    rectangle(expected, 0, 8, 4, 12, TOOTHBRUSH)
    np.testing.assert_array_equal(painted(root, "train", crowd=crowd)[25], expected)


def test_void_lies_below_all_objects() -> None:
    from wsss_steps.data.coco_instances import Outline

    outlines = [
        Outline(CAT, False, tiny_archives.box(0, 0, 8, 8)),
        Outline(PERSON, True, tiny_archives.runs(np.ones((12, 16), bool))),
    ]
    found = coco2014.render(outlines, (HEIGHT, WIDTH), overlap="later", crowd="void")
    assert (found[:8, :8] == CAT).all()
    assert (found == 255).sum() == HEIGHT * WIDTH - 64


def test_the_rule_of_the_script_that_circulates(root: Path) -> None:
    """Annotations in their order, crowds left out, categories by rank: pycocotools asked no further."""
    from pycocotools import mask

    content = json.loads((root / "annotations/instances_train2014.json").read_text())
    expected = np.zeros((HEIGHT, WIDTH), np.uint8)
    for one in content["annotations"]:
        if one["image_id"] == 9 and not one["iscrowd"]:
            coded = mask.merge(mask.frPyObjects(one["segmentation"], HEIGHT, WIDTH))
            expected[mask.decode(coded) == 1] = {1: 1, 17: 16}[one["category_id"]]
    np.testing.assert_array_equal(painted(root, "train", overlap="later", crowd="background")[9], expected)


def test_label_images_that_others_made(root: Path) -> None:
    """`000000000009.png`, `COCO_train2014_000000000025.png` and `30.png` are names that circulate."""
    folder = root / "coco_seg_anno"
    folder.mkdir()
    for value, stem in enumerate(("000000000009", name("train", 25), "30", "000000000034"), start=1):
        write_labels(folder / f"{stem}.png", np.full((HEIGHT, WIDTH), value, np.uint8))
    found = painted(root, "train", masks="coco_seg_anno")
    assert {number: int(image[0, 0]) for number, image in found.items()} == {9: 1, 25: 2, 30: 3, 34: 4}
    (folder / "000000000034.png").unlink()
    with pytest.raises(UserError, match=r"without a label image \(1\):\n  COCO_train2014_000000000034"):
        painted(root, "train", masks="coco_seg_anno")


def test_a_list_restricts_what_is_scored(root: Path) -> None:
    tiny_archives.write_ids(root / "scored.txt", [name("train", 25)])
    ids = [name("train", number) for number in (9, 25)]
    made = coco2014.label_images(root, ids, split="train", **{**RULES, "scored_list": "scored.txt"})
    assert [one for one, _ in made] == [name("train", 25)]


def test_rules_are_named() -> None:
    assert (
        coco2014.description(overlap="smaller", crowd="void", masks=None)
        == "COCO, smaller objects on top, crowds: void"
    )
    named = coco2014.description(overlap="later", crowd="background", masks=None)
    assert named == "COCO, later annotations on top, crowds: background"
    assert coco2014.description(overlap="later", crowd="void", masks="a/coco_seg_anno") == "COCO, given: coco_seg_anno"


# ---- what can be wrong


def test_what_is_missing(root: Path) -> None:
    def problems(**overrides: Any) -> list[str]:
        return coco2014.problems(root, **{"published_counts": False, "masks": None, **overrides})

    assert problems() == []
    assert [line.partition(": ")[2][:48] for line in problems(published_counts=True)] == [
        "expected 82,783 images, as published, found 4; f",
        "expected 40,504 images, as published, found 2; f",
    ]
    (root / "annotations/instances_val2014.json").rename(root / "x")
    assert len(problems(masks="nowhere")) == 2


def test_the_published_counts_are_those_of_the_annotations(root: Path) -> None:
    with pytest.raises(UserError, match="expected 40,504 images, as published, found 2"):
        tags_of(root, "val", published_counts=True)


def broken(root: Path, **changes: Any) -> str:
    path = root / "annotations/instances_val2014.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(UserError) as error:
        read_instances(path, coco2014.CLASSES)
    return str(error.value)


def test_annotations_that_are_none(root: Path) -> None:
    assert "not have (1):\n  tyre" in broken(root, categories=[{"id": 3, "name": "tyre"}])
    assert "annotation 0: KeyError: 16" in broken(
        root,
        categories=[{"id": 3, "name": "car"}],
        annotations=[
            tiny_archives.annotation(42, 16, []),
            tiny_archives.annotation(42, 3, []),
            tiny_archives.annotation(1, 3, []),
        ],
    )
    assert "annotation 2: KeyError: 1" in broken(root)
    assert "found none (KeyError: 'file_name')" in broken(root, images=[{"id": 1}])
    path = root / "annotations/instances_val2014.json"
    for text in ("", "[]", "{}", '{"categories": 1}'):
        path.write_text(text)
        with pytest.raises(UserError, match="expected the instance annotations of COCO"):
            read_instances(path, coco2014.CLASSES)


@pytest.mark.parametrize("shape", [None, 3, {"size": [2, 2], "counts": [4]}, {"counts": [4]}, [[1, 2]], ["x"]])
def test_outlines_that_are_none(shape: Any) -> None:
    from wsss_steps.data.coco_instances import Outline

    with pytest.raises(UserError, match="an outline that cannot be drawn"):
        coco2014.render([Outline(1, False, shape)], (HEIGHT, WIDTH), overlap="later", crowd="void")


def test_run_lengths(root: Path) -> None:
    from pycocotools import mask

    pixels = np.random.default_rng(0).random((HEIGHT, WIDTH)) < 0.5
    np.testing.assert_array_equal(mask_of(tiny_archives.runs(pixels), (HEIGHT, WIDTH)), pixels)
    coded = mask.encode(np.asfortranarray(pixels.astype(np.uint8)))
    np.testing.assert_array_equal(mask_of({**coded, "counts": coded["counts"].decode()}, (HEIGHT, WIDTH)), pixels)
    assert not mask_of([], (HEIGHT, WIDTH)).any()


def test_the_state_changes_with_annotations_and_given_masks(root: Path) -> None:
    def state(**overrides: Any) -> Any:
        return coco2014.sources_of_masks(root, split="val", **{"scored_list": None, "masks": None, **overrides})

    before = state()
    path = root / "annotations/instances_val2014.json"
    assert list(before.files) == [path.as_posix()]
    path.write_text(path.read_text() + " ")
    assert state() != before
    (root / "given").mkdir()
    assert state(masks="given").files == {}
