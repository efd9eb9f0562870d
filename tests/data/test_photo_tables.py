"""Tables as people have them: names of columns, separators, a column per class."""

from __future__ import annotations

from pathlib import Path

import pytest
from photo_folders import write_table

from wsss_steps.data.photo_tables import Table, read_table

BOTH = [("a", ("cat", "dog")), ("b", ("dog",))]


def read(path: Path, *lines: str, classes: tuple[str, ...] = ()) -> tuple[Table, list[str]]:
    problems: list[str] = []
    return read_table(write_table(path, *lines), problems, classes), problems


@pytest.mark.parametrize(
    "lines",
    [
        ("id,tags", "a,cat;dog", "b,dog"),
        ("id;tags", "a;cat,dog", "b;dog"),
        ("id;tags", "a;cat|dog", "b;dog"),
        ("id\ttags", "a\tcat, dog", "b\tdog"),
        ('"Image","Labels"', '"a","cat,dog"', '"b","dog"'),
        ("path,class", "a,cat,dog", "b,dog"),
        ("file, tags", "a, cat ; dog;", " b , dog"),
        ("\ufefffilename,tags", "", "a,cat;dog;cat", ",", "b,dog,"),
        ("tags,image", "\"['cat', 'dog']\",a", "dog,b"),
        ("id,path,tags", "1,a,cat;dog", "2,b,dog"),
        ("image,cat,dog", "a,1,1", "b,0,1"),
        ("image;cat;dog;split", "a;1.0;TRUE;", "b;;yes;train"),
    ],
)
def test_every_spelling_is_the_same_table(tmp_path: Path, lines: tuple[str, ...]) -> None:
    table, problems = read(tmp_path / "t.csv", *lines)
    assert problems == []
    assert [(row.image, row.names) for row in table.rows] == BOTH


def test_names_with_separators_or_spaces_stay_whole_where_the_class_is_known(tmp_path: Path) -> None:
    lines = ("id;tags", "a;fire, wild", "b;fire truck", "c;cat dog", "d;fire truck, cat")
    table, problems = read(tmp_path / "t.csv", *lines, classes=("fire, wild", "fire truck", "cat", "dog"))
    names = [("fire, wild",), ("fire truck",), ("cat", "dog"), ("fire truck", "cat")]
    assert ([row.names for row in table.rows], problems) == (names, [])
    table, _ = read(tmp_path / "t.csv", "id,tags", "b,fire truck")
    assert table.rows[0].names == ("fire truck",)


def test_optional_columns(tmp_path: Path) -> None:
    table, _ = read(tmp_path / "t.csv", "image,tags,split,mask,saliency", "a,cat,val,m/a.png,s/a.png", "b,dog")
    first, second = table.rows
    assert (first.split, first.mask, first.saliency, first.line) == ("val", "m/a.png", "s/a.png", 2)
    assert (second.split, second.mask, second.saliency, second.line) == ("", "", "", 3)


def test_of_a_column_per_class_those_that_are_known_count(tmp_path: Path) -> None:
    table, problems = read(tmp_path / "t.csv", "image,cat,width", "a,1,640", classes=("cat",))
    assert ([row.names for row in table.rows], problems) == ([("cat",)], [])
    _, problems = read(tmp_path / "t.csv", "image,cat,dgo", "a,1,0", classes=("cat", "dog"))
    assert problems == [f"{tmp_path}/t.csv, line 1: no column for the classes ['dog']; found ['cat', 'dgo']"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((), "the table of tags is empty"),
        (("id,tags",), "the table of tags has no rows below its first line"),
        (("a.jpg,cat", "b.jpg,dog"), "expected a column path, file, filename, image, id, and a column tags or one per"),
        (("[1, 2]",), "found JSON; write a table as CSV"),
        (("id,tags,TAGS", "a,cat,dog"), "expected each column once, found ['tags'] more than once"),
        (("id,split", "a,train"), "and a column tags or one per class with 0 and 1, found ['id', 'split']"),
        (("id,tags,split", "a,cat,dog,train"), "line 2: expected 3 columns, found 4; put quotes around"),
        (("id,tags", ",cat"), "line 2: no image in column id"),
        (("id,cat", "a,0.5"), "line 2: expected 0 or 1 in column cat, found '0.5'"),
    ],
)
def test_what_is_wrong_is_told_with_the_line(tmp_path: Path, lines: tuple[str, ...], message: str) -> None:
    _, problems = read(tmp_path / "t.csv", *lines)
    assert len(problems) == 1
    assert message in problems[0]
    assert problems[0].startswith(f"{tmp_path}/t.csv")


def test_a_table_that_cannot_be_read(tmp_path: Path) -> None:
    problems: list[str] = []
    assert read_table(tmp_path / "none.csv", problems) == Table(())
    (tmp_path / "t.csv").write_bytes(b"id,tags\na,\xff\n")
    assert read_table(tmp_path / "t.csv", problems) == Table(())
    assert "no such table of tags" in problems[0]
    assert "not a readable table in UTF-8" in problems[1]
