from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tiny_voc import HEIGHT, TAGS, WIDTH, make_voc, truth_of, write_voc

from wsss_steps import draw_gallery
from wsss_steps.data.manifest import Entry, GroundTruth, Manifest, read_manifest, write_ground_truth
from wsss_steps.errors import UserError
from wsss_steps.formats import kinds
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.formats.labels import write_labels
from wsss_steps.formats.stores import Store, write_store
from wsss_steps.ops import drawing
from wsss_steps.report import sheet as sheets

COLUMNS = (
    ("CAM", "cams"),
    ("superpixels", "superpixels"),
    ("refined saliency", "refined_saliency"),
    ("seeds", "seeds"),
    ("a pseudo-label with a long title", "labels"),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The tiny data set with one source of every kind; image t0 has no class activation map."""
    root = make_voc(tmp_path / "voc")
    write_voc(root, tmp_path / "m.json", tmp_path / "g.json")
    cam = np.linspace(0, 1, HEIGHT * WIDTH, dtype=np.float32).reshape(1, HEIGHT, WIDTH)
    maps = {name: (cam[: name != "t0"], np.array([1][: name != "t0"], np.uint8)) for name in TAGS}
    stores: dict[str, Any] = {
        "cams": {name: {"cam": cam, "class": classes} for name, (cam, classes) in maps.items()},
        "superpixels": {
            name: {"superpixels": truth_of(name).astype(np.uint16) + 1, "seed_patches": np.zeros(0, np.int32)}
            for name in TAGS
        },
        "refined_saliency": {name: {"refined": np.minimum(truth_of(name), 1)} for name in TAGS},
        "seeds": {name: {"seeds": truth_of(name)} for name in TAGS},
    }
    for kind, items in stores.items():
        write_store(tmp_path / kind, kinds.find(kind), items.items(), stamp="{}")
    (tmp_path / "labels").mkdir()
    for name in TAGS:
        write_labels(tmp_path / "labels" / f"{name}.png", truth_of(name))
    return tmp_path


def run(folder: Path, columns: tuple[tuple[str, str], ...] = COLUMNS, **overrides: Any) -> Image.Image:
    draw_gallery.run(
        manifest=folder / "m.json",
        ground_truth=overrides.pop("ground_truth", folder / "g.json"),
        sources=[folder / kind for _, kind in columns],
        output=folder / "gallery.png",
        settings={
            "images": 8,
            "split": "train",
            "columns": [{"title": t, "kind": k} for t, k in columns],
            **overrides,
        },
        stamp='{"step": "draw_gallery"}',
    )
    with Image.open(folder / "gallery.png") as sheet:
        sheet.load()
        return sheet


def test_the_sheet_holds_every_picture(folder: Path) -> None:
    """Three rows of six columns; the last column shows the labels of t0, a cat, in VOC's dark red."""
    sheet = run(folder)
    assert sheet.mode == "RGB"
    assert sheet.info["provenance"] == '{"step": "draw_gallery"}'
    cell = sheets.CELL
    height = round(HEIGHT * cell / WIDTH)
    assert sheet.width >= 6 * cell
    assert sheet.height >= 3 * height
    left = sheets.MARGIN + sheets.GUTTER + 5 * (cell + sheets.GAP)
    column = np.asarray(sheet)[:, left : left + cell]
    assert (column == (128, 0, 0)).all(axis=-1).sum() > 0.4 * cell * height
    assert (column == (0, 0, 0)).all(axis=-1).sum() > 1.4 * cell * height  # the left halves of three pictures


def test_the_same_twice(folder: Path) -> None:
    run(folder)
    before = (folder / "gallery.png").read_bytes()
    run(folder)
    assert (folder / "gallery.png").read_bytes() == before


def test_columns_and_rows_are_as_many_as_asked_for(folder: Path) -> None:
    step = sheets.CELL + sheets.GAP
    assert run(folder).width - run(folder, COLUMNS[:-1]).width == step
    assert run(folder).width - run(folder, ground_truth=None).width == step
    assert run(folder).height > run(folder, images=1).height
    assert run(folder, (), split="val").height > 0


def test_images_without_ground_truth_are_hatched(folder: Path) -> None:
    truth = GroundTruth({}, tuple([0] * 256))
    write_ground_truth(folder / "g.json", truth)
    assert run(folder).height > 0


def test_a_source_that_lacks_an_image(folder: Path) -> None:
    (folder / "labels" / "t1.png").unlink()
    (folder / "gallery.png").unlink(missing_ok=True)
    with pytest.raises(UserError, match=r"t1\.png: no such label image"):
        run(folder)
    assert not (folder / "gallery.png").exists()


def test_wrong_columns_are_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match="expected one source per column, 1; found 5"):
        draw_gallery.run(
            manifest=folder / "m.json",
            sources=[folder / kind for _, kind in COLUMNS],
            output=folder / "gallery.png",
            settings={"images": 1, "split": "train", "columns": [{"title": "CAM", "kind": "cams"}]},
        )
    with pytest.raises(
        ValueError,
        match=r"unknown kinds of columns \['maps'\]; known: cams, superpixels, refined_saliency, seeds, labels",
    ):
        run(folder, (("x", "maps"),))


def entry(name: str, *tags: int) -> Entry:
    return Entry(name, "train", "", 1, 1, tags)


def test_images_are_spread_over_the_classes() -> None:
    entries = (entry("a", 1), entry("b", 1), entry("c", 1, 2), entry("d", 2), entry("e"), entry("f", 3))
    data = Manifest("x", ("one", "two", "three"), entries)
    names = [[chosen.id for chosen in sheets.choose(data, "train", count)] for count in (1, 3, 5, 9)]
    assert names == [["a"], ["a", "c", "f"], ["a", "c", "f", "b", "d"], ["a", "c", "f", "b", "d", "e"]]


def test_many_classes_and_long_names_fit_on_the_sheet() -> None:
    sheet = sheets.Sheet(2)
    sheet.titles(["photo", "a title of many words and oneveryverylongwordwithoutanyspace"])
    picture = np.zeros((40, sheets.CELL, 3), np.uint8)
    sheet.row("an_id_that_is_much_longer_than_the_gutter_is_wide", [(1, "cat")], [picture, picture])
    before = sheet.image.height
    sheet.legend([f"class {label}" for label in range(81)])
    assert sheet.image.height > before + 5 * sheets.LINE
    border = np.asarray(sheet.image)[:, -sheets.MARGIN // 2 :]
    assert (border == 255).all()


def test_rows_name_the_images_of_the_split_and_their_tags(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second picture of a row is the ground truth of its own image."""
    rows, legends = {}, []

    def row(_: Any, name: str, tags: Any, pictures: Any) -> None:
        rows[name] = (list(tags), pictures[1])

    monkeypatch.setattr(sheets.Sheet, "row", row)
    monkeypatch.setattr(sheets.Sheet, "legend", lambda _, names: legends.append(names))
    run(folder)
    assert {name: tags for name, (tags, _) in rows.items()} == {
        "t0": [(1, "cat")],
        "t1": [(2, "dog")],
        "t2": [(1, "cat"), (2, "dog")],
    }
    for name, (_, picture) in rows.items():
        truth = drawing.nearest(truth_of(name), *picture.shape[:2])
        assert np.array_equal(picture, drawing.coloured(truth, draw_gallery.PALETTE))
    assert legends == [["background", "cat", "dog"]]
    rows.clear()
    run(folder, split="val")
    assert set(rows) == {"v0", "v1"}


def test_pictures_are_of_their_own_image(folder: Path) -> None:
    data = read_manifest(folder / "m.json").split("train")
    with Store(folder / "seeds", SEEDS) as store:
        for entry in data:
            *_, seeds, labels = draw_gallery.pictures_of(entry, None, [("seeds", store), ("labels", folder / "labels")])
            expected = drawing.nearest(truth_of(entry.id), *seeds.shape[:2])
            for picture in (seeds, labels):
                assert np.array_equal(picture, drawing.coloured(expected, draw_gallery.PALETTE))
