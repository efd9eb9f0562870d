"""`python -m wsss_steps compare` of two artifacts of one kind, in numbers worked by hand and in pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shown
import torch
from PIL import Image
from shown import LABELS, PLACES
from tiny_voc import HEIGHT, WIDTH, truth_of

from wsss_steps import __main__ as commands
from wsss_steps.formats.files import write_json, write_text
from wsss_steps.formats.kinds import DataSet
from wsss_steps.report.artifacts.differences import differing
from wsss_steps.report.artifacts.differences_drawn import draw
from wsss_steps.report.artifacts.panels import panels, view
from wsss_steps.report.artifacts.sources import Source
from wsss_steps.report.artifacts.statistics import of_images
from wsss_steps.report.artifacts.surroundings import Surroundings

RED, BLUE = (214, 20, 20), (20, 60, 214)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return shown.make_results(tmp_path)


def compared(capsys: pytest.CaptureFixture, *words: object, status: int = 1) -> str:
    """What is printed, spaces as one; the exit status is 1 for a difference."""
    if status:
        with pytest.raises(SystemExit, match=str(status)):
            commands.main(["compare", *map(str, words)])
    else:
        commands.main(["compare", *map(str, words)])
    found = capsys.readouterr()
    return " ".join((found.out + found.err).split())


def changed(labels: np.ndarray) -> np.ndarray:
    """A quarter of the map, in the left half (background), becomes dog."""
    found = labels.copy()
    found[:, : WIDTH // 4] = 2
    return found


def share_of(path: Path, colour: tuple[int, ...]) -> float:
    """The share of a cell of 256 x 192 px that has this colour on a sheet."""
    with Image.open(path) as image:
        return float((np.asarray(image.convert("RGB")) == colour).all(axis=-1).sum() / (256 * 192))


@pytest.mark.parametrize("kind", PLACES)
def test_equal_artifacts_of_every_kind(kind: str, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    other = shown.write_kind(tmp_path / "other.h5", kind)
    assert compared(capsys, root / PLACES[kind], other, status=0) == "5 images in both; none different"


CHANGES: dict[str, tuple[str, dict[str, Any], str]] = {
    "labels": ("seeds", {"seeds": changed}, "t0 25.00 background -> dog 100 %"),
    "another size": ("seeds", {"seeds": lambda a: a[:5]}, "t0 100.00 seeds: 12 x 16 and 5 x 16"),
    # half of 0 is 0, and half of the second pixel's 1.3/255 is rounded to 1/255, as it is: 190 of 192 differ, by 0.25
    "maps": ("cams", {"cam": lambda a: a / 2}, "t0 98.96 0.2503 0.502 cat most"),
    "values": ("saliency", {"saliency": lambda a: np.ones_like(a)}, "t0 99.48 0.5 1"),
    "renumbered": ("superpixels", {"superpixels": lambda a: 3 - a}, "t0 0.00 2 and 2 regions, other numbers"),
    # the border moves from column 4 to column 6: the columns 3, 4, 5 and 6 are at a border of one alone, 4 of 16
    "borders": ("superpixels", {"superpixels": lambda _: _split(6)}, "t0 25.00 2 and 2 regions"),
    "patches": ("superpixels", {"seed_patches": np.array([2, 3], np.int32)}, "t0 0.00 seed_patches: other numbers"),
    "features": ("features", {"features": lambda a: a + np.float16(1)}, "t0 100.00 1 1"),
    "counts": ("confusions", {"confusion": lambda a: a + np.eye(3, 4, dtype=np.int64)}, "t0 25.00 0.25 1"),
    "another class": ("cams", {"class": np.array([2], np.uint8)}, "t0 100.00 only in one: cat, dog"),
}


def _split(column: int) -> np.ndarray:
    return (1 + (np.arange(WIDTH) >= column) * np.ones((HEIGHT, 1))).astype(np.uint16)


@pytest.mark.parametrize("name", CHANGES)
def test_differences_worked_by_hand(name: str, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    kind, changes, expected = CHANGES[name]
    other = shown.write_kind(tmp_path / "other.h5", kind, **changes)
    text = compared(capsys, root / PLACES[kind], other)
    assert expected in text
    assert text.endswith("5 images in both; 1 different")


def test_the_worst_come_first(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    small = truth_of("t1").copy()
    small[0, 0] = 1
    other = shown.write_label_maps(tmp_path / "other", t1=small, t2=changed(truth_of("t2")))
    text = compared(capsys, root / LABELS, other)
    assert "image % different what t2 25.00 background -> dog 100 % t1 0.52 background -> cat 100 % mean" in text
    # (25 + 0.52 + 0) / 3
    assert text.endswith("mean share of different pixels over all common images: 8.51 % 3 images in both; 2 different")
    assert "... and 1 more" in compared(capsys, root / LABELS, other, "--most", 1)
    assert "t2" not in compared(capsys, root / LABELS, other, "--image", "t1")
    assert "no image 't8' in" in compared(capsys, root / LABELS, other, "--image", "t8")


def test_images_of_one_alone(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    other = shown.write_label_maps(tmp_path / "other")
    (other / "t2.png").unlink()
    text = compared(capsys, root / LABELS, other)
    assert f"only in {root / LABELS}: 1 images: t2 2 images in both; none different" in text


def test_differences_are_drawn(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """A quarter of the picture is red; of maps that are half as high, what has lost 0.5 or more is blue."""
    seeds = shown.write_kind(tmp_path / "s.h5", "seeds", seeds=changed)
    text = compared(capsys, root / PLACES["seeds"], seeds, "--out", tmp_path / "s.png")
    assert text.endswith(f"the 1 images that differ most, drawn into {tmp_path / 's.png'}")
    assert share_of(tmp_path / "s.png", RED) == pytest.approx(0.25)
    cams = shown.write_kind(tmp_path / "c.h5", "cams", cam=lambda a: np.clip(a - 0.6, 0, 1))
    compared(capsys, root / PLACES["cams"], cams, "--out", tmp_path / "c.png")
    assert share_of(tmp_path / "c.png", BLUE) == pytest.approx(0.5, abs=0.05)
    moved = shown.write_kind(tmp_path / "p.h5", "superpixels", superpixels=_split(6))
    compared(capsys, root / PLACES["superpixels"], moved, "--out", tmp_path / "p.png")
    assert share_of(tmp_path / "p.png", RED) == pytest.approx(0.25)
    before = (tmp_path / "p.png").read_bytes()
    compared(capsys, root / PLACES["superpixels"], moved, "--out", tmp_path / "p.png")
    assert (tmp_path / "p.png").read_bytes() == before


# ---- tables and files --------------------------------------------------------------------------------------------

TABLE = "recipe,random_seed,stage,split,miou\na,0,seeds,train,0.5\na,1,seeds,train,0.25\nb,0,seeds,train,\n"


def tables(folder: Path, text: str) -> tuple[Path, Path]:
    write_text(folder / "one.csv", TABLE)
    write_text(folder / "two.csv", text)
    return folder / "one.csv", folder / "two.csv"


def test_rows_and_columns_that_differ(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """The rows belong together by what they are of, in whatever order."""
    found = "recipe,random_seed,stage,split,miou,n\nc,0,seeds,train,1,3\na,1,seeds,train,0.5,3\na,0,seeds,train,0.5,3\n"
    text = compared(capsys, *tables(tmp_path, found))
    for expected in (
        "columns only in the second: n",
        "rows only in the first: b, 0, seeds, train",
        "rows only in the second: c, 0, seeds, train",
        "a, 1, seeds, train miou 0.25 0.5 +0.25 miou: differs in 1 row, by up to 0.25",
    ):
        assert expected in text
    assert "a, 0, seeds" not in text


def test_equal_tables_and_rows_without_names(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert compared(capsys, *tables(tmp_path, TABLE), status=0).endswith("hold the same")
    text = compared(capsys, *tables(tmp_path, TABLE.replace("a,1", "a,0").replace(",0.25", ",0.2")))
    assert "2 miou" not in text
    write_text(tmp_path / "one.csv", TABLE.replace("a,1", "a,0"))
    text = compared(capsys, *(tmp_path / f"{name}.csv" for name in ("one", "two")))
    assert "number of the row column first second difference 1 miou 0.25 0.2 -0.05" in text


def test_results_name_the_columns_that_differ(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    for folder, text in (("one", TABLE), ("two", TABLE.replace(",0.25", ",0.3"))):
        write_text(tmp_path / folder / "summary.csv", text)
    text = compared(capsys, tmp_path / "one", tmp_path / "two")
    assert "summary.csv: miou: differs in 1 row, by up to 0.05" in text


def test_checkpoints(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """The worst tensor first; what the headers say of the networks."""
    state = {"head.weight": torch.tensor([[0, 0.5], [0, 0]]), "backbone.net.weight": torch.tensor([1, 1, 3.0])}
    other = shown.write_checkpoint(tmp_path / "w.safetensors", seed=7, state=state | {"more": torch.ones(1)})
    text = compared(capsys, root / "plain/classifier.safetensors", other)
    assert "seed value 0 7 +7" in text
    assert f"tensors only in {other}: more backbone.net.weight: by up to 2 head.weight: by up to 0.5" in text
    same = shown.write_checkpoint(tmp_path / "same.safetensors")
    assert "hold the same" in compared(capsys, root / "plain/classifier.safetensors", same, status=0)


def test_json_and_manifests(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    score = {"format": "wsss/score", "version": 1, "miou": 0.5, "per_class": [{"class": "cat", "iou": 0.25}]}
    write_json(tmp_path / "s.json", score | {"provenance": {"step": "other"}})
    text = compared(capsys, root / "plain/evaluation/x.json", tmp_path / "s.json")
    assert "miou value 0.25 0.5 +0.25 per_class.cat.iou value 0.5 0.25 -0.25" in text
    manifest = root / "splits/train/manifest.json"
    (tmp_path / "m.json").write_text(manifest.read_text().replace('"height": 12', '"height": 13', 1))
    assert "height: differs in 1 row, by up to 1" in compared(capsys, manifest, tmp_path / "m.json")


def test_two_kinds_are_refused(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    seeds, weights = root / PLACES["seeds"], root / "plain/classifier.safetensors"
    assert "expected two artifacts of one kind, found" in compared(capsys, seeds, root / PLACES["cams"])
    assert "expected two folders or two files, found one of each" in compared(capsys, seeds, root)
    assert "compared in numbers only; leave out --out and --image" in compared(
        capsys, weights, weights, "--out", tmp_path / "x.png"
    )
    assert "--image and --out are for two artifacts" in compared(capsys, root, root, "--image", "t0")


def test_label_maps_in_a_stack(tmp_path: Path) -> None:
    """A kind of store that is not known here: label maps of an image by epoch. One of eight pixels differs."""
    stacks = [np.zeros((2, 2, 2), np.uint8), np.array([[[0, 0], [0, 0]], [[0, 0], [0, 2]]], np.uint8)]
    form = {
        "frames": DataSet("u1", 3, "labels by epoch", palette=True, one_per="epochs"),
        "epochs": DataSet("i4", 1, ""),
    }
    first, second = (
        Source(tmp_path, "growth", ["a"], lambda _, frames=frames: {"frames": frames, "epochs": np.array([0, 8])}, form)
        for frames in stacks
    )
    (found,) = differing(first, second)
    assert (found.share, found.what) == (1 / 8, "background -> class 2 100 %")
    assert "2 class 2 1 12.50 12.5" in " ".join(" ".join(of_images(second, [])).split())
    on = view(Surroundings(None), "a", first.read("a"), 40)
    assert [panel.title for panel in panels(second, "a", on)] == ["epochs 0", "epochs 8"]
    draw(first, second, Surroundings(None), [found], tmp_path / "x.png")
    assert share_of(tmp_path / "x.png", RED) == pytest.approx(1 / 4, abs=0.1)
