"""`python -m wsss_steps check`: what would end a run is an error with exit status 1, what will be hard a warning."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import tiny_voc
import yaml
from photo_folders import make_folder, photograph, table_of_all, write_table

from wsss_steps.__main__ import main


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with photographs, their table, and a configuration that names neither."""
    monkeypatch.chdir(tmp_path)
    make_folder(tmp_path / "photos")
    table_of_all(tmp_path / "tags.csv")
    (tmp_path / "mine.yaml").write_text("dataset: mine\nrecipes: {cam: {}}\n")
    return tmp_path


def checked(*more: str, values: tuple[str, ...] = ("images=photos", "tags=tags.csv")) -> None:
    main(["check", "--configfile", "mine.yaml", *more, "--config", *values])


def failing(capsys: pytest.CaptureFixture[str], *more: str, **values: Any) -> str:
    with pytest.raises(SystemExit, match="1"):
        checked(*more, **values)
    return capsys.readouterr().err


def test_a_folder_that_a_run_can_take(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checked()
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == ["        train", "images  5", "cat     3", "dog     3"]
    assert "note: 1 images turned upright by their EXIF orientation" in lines
    assert "warning: class 'dog' is in 3 training images: expect little of it with fewer than 10" in lines
    assert lines[-1] == "a run can start: nothing is wrong; 3 warnings"
    assert not (folder / "results").exists()


def test_damaged_images_of_all_splits_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = ["both,cat;dog,", "cats/IMG 1,cat,", "cats/IMG 2,cat,val", "dogs/a,dog,val"]
    write_table(folder / "tags.csv", "id,tags,split", *rows)
    for name in ("both.jpg", "dogs/a.webp"):
        path = folder / "photos" / name
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    (folder / "photos/cats/IMG 2.png").write_text("no picture")
    said = failing(capsys)
    assert "photos/both.jpg: not a readable image" in said
    assert "photos/dogs/a.webp: not a readable image" in said
    assert "photos/cats/IMG 2.png: not a readable image" in said


def test_random_weights_are_warned_of(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "mine.yaml").write_text("dataset: mine\nrecipes: {cam: {}}\nclassifier: {plain: {backbone: small}}\n")
    checked()
    said = "warning: classifier 'plain' starts from random weights: expect poor masks from 5 training images; take"
    assert said in capsys.readouterr().out


def test_masks_are_read_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photograph(folder / "mask.png", ())
    write_table(folder / "tags.csv", "id,tags,mask", "both,cat;dog,mask.png", "dogs/a,dog,")
    assert "mask.png: expected an indexed (P) or grey (L) 8-bit label image, found mode RGB" in failing(capsys)


def test_wrong_rows_and_keys(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_table(folder / "tags.csv", "id,tags", "bath,cat", "dogs/a,")
    said = failing(capsys, values=("images=photos", "tags=tags.csv", "device=gpu7"))
    assert "device" in said
    said = failing(capsys)
    assert "tags.csv, line 2: 'bath': no such photograph; is it both.jpg?" in said
    assert "tags.csv, line 3: dogs/a.webp has no tag" in said
    assert "tags: no such table" in failing(capsys, values=("images=photos", "tags=none.csv"))
    assert "--config: expected KEY=VALUE, found 'images'" in failing(capsys, values=("images",))


def test_files_are_merged_as_snakemake_does(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "mine.yaml").write_text("dataset: mine\nrecipes: {cam: {}}\nclassifier: {plain: {crop: 64}}\n")
    (folder / "more.yaml").write_text("classifier: {plain: {crop: 8, epochs: 3}}\n")
    said = failing(capsys, "more.yaml")
    assert "classifier 'plain': crop: " in said
    (folder / "more.yaml").write_text("classifier: {plain: {epochs: 3}}\nclassifier: {}\n")
    assert "more.yaml, line 2: key 'classifier' is already in line 1" in failing(capsys, "more.yaml")


def test_voc_layout_and_drawn_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    tiny_voc.make_voc(tmp_path / "voc")
    content = {"dataset": "tiny", "classes": list(tiny_voc.CLASSES), "recipes": {"cam": {}}}
    (tmp_path / "voc.yaml").write_text(yaml.safe_dump({**content, "root": "voc"}))
    main(["check", "voc.yaml"])
    assert capsys.readouterr().out.splitlines()[:2] == ["        train  val", "images  3      2"]
    (tmp_path / "drawn.yaml").write_text(yaml.safe_dump({**content, "draw": {}}))
    main(["check", "drawn.yaml"])
    assert "its data set is drawn by the workflow" in capsys.readouterr().out
    shutil.rmtree(tmp_path / "voc/SegmentationClass")
    with pytest.raises(SystemExit, match="1"):
        main(["check", "voc.yaml"])
    with pytest.raises(SystemExit, match="1"):
        main(["check"])
    assert "expected a config file" in capsys.readouterr().err
