"""Hints in error messages about a data set, where it is easy to guess what was meant."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tiny_voc import make_voc, read_voc, write_xml

from wsss_steps.data.listing import Report
from wsss_steps.data.manifest import Entry
from wsss_steps.data.voc import find_images
from wsss_steps.data.voc_lists import read_list
from wsss_steps.data.voc_masks import find_masks
from wsss_steps.data.voc_tags import meant
from wsss_steps.errors import UserError

ROWS = "t0,cat\nt1,dog\nt2,cat dog\nv0,dog\n"
TABLES = {
    "capitals": (f"id,tags\n{ROWS}v1,Cat\n", "unknown classes ['Cat']; known classes: cat, dog; for 'Cat' write 'cat'"),
    "quoted commas": (
        f'id,tags\n{ROWS}v1,"cat,dog"\n',
        "['cat,dog']; known classes: cat, dog; separate tags by ';' or",
    ),
    "commas and spaces": (f'id,tags\n{ROWS}v1,"cat, dog"\n', "separate tags by ';' or spaces, not by ','"),
    "commas before a split": (
        "id,tags,split\n" + ROWS.replace("\n", ",\n") + "v1,cat,dog\n",
        "id 'v1' is of split 'dog', but in the list of val; separate tags by ';' or spaces, not by ','",
    ),
    "suffixes": (
        f"id,tags\n{ROWS}v1.jpg,cat\n",
        "no row for image 'v1' of val (there is one for 'v1.jpg': leave the suffix out)",
    ),
    "JSON": ('{"t0": ["cat"],\n"t1": ["dog"]}', "found JSON; write a table as CSV"),
    "JSON, a list": ('[{"id": "t0", "tags": "cat"}]', "found JSON; write a table as CSV"),
    "columns in capitals": (
        "ID, Tags\n",
        "found ['ID', ' Tags']; write their names in small letters and without spaces",
    ),
    "semicolons": ("id;tags\nt0;cat\n", "found ['id;tags']; separate columns by ','"),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_voc(tmp_path / "voc")


def told(root: Path, **overrides: object) -> str:
    with pytest.raises(UserError) as caught:
        read_voc(root, **overrides)
    return str(caught.value)


@pytest.mark.parametrize("fault", TABLES)
def test_tables_of_tags(fault: str, root: Path) -> None:
    text, hint = TABLES[fault]
    (root / "tags.csv").write_text(text)
    assert hint in told(root, tags_csv="tags.csv")


def test_a_table_of_another_kind_is_not_printed_whole(root: Path) -> None:
    (root / "tags.csv").write_text(",".join(f"column{number:060d}" for number in range(1000)) + "\n")
    message = told(root, tags_csv="tags.csv")
    assert "and more" in message
    assert len(message) < 1000


@pytest.mark.parametrize("what", ["tags.csv", "ImageSets/Segmentation/val.txt"])
def test_a_folder_in_place_of_a_file(what: str, root: Path) -> None:
    (root / what).unlink(missing_ok=True)
    (root / what).mkdir()
    assert re.search("not a readable|no such table of tags", told(root, tags_csv="tags.csv"))


def test_names_that_differ_in_capitals_spaces_and_signs() -> None:
    classes = ("cat", "potted plant", "tv/monitor")
    assert meant(["Cat", "horse"], classes) == "; for 'Cat' write 'cat'"
    assert meant(["pottedplant"], classes) == "; for 'pottedplant' write 'potted plant'"
    assert meant(["TV_monitor"], classes) == "; for 'TV_monitor' write 'tv/monitor'"
    assert meant(["cats", "ca"], classes) == ""


def test_objects_that_are_no_class_are_named(root: Path) -> None:
    write_xml(root / "Annotations" / "t0.xml", ("cat", "horse", "Dog", "horse"))
    write_xml(root / "Annotations" / "v0.xml", ("dog", "horse"))
    _, _, notes = read_voc(root)
    first, second = (what for what in notes if what.startswith("objects of"))
    assert first.endswith("passed over: horse 2, Dog 1; for 'Dog' write 'dog'")
    assert second.endswith("passed over: horse 1")
    assert (notes[first], notes[second]) == (3, 1)


def test_an_image_without_a_tag_says_what_its_annotation_has(root: Path) -> None:
    write_xml(root / "Annotations" / "t0.xml", ("Cat", "horse"))
    assert "or allow_untagged: true); found Cat, horse; for 'Cat' write 'cat'" in told(root)


LISTED: dict[str, tuple[str, str]] = {
    "suffix": ("t0.jpg", "leave the suffix out of the list"),
    "words after the id": ("t0  1", "write the id alone, 't0'"),
    "capitals": ("T0", "there is 't0'"),
    "image of a format that is not read": ("bitmap", "found bitmap.bmp"),
}


@pytest.mark.parametrize("fault", LISTED)
def test_ids_without_an_image(fault: str, root: Path) -> None:
    image_id, hint = LISTED[fault]
    (root / "JPEGImages" / "bitmap.bmp").write_bytes(b"")
    report = Report()
    assert find_images(root / "JPEGImages", [image_id], report) == {}
    (problem,) = report.problems
    assert hint in problem


def test_a_list_of_paths_and_one_of_another_kind(tmp_path: Path) -> None:
    problems: list[str] = []
    (tmp_path / "a.txt").write_text("JPEGImages/t0.jpg\n" + '{"a": 1},' * 1000)
    assert read_list(tmp_path / "a.txt", problems) == []
    assert problems[0].endswith("it has the characters ['/']; write the id alone, without folder and suffix")
    assert len(problems[1]) < 300


@pytest.mark.parametrize("names", [("t0",), ("t0", "t1", "t2")])
@pytest.mark.parametrize("suffix", [".PNG", ".tif"])
def test_masks_of_another_suffix_are_named(suffix: str, names: tuple[str, ...], root: Path) -> None:
    """Also if no mask has the right suffix: masks of train are optional, but here there are some."""
    for name in names:
        mask = root / "SegmentationClass" / f"{name}.png"
        mask.rename(mask.with_suffix(suffix))
    report = Report()
    entries = [Entry(name, "train", "unread", 1, 1, (1,)) for name in ("t0", "t1", "t2")]
    found = find_masks(root / "SegmentationClass", entries, optional=True, report=report)
    assert len(found) == 3 - len(names)
    assert [line.partition(" (")[2] for line in report.problems] == [
        f"found {name}{suffix}; expected the suffix .png)" for name in names
    ]
    assert not report.notes
