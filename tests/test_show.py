"""`python -m wsss_steps show`: every kind of artifact in numbers and as a picture, every artifact of an image."""

from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import shown
from PIL import Image
from shown import LABELS, PLACES
from tiny_voc import CLASSES

from wsss_steps import __main__ as commands
from wsss_steps.formats import kinds
from wsss_steps.formats.labels import voc_palette
from wsss_steps.report.artifacts import panels, sources, statistics, surroundings

ALL = {kind: place for kind, place in PLACES.items()} | {
    "label maps": LABELS,
    "label map": f"{LABELS}/t0.png",
    "manifest": "splits/train/manifest.json",
    "ground_truth": "splits/train/ground_truth.json",
    "boxes": "splits/train/boxes.json",
}
CAT, DOG = (tuple(voc_palette()[3 * label : 3 * label + 3]) for label in (1, 2))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shown.make_results(tmp_path_factory.mktemp("shown"))


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures without a name are drawn into the current folder."""
    monkeypatch.chdir(tmp_path)


def said(capsys: pytest.CaptureFixture, *words: object) -> str:
    commands.main(["show", *map(str, words)])
    return " ".join(capsys.readouterr().out.split())


def refused(capsys: pytest.CaptureFixture, *words: object) -> str:
    with pytest.raises(SystemExit, match="1"):
        commands.main(["show", *map(str, words)])
    found = capsys.readouterr()
    assert found.out == ""
    return found.err


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def count(path: Path, colour: tuple[int, ...]) -> int:
    return int((pixels(path) == colour).all(axis=-1).sum())


# ---- numbers -----------------------------------------------------------------------------------------------------


def test_the_examples_have_every_kind_of_store() -> None:
    assert set(PLACES) == set(kinds.names())


@pytest.mark.parametrize("kind", ALL)
def test_every_kind_is_told(kind: str, root: Path, capsys: pytest.CaptureFixture) -> None:
    text = said(capsys, root / ALL[kind])
    assert text.startswith(f"{root / ALL[kind]}: {kind} size: ")
    assert "images: " in text
    if kind in PLACES:
        assert "made by: make_something on cpu, seed 3 alpha: 0.4 images: 5 " in text


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        # 192 px: 96 of background, 12 of void, 84 of the object; of five images three show cat, three dog
        ("seeds", "0 background 5 50.00 50.0"),
        ("seeds", "1 cat 3 21.88 43.8"),
        ("seeds", "255 no label 5 6.25 6.2"),
        ("refined_saliency", "1 object 5 43.75 43.8"),
        ("strong_masks", "2 dog 3 21.88 43.8"),
        ("cams", "1 cat 3 0.500 1.00 1.00 69.8 50.0"),
        ("saliency", "left out (no usable map): 1: t1"),
        ("superpixels", "per image: 2 to 2, median 2 px of a region: 48 to 144, median 96"),
        ("superpixels", "2 to 2, median 2 numbers per image, from -1 to 2"),
        ("features", "grid: rows 2 to 2, median 2; columns 3 to 3, median 3; 4 numbers per patch"),
        ("confusions", "cat 100.0 0.0 0.0 210"),  # 84 px of t0 and v1, 42 of t2
        ("confusions", "mIoU 100.0, pixel accuracy 100.0"),
        ("boxes", "cat 2 0 6 x 7 dog 2 2 6 x 7"),
        ("manifest", "height 12 to 12 px, width 16 to 16 px tags per image: 1 to 2, mean 1.20"),
        ("manifest", "cat 3 dog 3"),
        ("ground_truth", "255 no label 5 6.25 6.2"),
        ("label maps", "images: 3"),
    ],
)
def test_numbers_worked_by_hand(kind: str, expected: str, root: Path, capsys: pytest.CaptureFixture) -> None:
    assert expected in said(capsys, root / ALL[kind])


def test_numbers_of_some_images(root: Path, capsys: pytest.CaptureFixture) -> None:
    text = said(capsys, root / ALL["seeds"], "--image", "t0", "v1")
    assert "images: 2 of 5" in text
    assert "dog" not in text
    matrix = said(capsys, root / ALL["confusions"], "--image", "t0")
    assert "truth \\ predicted background cat dog no label background 96 0 0 0 cat 0 84 0 0 dog 0 0 0 0" in matrix


def test_of_many_or_large_images_a_sample_is_read(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(statistics, "MOST", 2)
    assert "images: 5, numbers of 2 of them, evenly spread" in said(capsys, root / ALL["seeds"])
    monkeypatch.setattr(statistics, "LARGEST", 200)  # a map has 192 bytes
    assert "images: 5, numbers of 1 of them, evenly spread" in said(capsys, root / ALL["seeds"])


def test_a_checkpoint_is_told_without_loading_it(root: Path, capsys: pytest.CaptureFixture) -> None:
    text = said(capsys, root / "plain" / "classifier.safetensors")
    for expected in (
        "checkpoint of a classifier",
        "method: plain",
        f'classes: ["{CLASSES[0]}", "{CLASSES[1]}"]',
        "init_weights: random",
        "network.backbone.mean: [0.5, 0.4, 0.3] network.backbone.net: small network.backbone.std: [0.2, 0.2, 0.2]",
        "7 numbers in 2 tensors of F32",
        "part tensors numbers backbone.net 1 3 head 1 4",
    ):
        assert expected in text


class Bomb:
    def __reduce__(self) -> tuple:
        return (print, ("boom",))


def test_a_pickle_is_not_executed(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "evil.safetensors").write_bytes(pickle.dumps(Bomb()))
    assert "evil.safetensors: not a readable safetensors file" in refused(capsys, "evil.safetensors")


def test_tables_and_json(root: Path, capsys: pytest.CaptureFixture) -> None:
    history = said(capsys, root / "plain" / "classifier_history.csv")
    assert history.endswith("2 rows epoch learning_rate loss 1 0.1 0.7 2 0.05 0.5")
    score = said(capsys, root / "plain/evaluation/x.json")
    assert "wsss/score format: wsss/score version: 1 miou: 0.25 per_class: class iou cat 0.5" in score
    assert "step: make_something" in said(capsys, root / LABELS / "provenance.json")


def test_long_tables_are_cut_in_the_middle(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "h.csv").write_text("epoch\n" + "".join(f"{number}\n" for number in range(100)))
    text = said(capsys, "h.csv")
    assert "28 29 ... 40 rows ... 70 71" in text
    assert text.endswith(" 99")


def test_several_are_told_one_after_the_other(root: Path, capsys: pytest.CaptureFixture) -> None:
    text = said(capsys, root / ALL["seeds"], root / ALL["cams"])
    assert text.index(": seeds") < text.index(": cams")


def test_torch_is_not_needed(root: Path, repository: Path) -> None:
    line = "import sys; from wsss_steps.__main__ import main; main(sys.argv[1:]); sys.exit('torch' in sys.modules)"
    for words in ((root / ALL["cams"],), (root / "plain/classifier.safetensors",), (root / LABELS, "--out", "x.png")):
        command = [sys.executable, "-c", line, "show", *map(str, words)]
        subprocess.run(command, check=True, env={"PYTHONPATH": str(repository)}, capture_output=True)


# ---- pictures ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [kind for kind in ALL if kind != "confusions"])
def test_every_kind_is_drawn(kind: str, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert "drawn into a.png" in said(capsys, root / ALL[kind], "--out", "a.png", "--image", "t0")
    first = (tmp_path / "a.png").read_bytes()
    assert pixels(tmp_path / "a.png").shape[0] > 150
    said(capsys, root / ALL[kind], "--out", "a.png", "--image", "t0")
    assert (tmp_path / "a.png").read_bytes() == first


def test_a_label_map_shows_its_classes(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """The label map alone is 256 x 192 px, of which 7/16 are cat; the overlay only has its outline in that colour."""
    said(capsys, root / LABELS, "--out", "cat.png", "--image", "t0")
    said(capsys, root / LABELS, "--out", "dog.png", "--image", "t1")
    assert 0.43 < count(tmp_path / "cat.png", CAT) / (256 * 192) < 0.5
    assert count(tmp_path / "cat.png", DOG) < 200  # the legend
    assert 0.43 < count(tmp_path / "dog.png", DOG) / (256 * 192) < 0.5


def test_one_panel_per_class(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    for image_id in ("t0", "t2"):
        said(capsys, root / ALL["cams"], "--out", f"{image_id}.png", "--image", image_id)
    assert pixels(tmp_path / "t2.png").shape[1] - pixels(tmp_path / "t0.png").shape[1] == 256 + 6


def test_the_default_name_and_number_of_pictures(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    text = said(capsys, root / ALL["seeds"], "--most", "2", "--out")
    assert text == "t0, t1, drawn into seeds.png"  # one of each class
    assert (tmp_path / "seeds.png").is_file()
    assert said(capsys, root / ALL["boxes"], "--out").endswith("drawn into boxes.png")


def test_artifacts_side_by_side(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    text = said(capsys, root / ALL["cams"], root / LABELS, "--out", "both.png")
    assert text == "t0, t1, t2, drawn into both.png"  # the label maps are of training images alone


def test_without_the_photographs(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """A store that was sent by mail, without its results folder: drawn on grey, its classes are its own."""
    shutil.copy(root / ALL["seeds"], tmp_path / "mailed.h5")
    assert "1 cat 3 21.88" in said(capsys, "mailed.h5")
    said(capsys, "mailed.h5", "--out", "a.png", "--image", "t0")
    assert count(tmp_path / "a.png", CAT) > 0.4 * 256 * 192


def test_every_artifact_of_an_image(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """Seven stores (confusions are no pictures) and the label map, beside photograph, ground truth and boxes."""
    text = said(capsys, "t0", "--results", root)
    assert text == f"8 artifacts of image t0 in {root}, drawn into t0.png"
    assert count(tmp_path / "t0.png", CAT) > 500
    assert said(capsys, "v0", "--results", root, "--out", "other.png").startswith("7 artifacts of image v0")


def test_the_results_of_an_image_are_found(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(root.parent.parent)
    assert "of image t0 in results/tiny, drawn into t0.png" in said(capsys, "t0")
    (root.parent.parent / "t0.png").unlink()
    other = shutil.copytree(root / "splits", root.parent / "other" / "splits").parent
    text = refused(capsys, "t0")
    assert "image 't0' is in 2 results folders: results/other, results/tiny; choose one by --results" in text
    shutil.rmtree(other)


# ---- errors ------------------------------------------------------------------------------------------------------


def test_unknown_ids_name_the_nearest(root: Path, capsys: pytest.CaptureFixture) -> None:
    assert f"no image 't9' in {root} (5 others); nearest ids: t" in refused(capsys, "t9", "--results", root)
    seeds = root / ALL["seeds"]
    for more in ((), ("--out", "x.png")):
        assert f"no image 't7' in {seeds} (5 others); nearest ids: t" in refused(capsys, seeds, "--image", "t7", *more)
    assert not Path("x.png").exists()
    assert "no results folder in results/" in refused(capsys, "t0")


def test_other_files_name_what_exists(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "x.bin").write_text("")
    assert "known are stores (.h5: cams, confusions," in refused(capsys, "./x.bin")
    text = refused(capsys, root / "plain" / "cam" / "none.h5")
    assert "none.h5: no such file or folder; in " in text
    assert "lie cams.h5, none" in text
    assert "found a folder without any; artifacts below it: cam/cams.h5" in refused(capsys, root / "plain")
    assert f"{tmp_path}: expected a results folder" in refused(capsys, "t0", "--results", tmp_path)


def test_what_is_no_picture(root: Path, capsys: pytest.CaptureFixture) -> None:
    confusions, weights = root / ALL["confusions"], root / "plain" / "classifier.safetensors"
    assert "confusions are no pictures" in refused(capsys, confusions, "--out", "x.png")
    assert "expected something that holds images or maps, found a checkpoint" in refused(capsys, weights, "--out")
    assert "holds nothing for single images" in refused(capsys, weights, "--image", "t0")
    assert "expected a name that ends in .png" in refused(capsys, confusions, "--out", "x.jpg")


def test_images_without_a_usable_map_are_marked(root: Path) -> None:
    of = surroundings.around(root / ALL["saliency"])
    with sources.opened(root / ALL["saliency"], of) as source:
        on = panels.view(of, "t1", {}, 64)
        assert [one.note for one in panels.panels(source, "t1", on)] == ["left out: no usable saliency map"]
        assert panels.panels(source, "t0", on)[0].note == "max 1.00, 70 % of pixels >= 0.3"


def test_label_maps_are_scored(root: Path) -> None:
    """The ground truth itself has coverage 100 %, though its void pixels have no label; half of a map is half right."""
    of = surroundings.around(root)
    truth = of.truth("t0")
    assert truth is not None
    assert panels.scored(truth, truth, 2) == "coverage 100 %, precision 100 %"
    # 96 px of background and 84 of cat, all predicted as background: IoU 96 / 180 and 0
    assert panels.scored(truth, np.zeros_like(truth), 2) == "mIoU of this image 26.7"
