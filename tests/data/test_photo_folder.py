"""A plain folder of photographs, and what a table or its sub-folders say of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from photo_folders import PHOTOGRAPHS, config, make_folder, photograph, read, table_of_all, write_table

from wsss_steps.data.layouts import folder
from wsss_steps.data.photo_ids import id_of, stem_of
from wsss_steps.data.voc_lists import unsafe
from wsss_steps.errors import UserError
from wsss_steps.workflow import files, planning, splits

IDS = ["both", "cats+IMG 1", "cats+IMG 2", "dogs+a", "dogs+old+a"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "photos")


@pytest.mark.parametrize(
    ("path", "image_id"),
    [
        ("a.jpg", "a"),
        ("cats/IMG 1.JPG", "cats+IMG 1"),
        ("a/b/c.d.png", "a+b+c.d"),
        ("a+b/c%.png", "a%2Bb+c%25"),
        ("what?.jpg", "what%3F"),
        ("a/b..c.png", "a+b%2E%2Ec"),
        ("end..jpg", "end%2E"),
        ("katze ü.jpg", "katze ü"),
        ("tab\t.jpg", "tab%09"),
    ],
)
def test_an_id_is_a_file_name_that_tells_the_path(path: str, image_id: str) -> None:
    assert id_of(path) == image_id
    assert unsafe(image_id) is None
    assert stem_of(image_id) == path.rpartition(".")[0]


def test_photographs_in_sub_folders_of_any_suffix(root: Path, tmp_path: Path) -> None:
    found, problems = read(root, table_of_all(tmp_path / "t.csv"))
    assert problems == []
    assert list(found.photos) == IDS
    assert {photo.path: photo.names for photo in found.photos.values()} == PHOTOGRAPHS
    assert (found.classes, found.splits) == (("cat", "dog"), ("train",))


@pytest.mark.parametrize(
    "written",
    ["dogs/a", "dogs/a.webp", "DOGS/A.WEBP", "dogs\\a.webp", "./dogs/a", "photos/dogs/a.webp", "dogs+a", "absolute"],
)
def test_a_row_may_name_its_photograph_in_many_ways(root: Path, tmp_path: Path, written: str) -> None:
    written = str(root / "dogs/a.webp") if written == "absolute" else written
    found, problems = read(root, write_table(tmp_path / "t.csv", "id,tags", f"{written},dog"))
    assert ([photo.path for photo in found.photos.values()], problems) == (["dogs/a.webp"], [])


def test_a_name_that_two_have_needs_its_folder_but_one_at_the_top_is_meant_itself(root: Path, tmp_path: Path) -> None:
    _, problems = read(root, write_table(tmp_path / "t.csv", "id,tags", "a,dog"))
    assert problems == [f"{tmp_path}/t.csv, line 2: 'a': one of dogs/a.webp, dogs/old/a.jpeg? give its path"]
    photograph(root / "a.jpg", ("dog",))
    found, problems = read(root, write_table(tmp_path / "t.csv", "id,tags", "a,dog"))
    assert (list(found.photos), problems) == (["a"], [])


def test_photographs_without_a_row_are_left_out_and_told(root: Path, tmp_path: Path) -> None:
    found, problems = read(root, write_table(tmp_path / "t.csv", "id,tags", "both,cat"))
    assert (list(found.photos), problems) == (["both"], [])
    (note,) = found.notes
    assert note.endswith("left out: cats/IMG 1.JPG, cats/IMG 2.png, dogs/a.webp, dogs/old/a.jpeg")
    assert found.notes[note] == 4


def test_a_folder_per_class(root: Path) -> None:
    (root / "both.jpg").unlink()
    found, problems = read(root, "folders")
    assert problems == []
    assert {one: photo.names for one, photo in found.photos.items()} == {
        "cats+IMG 1": ("cats",),
        "cats+IMG 2": ("cats",),
        "dogs+a": ("dogs",),
        "dogs+old+a": ("dogs",),
    }
    photograph(root / "loose.png", ())
    assert read(root, "folders")[1] == [
        "images: loose.png lies in no folder of a class; with tags: folders each class has a folder"
    ]


def test_all_wrong_rows_are_told_at_once_in_their_order(root: Path, tmp_path: Path) -> None:
    good = [f"{name},cat" for name in list(PHOTOGRAPHS)[2:]]
    lines = [
        "cats/IMG1,cat",
        "cats/IMG 1,Dog",
        "cats/IMG 2.png,dgo",
        "nothing at all,cat",
        *good,
        "both,cat",
        "",
        ",dog",
    ]
    table = write_table(tmp_path / "t.csv", "id,tags", *lines)
    with pytest.raises(UserError) as raised:
        config(root, table, classes=["cat", "dog"])
    known = "known classes: cat, dog"
    assert str(raised.value).splitlines() == [
        "config (6):",
        f"  {table}, line 2: 'cats/IMG1': no such photograph; is it cats/IMG 1.JPG?",
        f"  {table}, line 3: unknown class 'Dog'; {known}; for 'Dog' write 'dog'",
        f"  {table}, line 4: unknown class 'dgo'; {known}; is it 'dog'?",
        f"  {table}, line 5: 'nothing at all': no such photograph",
        f"  {table}, line 9: 'both' is already in line 8; expected a row per image",
        f"  {table}, line 11: no image in column id",
    ]


def test_classes_that_differ_in_case_are_a_slip(root: Path, tmp_path: Path) -> None:
    table = write_table(tmp_path / "t.csv", "id,tags", "both,cat;Cat", "cats/IMG 1,background")
    _, problems = read(root, table)
    assert problems == [
        f"{table}, line 2: class 'Cat' is 'cat' elsewhere ({table}, line 2); write both alike",
        f"{table}, line 3: expected names of classes alone, found 'background'",
    ]


def test_two_photographs_of_one_name(root: Path) -> None:
    (root / "both.jpg").unlink()
    photograph(root / "dogs/A.png", ())
    assert read(root, "folders")[1] == [
        "images: dogs/A.png and dogs/a.webp would have the same name of results; rename one of them"
    ]


def test_what_is_no_photograph_is_told(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/a.HEIC").write_bytes(b"")
    _, (problem,) = read(tmp_path / "photos", "folders")
    assert "no photograph (.jpg, .jpeg, .png, .webp, .bmp, .tif, .tiff)" in problem
    assert problem.endswith("found 1 .heic: save them as JPEG")


def test_links_to_folders_are_followed_once(tmp_path: Path) -> None:
    photograph(tmp_path / "elsewhere/a.png", ())
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/cats").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/round").symlink_to(tmp_path / "photos")
    found, _ = read(tmp_path / "photos", "folders")
    assert list(found.photos) == ["cats+a"]


def test_splits_masks_and_what_a_config_becomes(root: Path, tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    photograph(tmp_path / "m/one.png", ())
    lines = ("both,cat;dog,,m/one.png", "cats/IMG 1,cat,train,", "dogs/a,dog,val,", "dogs/old/a,,Test,")
    mine = config(root, write_table(tmp_path / "t.csv", "id,tags,split,mask", *lines))
    table = f"{tmp_path}/t.csv"
    assert mine.splits == {"test": table, "val": table}
    assert mine.unscored == ("test",)
    assert mine.classes == ("cat", "dog")
    assert mine.mask_folder is not None
    assert (mine.max_side, mine.data_folder) == (640, str(root))
    assert config(root, table, max_side=None).max_side is None
    write_table(tmp_path / "t.csv", "id,tags,split", "both,cat,1st", "cats/IMG 1,cat,val")
    with pytest.raises(UserError, match="line 2: expected a split such as train, val or test, found '1st'"):
        config(root, table)
    write_table(tmp_path / "t.csv", "id,tags,split,mask", "both,cat,val,none.png")
    with pytest.raises(UserError, match=r"line 2: no such file of a mask: none.png(.|\n)*of split train, found val"):
        config(root, table)


def test_the_table_may_lie_among_the_photographs(root: Path) -> None:
    table_of_all(root / "tags.csv")
    assert config(root, "tags.csv").tags == f"{root}/tags.csv"
    with pytest.raises(
        UserError, match="tags: no such table: .*other.csv or .*photos/other.csv; give a table, or tags"
    ):
        config(root, "other.csv")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"root": "x"}, "images: expected no keys of another layout beside it, found root"),
        ({"mask_folder": None, "tags_csv": "x"}, "found mask_folder, tags_csv"),
        ({"images": "no/such"}, "images: no such folder: no/such"),
        ({"images": None, "tags": None, "root": "x"}, "classes: expected names of classes, found none"),
        ({"images": None, "classes": ["cat"]}, "tags: expected images, a plain folder, beside it"),
        ({"max_side": 0}, "max_side: .*greater than or equal to 1"),
    ],
)
def test_what_is_said_of_a_wrong_config(root: Path, tmp_path: Path, overrides: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        config(root, table_of_all(tmp_path / "t.csv"), **overrides)


def test_saliency_maps_that_the_table_names(root: Path, tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    photograph(tmp_path / "s/one.png", ())
    table = write_table(tmp_path / "t.csv", "id,tags,saliency", "both,cat;dog,s/one.png", "cats/IMG 1,cat,")
    given = {"saliency": {"given": {"folder": "column"}}, "recipes": {"r": {"seeds": "saliency_class~saliency=given"}}}
    mine = config(root, table, **given)
    settings = splits.images_settings(mine, "train")
    assert folder.saliency_maps(root, settings) == {"both": f"{tmp_path}/s/one.png"}
    assert files.is_written(mine, "saliency")
    assert not files.is_written(config(root, table), "saliency")
    of_saliency = {"saliency": "given"}
    assert planning.source_of_saliency(mine, of_saliency) == "<results>/splits/train/saliency"
    assert planning.maps_given(mine, of_saliency, str) == []
    write_table(table, "id,tags", "both,cat;dog")
    with pytest.raises(UserError, match="folder: column: expected maps in the column saliency of .*t.csv, found none"):
        config(root, table, **given)


def test_the_state_changes_with_what_a_split_is_made_of(root: Path, tmp_path: Path) -> None:
    def states(*rows: str) -> dict[str, tuple[str, str]]:
        mine = config(root, write_table(tmp_path / "t.csv", "id,tags,split", *rows))
        return {
            split: (planning.state_of_images(mine, split), planning.state_of_masks(mine, split))
            for split in mine.splits
        } | {"train": (planning.state_of_images(mine, "train"), planning.state_of_masks(mine, "train"))}

    rows = ("both,cat;dog,", "cats/IMG 1,cat,", "dogs/a,dog,val")
    before = states(*rows)
    assert states(*reversed(rows)) == before
    assert states("both,dog;cat,train", *rows[1:]) == before
    changed = states(*rows[:2], "dogs/a,cat,val")
    assert changed["train"] == before["train"]
    assert changed["val"][0] != before["val"][0]
    assert changed["val"][1] == before["val"][1]
    photograph(root / "both.jpg", (), (90, 91))
    changed = states(*rows)
    assert changed["train"][0] != before["train"][0]
    assert changed["val"] == before["val"]
