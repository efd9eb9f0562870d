"""Boxes in VOC's annotations: their pixels, and everything that can be wrong with them, told at once."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from boxed_voc import object_xml, write_boxes, write_xml
from tiny_voc import HEIGHT, WIDTH, config, make_voc, read_voc, write_list

from wsss_steps import prepare_boxes
from wsss_steps.data import boxes as files
from wsss_steps.data import sources
from wsss_steps.data.box_sources import of_boxes
from wsss_steps.data.boxes import Boxes, ObjectBox
from wsss_steps.data.manifest import Manifest, write_manifest
from wsss_steps.data.voc_boxes import box_of, read_boxes
from wsss_steps.errors import UserError
from wsss_steps.formats.records import record_of
from wsss_steps.make_example import annotation, scene_of
from wsss_steps.methods import arguments
from wsss_steps.workflow import splits

RIGHT_HALF = (0, 8, HEIGHT, WIDTH)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_boxes(make_voc(tmp_path / "voc"))


def manifest_of(root: Path) -> Manifest:
    return read_voc(root)[0]


def read(root: Path, manifest: Manifest | None = None, **overrides: Any) -> tuple[Boxes, Counter[str]]:
    """The boxes of the training images; the manifest is read before something is broken, if it is given."""
    given = splits.boxes_settings(config(root, boxes="Annotations", **overrides), "train")
    return read_boxes(root, manifest or manifest_of(root), **arguments(read_boxes, given))


def test_voc_counts_from_one_and_includes_the_last_pixel(root: Path) -> None:
    found, notes = read(root)
    assert found == {
        "t0": (ObjectBox(1, RIGHT_HALF, False),),
        "t1": (ObjectBox(2, RIGHT_HALF, False),),
        "t2": (ObjectBox(1, (0, 8, 6, 16), False), ObjectBox(2, (6, 8, 12, 16), False)),
    }
    assert not notes


def test_the_whole_image_and_a_pixel(root: Path) -> None:
    write_xml(root, "t0", object_xml("cat", (1, 1, WIDTH, HEIGHT)), object_xml("cat", (3, 5, 3, 5)))
    boxes = [one.box for one in read(root)[0]["t0"]]
    assert boxes == [(0, 0, HEIGHT, WIDTH), (4, 2, 5, 3)]


def test_fractions_are_rounded(root: Path) -> None:
    write_xml(root, "t0", object_xml("cat", ("4.70000076", "1.2", "11.1", "6.4")))
    assert read(root)[0]["t0"][0].box == (0, 4, 6, 11)


def test_difficult_objects_are_marked_and_noted(root: Path) -> None:
    flags = ("<difficult>1</difficult>", "<difficult> 0 </difficult>", "<difficult/>", "")
    write_xml(root, "t0", *(object_xml("cat", (1, 1, 4, 4), flag) for flag in flags))
    found, notes = read(root)
    assert [one.difficult for one in found["t0"]] == [True, False, False, False]
    assert notes == {"difficult objects": 1}


def test_boxes_of_parts_are_passed_over(root: Path) -> None:
    head = "<part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></part>"
    write_xml(root, "t0", object_xml("cat", (9, 1, 16, 12), head))
    assert read(root)[0]["t0"] == (ObjectBox(1, RIGHT_HALF, False),)
    manifest = manifest_of(root)
    write_xml(root, "t0", object_xml("cat", None, head))
    with pytest.raises(UserError, match=r"object 1, 'cat': expected a bndbox with ymin, xmin.* found none"):
        read(root, manifest)


def test_objects_of_classes_of_the_data_set_that_are_not_listed_are_passed_over(root: Path) -> None:
    write_xml(root, "t0", object_xml("cat", (9, 1, 16, 12)), object_xml("cow", (99, 1, 0, 0)))
    found, notes = read(root, mask_classes=["cow", "dog", "cat"])
    assert found["t0"] == (ObjectBox(1, RIGHT_HALF, False),)
    assert notes == {"objects of classes that are not listed, passed over": 1}


def test_tags_that_say_something_else_are_noted(root: Path) -> None:
    manifest = manifest_of(root)
    write_xml(root, "t0", object_xml("dog", (9, 1, 16, 12)))
    write_xml(root, "t1")
    found, notes = read(root, manifest)
    assert found["t1"] == ()
    assert notes == {"images whose boxes show other classes than their tags": 2}


def test_all_that_is_wrong_is_told_at_once(root: Path) -> None:
    manifest = manifest_of(root)
    (root / "Annotations/t1.xml").unlink()
    wrong: dict[str, tuple[Any, ...]] = {
        "before the first column": (0, 1, 4, 4),
        "behind the last column": (1, 1, WIDTH + 1, 4),
        "behind the last row": (1, 1, 4, HEIGHT + 1),
        "ends before it begins": (5, 1, 4, 4),
        "no number": (1, "x", 4, 4),
        "not finite": (1, 1, "inf", 4),
    }
    objects = [object_xml("cat", box) for box in wrong.values()]
    objects += [object_xml("cat", (1, 1, 4, 4), "<difficult>yes</difficult>"), object_xml("Cat", (1, 1, 4, 4))]
    path = write_xml(root, "t0", *objects, object_xml("cow", None))
    other = write_xml(root, "t2", size=(WIDTH, HEIGHT))
    with pytest.raises(UserError) as caught:
        read(root, manifest)
    within = "expected a box within its image, 1 <= ymin <= ymax <= 12 and 1 <= xmin <= xmax <= 16, found"
    known = "known classes: cat, dog"
    assert str(caught.value).splitlines() == [
        f"boxes of split 'train' of data set 'tiny' in {root} (11):",
        f"  {path}, object 1, 'cat': {within} ymin 1, xmin 0, ymax 4, xmax 4",
        f"  {path}, object 2, 'cat': {within} ymin 1, xmin 1, ymax 4, xmax 17",
        f"  {path}, object 3, 'cat': {within} ymin 1, xmin 1, ymax 13, xmax 4",
        f"  {path}, object 4, 'cat': {within} ymin 1, xmin 5, ymax 4, xmax 4",
        f"  {path}, object 5, 'cat': expected a bndbox with ymin, xmin, ymax, xmax in px, found 'x', '1', '4', '4'",
        f"  {path}, object 6, 'cat': expected numbers of px, found ymin 1, xmin 1, ymax 4, xmax inf",
        f"  {path}, object 7, 'cat': expected difficult 0 or 1, found 'yes'",
        f"  {path}, object 8: unknown class 'Cat'; {known}; for 'Cat' write 'cat'",
        f"  {path}, object 9: unknown class 'cow'; {known}",
        f"  {root / 'Annotations/t1.xml'}: no such annotation, of an image of split train",
        f"  {other}: expected the size of its image, 12 x 16 (height x width), found 16 x 12; "
        "boxes have to be those of the upright image",
    ]


def test_what_is_no_xml_is_told(root: Path) -> None:
    manifest = manifest_of(root)
    (root / "Annotations/t0.xml").write_text("{}")
    with pytest.raises(UserError, match=r"t0\.xml: not a readable XML file"):
        read(root, manifest)


def test_a_scored_list_restricts_them(root: Path) -> None:
    write_list(root, "scored", ("t2", "t0"))
    (root / "Annotations/t1.xml").write_text("<annotation><object><name>dog</name></object></annotation>")  # no box
    given = {"scored_list": "ImageSets/Segmentation/scored.txt"}
    assert list(read(root, **given)[0]) == ["t0", "t2"]
    write_list(root, "more", ("t2", "v0"))
    manifest = manifest_of(root)
    settings = splits.boxes_settings(config(root, boxes="Annotations", **given), "train")
    settings["scored_list"] = "ImageSets/Segmentation/more.txt"
    with pytest.raises(UserError, match=r"more\.txt: id 'v0' is not in split train"):
        read_boxes(root, manifest, **arguments(read_boxes, settings))


def test_a_folder_that_does_not_exist_is_told_before_any_job(root: Path) -> None:
    with pytest.raises(UserError, match=r"boxes: no such folder: .*/Boxes; say boxes: null if there are none"):
        config(root, boxes="Boxes")
    with pytest.raises(UserError, match=r"boxes: expected none of \{ \} < >"):
        config(root, boxes="{split}")


def test_the_drawn_scenes_have_the_boxes_of_their_objects() -> None:
    """The embedded data set's writer and this reader agree on the convention."""
    scene = scene_of("train", 3, 64, 0)
    height, width = scene.labels.shape
    boxes = [box_of(one, height, width) for one in annotation("x", scene).iterfind("object")]
    assert boxes == [(y0, x0, y1 + 1, x1 + 1) for y0, x0, y1, x1 in (one.box for one in scene.objects)]


# ---- the step


def run(root: Path) -> tuple[Path, dict[str, Any]]:
    manifest, output = root.parent / "m.json", root.parent / "boxes.json"
    write_manifest(manifest, manifest_of(root))
    given = splits.boxes_settings(config(root, boxes="Annotations"), "train")
    prepare_boxes.run(root=root, manifest=manifest, boxes=output, settings=given)
    return output, given


def test_what_is_written_is_read(root: Path) -> None:
    output, _ = run(root)
    assert files.read_boxes(output) == read(root)[0]
    content = json.loads(output.read_text())
    assert (content["format"], content["version"]) == ("wsss/boxes", 1)
    assert content["images"]["t0"] == [{"class": 1, "box": [0, 8, 12, 16], "difficult": False}]


def test_the_state_changes_when_a_listed_annotation_does(root: Path) -> None:
    output, given = run(root)

    def state() -> str:
        return sources.state(of_boxes(root, **arguments(of_boxes, given)), record_of(output))

    before, path = state(), root / "Annotations/t0.xml"
    assert json.loads(record_of(output).read_text())["state"] == before
    os.utime(path, ns=(0, 0))
    assert state() == before, "touched"
    (root / "Annotations/v0.xml").write_text("of another split")
    assert state() == before
    text = path.read_text()
    path.write_text(text.replace("<xmin>9<", "<xmin>8<"))
    assert state() != before
    path.write_text(text)
    assert state() == before
    path.unlink()
    assert state() != before
