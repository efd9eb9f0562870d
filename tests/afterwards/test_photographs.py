"""Which photographs a command means, and the names of their results."""

from __future__ import annotations

from pathlib import Path

import pytest

from wsss_steps.afterwards.photographs import find, named
from wsss_steps.afterwards.tags import tags_of
from wsss_steps.errors import UserError

OUT = Path("out")


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*words: str, taken: dict[str, str] | None = None) -> dict[str, str]:
    """Name of the results -> path of the photograph."""
    return {name: one.path.as_posix() for name, one in named(find(words, OUT)[0], taken or {}).items()}


def test_files_folders_and_patterns(here: Path) -> None:
    touch(here, "a/1.JPG", "a/b/2.webp", "a/notes.txt", "a/.hidden/3.png", "a/4.heic", "c/5.tif", "c/d/6.Jpeg", "7.gif")
    assert names("a") == {"1": "a/1.JPG", "b+2": "a/b/2.webp"}
    assert names("c/**/*", "7.gif") == {"5": "c/5.tif", "d+6": "c/d/6.Jpeg", "7": "7.gif"}
    assert names("*/*.JPG") == {"a+1": "a/1.JPG"}
    assert names("a", "a/1.JPG", "a/b/../1.JPG") == names("a")  # each once
    assert find(["a"], OUT)[1] == {".heic": 1}


def test_what_names_nothing_is_listed(here: Path) -> None:
    touch(here, "texts/notes.txt")
    with pytest.raises(UserError) as caught:
        find(["texts", "none.jpg", "x*.png"], OUT)
    assert "expected photographs, folders of photographs or patterns (3):" in str(caught.value)
    assert "texts: no photograph (.jpg, .jpeg, .png, .webp, .bmp, .tif, .tiff) in this folder or one in it" in str(
        caught.value
    )
    assert "none.jpg: no such file or folder" in str(caught.value)
    assert "x*.png: no photograph fits this pattern" in str(caught.value)


def test_results_are_no_photographs(here: Path) -> None:
    touch(here, "1.jpg", "out/overlays/1.jpg")
    assert names(".") == {"1": "1.jpg"}
    with pytest.raises(UserError, match="no photograph is left: all that are named lie in out"):
        find(["out"], OUT)


def test_equal_names_are_told_apart(here: Path) -> None:
    touch(here, "a/1.jpg", "b/1.jpg", "a/2.jpg", "a/2.png", "x/a/3.jpg", "y/a/3.jpg", "c/4.jpg", "c/4.JPG", "5.jpg")
    assert names("a/1.jpg", "b/1.jpg", "5.jpg") == {"a+1": "a/1.jpg", "b+1": "b/1.jpg", "5": "5.jpg"}
    assert names("a/2.jpg", "a/2.png") == {"2.jpg": "a/2.jpg", "2.png": "a/2.png"}
    assert names("a") == {"1": "a/1.jpg", "2.jpg": "a/2.jpg", "2.png": "a/2.png"}
    assert names("x", "y/a") == {"a+3": "x/a/3.jpg", "3": "y/a/3.jpg"}
    assert names("x/a/3.jpg", "y/a/3.jpg") == {"x+a+3": "x/a/3.jpg", "y+a+3": "y/a/3.jpg"}
    assert sorted(names("c")) == ["4~1", "4~2"]  # in a file system where case does not count they would be one


def test_a_photograph_keeps_the_name_of_its_earlier_results(here: Path) -> None:
    touch(here, "a/1.jpg", "b/1.jpg")
    first = {"1": str(here / "a/1.jpg")}
    assert names("b/1.jpg", taken=first) == {"1.jpg": "b/1.jpg"}
    assert names("a/1.jpg", "b/1.jpg", taken=first) == {"1": "a/1.jpg", "1.jpg": "b/1.jpg"}


def test_too_long_a_path(here: Path) -> None:
    touch(here, "/".join(["a" * 100] * 3) + ".jpg")
    with pytest.raises(UserError, match="expected at most 240 bytes"):
        names(".")


# ---- tags


def tags(text: str, *words: str) -> dict[str, tuple[int, ...]]:
    return tags_of(text, named(find(words, OUT)[0], {}), ("cat", "sea lion", "dog"))


def test_one_list_for_all(here: Path) -> None:
    touch(here, "a/1.jpg", "a/2.jpg")
    assert tags("dog, sea lion", "a") == {"1": (2, 3), "2": (2, 3)}
    assert tags("", "a") == {"1": (), "2": ()}  # background alone
    with pytest.raises(UserError, match="--tags: unknown class 'Dog'; known classes: cat, sea lion, dog; for 'Dog'"):
        tags("Dog", "a")


@pytest.mark.parametrize("spelling", ["a/b/1.jpg", "b/1.jpg", "1.jpg", "b/1", "1", "b+1", r".\a\b\1.JPG"])
def test_a_row_for_each(here: Path, spelling: str) -> None:
    touch(here, "a/b/1.jpg", "a/2.jpg")
    (here / "t.csv").write_text(f"file,tags\n{spelling},dog;cat\n2.jpg,\nother.jpg,dog\n")
    assert tags("t.csv", "a") == {"2": (), "b+1": (1, 3)}


def test_what_is_wrong_with_a_table(here: Path) -> None:
    touch(here, "a/1.jpg", "b/1.jpg", "a/2.jpg")
    (here / "t.csv").write_text("file,tags\n1.jpg,cow\n9.jpg,cat\n9.jpg,cat\n")
    with pytest.raises(UserError) as caught:
        tags("t.csv", "a", "b")
    assert "tags of the photographs (4):" in str(caught.value)
    assert "t.csv, line 2: unknown class 'cow'; known classes: cat, sea lion, dog" in str(caught.value)
    assert "t.csv, line 4: '9.jpg' is already in line 3; expected a row per image" in str(caught.value)
    assert "a/2.jpg: no row in t.csv" in str(caught.value)
    assert "t.csv, line 2: '1.jpg' may mean a/1.jpg and b/1.jpg; give the path" in str(caught.value)
    with pytest.raises(UserError, match=r"none.csv: no such table of tags"):
        tags("none.csv", "a")
