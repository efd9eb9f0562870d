"""`export_labels`: label maps of a run as COCO's JSON and in mmsegmentation's layout."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shown
from PIL import Image
from pycocotools import mask as rle
from pycocotools.coco import COCO
from tiny_voc import CLASSES, HEIGHT, WIDTH, truth_of

from wsss_steps import __main__ as commands
from wsss_steps.afterwards.coco import annotated
from wsss_steps.data.manifest import read_manifest, write_manifest
from wsss_steps.formats.labels import label_folder, read_labels, voc_palette, write_labels

ON_ITS_SIDE = 6


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A results folder with pseudo-labels of the training images and predictions of val."""
    found = shown.make_results(tmp_path)
    both = read_manifest(found / "splits/train/manifest.json")
    write_manifest(found / "splits/val/manifest.json", replace(both, entries=tuple(both.split("val"))))
    with label_folder(found / VAL, shown.STAMP) as folder:
        for name in ("v0", "v1"):
            write_labels(folder / f"{name}.png", truth_of(name))
    monkeypatch.chdir(tmp_path)
    return found


VAL = "plain/cam/none/threshold/plain/segmentation_crf/val"


def export(*words: object, status: int = 0) -> None:
    if not status:
        commands.main(["export_labels", *map(str, words)])
        return
    with pytest.raises(SystemExit) as ended:
        commands.main(["export_labels", *map(str, words)])
    assert ended.value.code == status


def content(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# ---- annotations, by hand


def test_two_parts_of_a_class() -> None:
    """Class 2 in the corner (touching by a corner: one part) and at the right; 255 and 0 are in no annotation."""
    labels = np.zeros((4, 6), np.uint8)
    labels[0, 0] = labels[1, 1] = labels[2:4, 4:6] = 2
    labels[3, 0] = 255
    whole, first, second = [*annotated(labels, "class"), *annotated(labels, "component")]
    assert (whole["category_id"], whole["area"], whole["bbox"], whole["iscrowd"]) == (2, 6, [0, 0, 6, 4], 0)
    assert (first["area"], first["bbox"]) == (2, [0, 0, 2, 2])
    assert (second["area"], second["bbox"]) == (4, [4, 2, 2, 2])
    assert whole["segmentation"]["size"] == [4, 6]
    assert np.array_equal(rle.decode(whole["segmentation"]), labels == 2)


# ---- COCO


def decoded(coco: COCO, number: int) -> np.ndarray:
    """The label map of an image from its annotations."""
    about = coco.imgs[number]
    labels = np.zeros((about["height"], about["width"]), np.uint8)
    for annotation in coco.loadAnns(coco.getAnnIds(imgIds=[number])):
        labels[coco.annToMask(annotation) > 0] = annotation["category_id"]
    return labels


@pytest.mark.parametrize("per", ["class", "component"])
def test_decoded_annotations_are_the_label_map(root: Path, tmp_path: Path, per: str) -> None:
    out = tmp_path / "coco"
    export(root / shown.LABELS, root / VAL, "--format", "coco", "--out", out, "--per", per)
    for split, ids in (("train", ("t0", "t1", "t2")), ("val", ("v0", "v1"))):
        coco = COCO(str(out / "annotations" / f"{split}.json"))
        assert {number: one["name"] for number, one in coco.cats.items()} == dict(enumerate(CLASSES, start=1))
        assert [Path(one["file_name"]).stem for one in coco.imgs.values()] == list(ids)
        assert all(one["iscrowd"] == 0 for one in coco.anns.values())
        for number, name in enumerate(ids, start=1):
            expected = truth_of(name)
            assert np.array_equal(decoded(coco, number), np.where(expected == 255, 0, expected))
            file = out / "images" / split / coco.imgs[number]["file_name"]
            assert file.is_symlink()
            assert file.resolve() == (tmp_path / "voc/JPEGImages" / f"{name}.jpg").resolve()
    assert content(out / "provenance.json")["settings"] == {"format": "coco", "images": "link", "per": per}


def test_photographs_are_copied_or_left(root: Path, tmp_path: Path) -> None:
    export(root / VAL, "--format", "coco", "--out", tmp_path / "copies", "--images", "copy")
    copy, original = tmp_path / "copies/images/val/v0.jpg", tmp_path / "voc/JPEGImages/v0.jpg"
    assert not copy.is_symlink()
    assert copy.read_bytes() == original.read_bytes()
    export(root / VAL, "--format", "coco", "--out", tmp_path / "paths", "--images", "none")
    assert not (tmp_path / "paths/images").exists()
    names = [one["file_name"] for one in content(tmp_path / "paths/annotations/val.json")["images"]]
    assert names == [str(tmp_path / f"voc/JPEGImages/{name}.jpg") for name in ("v0", "v1")]


def turn(path: Path) -> np.ndarray:
    """Store a photograph on its side; as a viewer shows it, it is as it was."""
    exif = Image.Exif()
    exif[0x0112] = ON_ITS_SIDE
    with Image.open(path) as image:
        pixels = np.array(image)
        image.transpose(Image.Transpose.ROTATE_90).save(path, format="JPEG", exif=exif, quality=100, subsampling=0)
    return pixels


def test_a_photograph_on_its_side_is_written_upright(root: Path, tmp_path: Path) -> None:
    """Its label map is upright, and not every program turns photographs."""
    pixels = turn(tmp_path / "voc/JPEGImages/v0.jpg")
    export(root / VAL, "--format", "coco", "--out", tmp_path / "coco")
    export(root / VAL, "--format", "mmseg", "--out", tmp_path / "mmseg")
    for file in (tmp_path / "coco/images/val/v0.png", tmp_path / "mmseg/img_dir/val/v0.jpg"):
        assert not file.is_symlink()
        with Image.open(file) as image:
            assert image.size == (WIDTH, HEIGHT)
            assert image.getexif().get(0x0112, 1) == 1
            assert np.abs(np.array(image).astype(int) - pixels).mean() < 12
    assert content(tmp_path / "coco/annotations/val.json")["images"][0]["file_name"] == "v0.png"


# ---- mmsegmentation


def test_the_layout_of_mmsegmentation(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "mmseg"
    export(root / shown.LABELS, root / VAL, "--format", "mmseg", "--out", out)
    about = content(out / "dataset_info.json")
    palette = np.array(voc_palette()).reshape(256, 3)
    assert about["metainfo"] == {"classes": ["background", *CLASSES], "palette": palette[:3].tolist()}
    assert (about["reduce_zero_label"], about["ignore_index"]) == (False, 255)
    for split, ids in (("train", ("t0", "t1", "t2")), ("val", ("v0", "v1"))):
        images, maps = (out / about["data_prefix"][split][name] for name in ("img_path", "seg_map_path"))
        assert names_in(images) == [f"{name}{about['img_suffix']}" for name in ids]
        assert names_in(maps) == [f"{name}{about['seg_map_suffix']}" for name in ids]
        for name in ids:  # read as mmsegmentation does: the numbers of an indexed PNG, by Pillow
            with Image.open(maps / f"{name}.png") as labels:
                assert np.array_equal(np.array(labels), truth_of(name))
            assert (images / f"{name}.jpg").is_symlink()
    assert 255 in read_labels(out / "ann_dir/train/t0.png")


def test_photographs_of_another_format_are_written_as_the_others(root: Path, tmp_path: Path) -> None:
    """Mmsegmentation wants one suffix."""
    path = tmp_path / "voc/JPEGImages/v0.jpg"
    with Image.open(path) as image:
        pixels = np.array(image)
        image.copy().save(path, format="PNG")  # whatever its name says
    export(root / VAL, "--format", "mmseg", "--out", tmp_path / "mmseg")
    with Image.open(tmp_path / "mmseg/img_dir/val/v0.jpg") as image:
        assert image.format == "JPEG"
        assert np.abs(np.array(image).astype(int) - pixels).mean() < 12


# ---- what is wrong


def test_an_earlier_export_is_replaced_and_nothing_else(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [root / VAL, "--format", "coco", "--out", tmp_path / "out"]
    export(*words)
    export(*words, "--per", "component")
    assert content(tmp_path / "out/provenance.json")["settings"]["per"] == "component"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.tex").write_text("x")
    export(*words[:-1], tmp_path / "mine", status=1)
    assert "found one without provenance.json" in capsys.readouterr().err
    assert names_in(tmp_path / "mine") == ["thesis.tex"]


def test_all_that_is_wrong_is_listed(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_labels(root / VAL / "x9.png", truth_of("v0"))
    (tmp_path / "voc/JPEGImages/v1.jpg").unlink()
    with label_folder(tmp_path / "elsewhere", shown.STAMP) as folder:
        write_labels(folder / "a.png", truth_of("v0"))
    words = ["--format", "coco", "--out", tmp_path / "out"]
    export(root / VAL, tmp_path / "elsewhere", root / "plain", tmp_path / "none", *words, status=1)
    said = capsys.readouterr().err
    assert "label maps to export (5):" in said
    assert f"{root / VAL}/x9.png: of no image of the split val" in said
    assert f"{root / VAL}/v1.png: its photograph {tmp_path}/voc/JPEGImages/v1.jpg is missing" in said
    assert (
        f"{tmp_path}/elsewhere: expected label maps <id>.png of a run, such as .../pseudo_labels, found in no" in said
    )
    assert f"{root}/plain: expected label maps <id>.png of a run, such as .../pseudo_labels, found none" in said
    assert "none: expected label maps <id>.png of a run, such as .../pseudo_labels, found no such folder" in said
    assert not (tmp_path / "out").exists()


def test_a_label_map_of_another_size(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_labels(root / VAL / "v1.png", truth_of("v1")[:-1])
    for form in ("coco", "mmseg"):
        export(root / VAL, "--format", form, "--out", tmp_path / "out", status=1)
        said = capsys.readouterr().err
        assert (
            f"v1.png: expected the size of its photograph, {HEIGHT} x {WIDTH} px (height x width), found 11 x 16"
            in said
        )
        assert not (tmp_path / "out").exists()


def test_options_that_do_not_fit(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (("--images", "none"), ("--per", "class")):
        export(root / VAL, "--format", "mmseg", "--out", tmp_path / "out", *words, status=1)
        assert "--format mmseg: expected --images link or copy, and no --per" in capsys.readouterr().err
    export(root / VAL, root / VAL, "--format", "coco", "--out", tmp_path / "out", status=1)
    assert "expected one folder for each split, found the splits val, val" in capsys.readouterr().err
