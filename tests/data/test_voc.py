"""A valid tiny data set is broken in one way at a time; the message names the file and what was expected."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_voc import HEIGHT, TAGS, WIDTH, config, make_voc, read_voc, truth_of, write_list, write_xml

from wsss_steps.data.manifest import Entry
from wsss_steps.data.voc import read_split
from wsss_steps.data.voc_lists import unsafe
from wsss_steps.data.voc_tags import split_names
from wsss_steps.errors import UserError
from wsss_steps.formats.labels import write_labels
from wsss_steps.methods import arguments
from wsss_steps.workflow import splits


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_voc(tmp_path / "voc")


def jpeg(root: Path, name: str) -> Path:
    return root / "JPEGImages" / f"{name}.jpg"


def mask(root: Path, name: str) -> Path:
    return root / "SegmentationClass" / f"{name}.png"


def test_whole_data_set(root: Path) -> None:
    manifest, truth, notes = read_voc(root)
    assert manifest.dataset == "tiny"
    assert manifest.classes == ("cat", "dog")
    digest = hashlib.sha256(jpeg(root, "t2").read_bytes()).hexdigest()
    assert manifest.entries[2] == Entry("t2", "train", jpeg(root, "t2").as_posix(), HEIGHT, WIDTH, (1, 2), digest)
    assert [(entry.id, entry.split) for entry in manifest.entries] == [
        *((name, "train") for name in ("t0", "t1", "t2")),
        *((name, "val") for name in ("v0", "v1")),
    ]
    np.testing.assert_array_equal(truth.labels("t2"), truth_of("t2"))
    assert not notes


def test_paths_stay_as_they_were_given(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root.parent)
    manifest, truth, _ = read_voc(Path("voc"))
    assert manifest.entries[0].image == "voc/JPEGImages/t0.jpg"
    assert truth.masks["v1"] == "voc/SegmentationClass/v1.png"


def damage(path: Path) -> None:
    path.write_bytes(b"not a picture" + path.read_bytes()[13:])


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-24])  # within the pixel data: size and format can still be read


def write_mask(path: Path, labels: np.ndarray) -> None:
    write_labels(path, labels.astype(np.uint8))


def in_16_bits(path: Path) -> None:
    path.unlink()
    Image.fromarray(np.zeros((HEIGHT, WIDTH), np.uint16)).save(path.with_suffix(".png"))


SPOILED: dict[str, tuple[Callable[[Path], object], str]] = {
    "damaged image": (lambda root: damage(jpeg(root, "t1")), r"t1\.jpg: not a readable image"),
    "truncated image": (lambda root: truncate(jpeg(root, "v0")), r"v0\.jpg: not a readable image \(.*truncated"),
    "16-bit image": (lambda root: in_16_bits(jpeg(root, "t1")), r"t1\.png: expected an image of 8 bits .* mode I;16"),
    "missing image": (lambda root: jpeg(root, "t1").unlink(), r"JPEGImages/t1: no such image \(expected \.jpg"),
    "image twice": (
        lambda root: jpeg(root, "t1").with_suffix(".PNG").write_bytes(b""),
        r"expected one image for id 't1', found t1\.PNG, t1\.jpg",
    ),
    "no images": (lambda root: (root / "JPEGImages").rename(root / "x"), r"image_folder: no such folder: .*JPEGImages"),
    "damaged mask": (lambda root: damage(mask(root, "t1")), r"t1\.png: not a readable label image"),
    "truncated mask": (lambda root: truncate(mask(root, "t1")), r"t1\.png: .*truncated"),
    "colours in a mask": (
        lambda root: Image.new("RGB", (WIDTH, HEIGHT)).save(mask(root, "t1")),
        r"t1\.png: expected an indexed \(P\) or grey \(L\) .* found mode RGB",
    ),
    "mask of another size": (
        lambda root: write_mask(mask(root, "v1"), np.zeros((WIDTH, HEIGHT))),
        rf"v1\.png: expected the size of its image, {HEIGHT} x {WIDTH} .* found {WIDTH} x {HEIGHT}",
    ),
    "unknown mask value": (
        lambda root: write_mask(mask(root, "v1"), np.full((HEIGHT, WIDTH), 3)),
        r"v1\.png: expected values 0\.\.2 and 255, found \[3\]",
    ),
    "missing mask of val": (lambda root: mask(root, "v1").unlink(), r"v1\.png: no such label image, of split val"),
    "missing mask of train": (lambda root: mask(root, "t1").unlink(), r"t1\.png: no such label image, of split train"),
    "no masks": (
        lambda root: (root / "SegmentationClass").rename(root / "x"),
        r"mask_folder: no such folder: .*; say mask_folder: null",
    ),
    "missing list": (
        lambda root: (root / "ImageSets/Segmentation/train.txt").unlink(),
        r"train\.txt: no such file \(expected a list",
    ),
    "empty list": (lambda root: write_list(root, "val", ("", " ")), r"val\.txt: the list is empty"),
    "list in another encoding": (
        lambda root: (root / "ImageSets/Segmentation/val.txt").write_bytes(b"v\xe9\n"),
        r"val\.txt: expected text in UTF-8",
    ),
    "suffix in a list": (
        lambda root: write_list(root, "val", ("v0.jpg", "v1")),
        r"v0\.jpg: no such image .* leave the suffix out of the list",
    ),
    "list of ImageSets/Main": (lambda root: write_list(root, "val", ("v0 -1", "v1  1")), r"v0 -1: no such image"),
    "id twice": (
        lambda root: write_list(root, "train", ("t0", "t1", "t2", "t1")),
        r"id 't1' of train is already in train; expected each id once",
    ),
    "id in both splits": (
        lambda root: write_list(root, "val", ("v0", "v1", "t2")),
        r"id 't2' of val is already in train",
    ),
    "ids that differ in case": (
        lambda root: write_list(root, "val", ("v0", "v1", "V1")),
        r"id 'V1' of val is already in val \(as 'v1', which is the same name",
    ),
    "unsafe id": (
        lambda root: write_list(root, "val", ("v0", "v1", "../t0")),
        r"val\.txt, line 3: id '\.\./t0' cannot be a file name: it has a dot",
    ),
    "missing annotation": (lambda root: (root / "Annotations/t1.xml").unlink(), r"t1\.xml: no such annotation"),
    "damaged annotation": (
        lambda root: (root / "Annotations/t1.xml").write_text("<annotation>"),
        r"t1\.xml: not a readable XML file",
    ),
    "no annotations": (lambda root: (root / "Annotations").rename(root / "x"), r"give tags in a table with tags_csv"),
    "image without tags": (
        lambda root: write_xml(root / "Annotations/t1.xml", ("plane",)),
        r"image 't1' has no tag \(expected at least one of cat, dog, or allow_untagged: true\)",
    ),
}


@pytest.mark.parametrize("what", SPOILED)
def test_each_fault_is_named(root: Path, what: str) -> None:
    spoil, message = SPOILED[what]
    spoil(root)
    with pytest.raises(UserError, match=message):
        read_voc(root)


def test_all_faults_of_a_split_are_named_at_once(root: Path) -> None:
    jpeg(root, "t0").unlink()
    truncate(jpeg(root, "t1"))
    write_xml(root / "Annotations/t2.xml", ())
    with pytest.raises(UserError) as caught:
        read_voc(root)
    lines = str(caught.value).splitlines()
    assert lines[0] == f"split 'train' of data set 'tiny' in {root} (3):"
    assert len(lines) == 4
    for name in ("t0", "t1", "t2"):
        assert any(name in line for line in lines), name


def test_all_faults_of_masks_are_named_at_once(root: Path) -> None:
    write_mask(mask(root, "t0"), np.full((HEIGHT, WIDTH), 77))
    damage(mask(root, "t1"))
    with pytest.raises(UserError) as caught:
        read_voc(root)
    lines = str(caught.value).splitlines()
    assert lines[0] == f"label images of split 'train' of data set 'tiny' in {root} (2):"
    assert ("t0" in lines[1], "t1" in lines[2]) == (True, True)


def test_all_faults_of_lists_and_folders_are_named_at_once_before_the_first_job(root: Path) -> None:
    write_list(root, "val", ("v0", "t2"))
    (root / "JPEGImages").rename(root / "x")
    with pytest.raises(UserError) as caught:
        config(root, splits={"val": "ImageSets/Segmentation/val.txt", "test": "absent.txt"})
    text = str(caught.value)
    for line in ("id 't2' of val is already in train", "image_folder: no such folder", "absent.txt: no such file"):
        assert line in text


def test_without_a_list_of_val_there_is_no_such_split_unless_it_is_asked_for(root: Path) -> None:
    (root / "ImageSets/Segmentation/val.txt").unlink()
    assert config(root).splits == {}
    assert [entry.id for entry in read_voc(root)[0].entries] == ["t0", "t1", "t2"]


def test_any_number_of_splits_and_images_to_segment_only(root: Path) -> None:
    """The images of an unscored split need neither tags nor masks."""
    write_list(root, "val", ("v0",))
    write_list(root, "test", ("v1",))
    (root / "Annotations/v1.xml").unlink()
    lists = {name: f"ImageSets/Segmentation/{name}.txt" for name in ("val", "test")}
    mine = config(root, splits=lists, unscored=["test"])
    assert list(splits.list_files(mine)) == ["train", "val", "test"]
    test, _ = read_split(root, **arguments(read_split, splits.images_settings(mine, "test")))
    assert [(entry.id, entry.split, entry.tags) for entry in test.entries] == [("v1", "test", ())]


def test_a_part_of_train_may_be_scored(root: Path) -> None:
    write_list(root, "few", ("t2", "t0"))
    mask(root, "t1").unlink()
    _, truth, _ = read_voc(root, scored_list="ImageSets/Segmentation/few.txt")
    assert sorted(truth.masks) == ["t0", "t2", "v0", "v1"]
    write_list(root, "few", ("t2", "v0"))
    with pytest.raises(UserError, match=r"few\.txt: id 'v0' is not in ImageSets/Segmentation/train\.txt"):
        config(root, scored_list="ImageSets/Segmentation/few.txt")


def test_a_mask_that_changes_after_it_was_checked_is_refused(root: Path) -> None:
    _, truth, _ = read_voc(root)
    write_mask(mask(root, "v1"), np.zeros((HEIGHT, WIDTH)))
    with pytest.raises(UserError, match=r"v1\.png: has changed since it was checked; run Snakemake again"):
        truth.labels("v1")


@pytest.mark.parametrize("image_id", ["", "2007_000032", "été 01", "写真", "a.b", "x-y"])
def test_safe_ids(image_id: str) -> None:
    assert unsafe(image_id) is None


@pytest.mark.parametrize("image_id", [".", "..", ".hidden", "a..b", "a/b", "a\\b", "a\tb", "a\x00b", "a:b", "end."])
def test_unsafe_ids(image_id: str) -> None:
    assert unsafe(image_id) is not None


# ---- tags --------------------------------------------------------------------------------------------------------


def with_table(root: Path, text: str) -> dict[str, str]:
    (root / "tags.csv").write_text(text, encoding="utf-8")
    return {"tags_csv": "tags.csv"}


def test_table_goes_before_xml(root: Path) -> None:
    rows = [
        "id,split,tags",
        "t0,train,dog",
        "t1,train,cat dog",
        "t2,,dog;cat",
        "v0,val,dog ; dog",
        "v1,val,cat",
        "z,val,cat",
    ]
    manifest, _, notes = read_voc(root, **with_table(root, "\n".join(rows)))
    assert [entry.tags for entry in manifest.entries] == [(2,), (1, 2), (1, 2), (2,), (1,)]
    assert notes["images whose mask shows other classes than its tags"] == 2  # t0 and t1


GOOD_ROWS = "id,split,tags\nt0,train,cat\nt1,train,dog\nt2,train,cat\nv0,val,dog\n"
BAD_TABLES = {
    "unknown class": (
        "v1,val,cat;bird\n",
        r"tags\.csv, line 6, id 'v1': unknown classes \['bird'\]; known classes: cat, dog",
    ),
    "only an unknown class": ("v1,val,bird\n", r"line 6, id 'v1': unknown classes \['bird'\]"),
    "no tag": ("v1,val,\n", r"image 'v1' has no tag"),
    "no row": ("", r"no row for image 'v1' of val"),
    "row twice": ("v1,val,cat\nv1,val,cat\n", r"line 7: duplicate id 'v1'"),
    "other split": ("v1,train,cat\n", r"line 6: id 'v1' is of split 'train', but in the list of val"),
    "commas": ("v1,val,cat,dog\n", r"line 6: more fields than columns; separate tags by ';' or spaces"),
}


@pytest.mark.parametrize("what", BAD_TABLES)
def test_faults_of_a_table_are_named(root: Path, what: str) -> None:
    row, message = BAD_TABLES[what]
    with pytest.raises(UserError, match=message) as caught:
        read_voc(root, **with_table(root, GOOD_ROWS + row))
    assert "(1):" in str(caught.value).splitlines()[0]  # one line per fault


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,labels\n", r"expected the columns id, tags and perhaps split, found \['name', 'labels'\]"),
        ("id,tags,tags\nt0,cat,dog\n", r"expected each column once, found \['id', 'tags', 'tags'\]"),
        ("", r"expected the columns .* found none"),
        ("id,tags\n", r"the table of tags is empty"),
    ],
)
def test_a_table_needs_columns_and_rows(root: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_voc(root, **with_table(root, text))


def test_columns_without_names_are_passed_over(root: Path) -> None:
    """A spreadsheet may write more commas than there are columns."""
    rows = ["id,tags,,", *(f"{name},cat,," for name in ("t0", "t1", "t2", "v0", "v1"))]
    manifest, _, _ = read_voc(root, **with_table(root, "\n".join(rows)))
    assert {entry.tags for entry in manifest.entries} == {(1,)}


def test_a_table_that_is_missing_or_not_text(root: Path) -> None:
    with pytest.raises(UserError, match=r"tags_csv: no such table of tags: .*tags\.csv"):
        read_voc(root, tags_csv="tags.csv")
    (root / "tags.csv").write_bytes(b"id,tags\nt\xff,cat\n")
    with pytest.raises(UserError, match=r"tags\.csv: not a readable table in UTF-8"):
        read_voc(root, tags_csv="tags.csv")


def test_a_class_name_may_have_a_space() -> None:
    classes = ("potted plant", "cat")
    assert split_names("potted plant", classes) == ["potted plant"]
    assert split_names(" potted plant;cat; ", classes) == ["potted plant", "cat"]
    assert split_names("cat dog", classes) == ["cat", "dog"]
    assert split_names(" ", classes) == []


def test_objects_of_other_classes_are_counted(root: Path) -> None:
    write_xml(root / "Annotations/t0.xml", ("cat", "plane", "plane"))
    manifest, _, notes = read_voc(root)
    assert manifest.entries[0].tags == (1,)
    assert dict(notes) == {"objects of classes that are not listed, passed over: plane 2": 2}


def test_untagged_images_may_be_allowed(root: Path) -> None:
    write_xml(root / "Annotations/t1.xml", ())
    manifest, _, notes = read_voc(root, allow_untagged=True)
    assert manifest.entries[1].tags == ()
    assert notes["images without a tag"] == 1


# ---- masks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("other", "expected"), [("background", 0), ("ignore", 255)])
def test_a_subset_of_the_classes_of_the_masks(root: Path, other: str, expected: int) -> None:
    """Values 1, 2, 3 are plane, dog, cat: dog becomes 2, cat 1, and plane as set by `other_classes`."""
    values = np.zeros((HEIGHT, WIDTH))
    values[0, :5] = (1, 2, 3, 0, 255)
    write_mask(mask(root, "t2"), values)
    for name in TAGS:
        if name != "t2":
            write_mask(mask(root, name), np.zeros((HEIGHT, WIDTH)))
    _, truth, _ = read_voc(root, mask_classes=("plane", "dog", "cat"), other_classes=other)
    assert truth.labels("t2")[0, :5].tolist() == [expected, 2, 1, 0, 255]
    assert truth.class_of_value[:5] == (0, expected, 2, 1, -1)


def test_masks_may_be_absent_from_train(root: Path) -> None:
    for name in ("t0", "t1", "t2"):
        mask(root, name).unlink()
    _, truth, notes = read_voc(root)
    assert sorted(truth.masks) == ["v0", "v1"]
    assert notes["train images without any mask: their stages will not be scored"] == 3


def test_masks_may_be_absent_altogether(root: Path) -> None:
    _, truth, notes = read_voc(root, mask_folder=None)
    assert truth.masks == {}
    assert not notes


def test_grey_and_cmyk_images_and_pngs_are_taken(root: Path) -> None:
    Image.new("L", (WIDTH, HEIGHT)).save(jpeg(root, "t0"))
    Image.new("CMYK", (WIDTH, HEIGHT)).save(jpeg(root, "t1"))
    jpeg(root, "t2").unlink()
    Image.new("RGBA", (WIDTH, HEIGHT)).save(jpeg(root, "t2").with_suffix(".png"))
    manifest, _, _ = read_voc(root)
    assert manifest.entries[2].image.endswith("t2.png")
