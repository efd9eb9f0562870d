"""`python -m wsss_steps segment`: photographs in, label maps out, with what the run used."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from photo_folders import ON_ITS_SIDE, PHOTOGRAPHS, make_folder, photograph
from PIL import Image
from trained_networks import write_network

from wsss_steps import __main__ as commands
from wsss_steps import methods, predict
from wsss_steps.afterwards import runs
from wsss_steps.data.manifest import Entry, Manifest
from wsss_steps.data.originals import Original, write_with_originals
from wsss_steps.formats.files import write_json
from wsss_steps.formats.kinds.cams import CAMS
from wsss_steps.formats.labels import read_labels
from wsss_steps.formats.stores import Store
from wsss_steps.formats.weights import write_weights
from wsss_steps.provenance.digests import file_digest
from wsss_steps.provenance.stamp import stamp
from wsss_steps.settings import crf

NAMES = {"cats+IMG 1": "cats/IMG 1.JPG", "cats+IMG 2": "cats/IMG 2.png", "dogs+a": "dogs/a.webp"}
NAMES |= {"dogs+old+a": "dogs/old/a.jpeg", "both": "both.jpg"}
FAST = ("--scales", "1", "--crf", "none")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "photos")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_network(tmp_path / "segmenter.safetensors")


def segment(*words: object, status: int = 0) -> None:
    """Run the command."""
    if status == 0:
        commands.main(["segment", "--device", "cpu", *map(str, words)])
        return
    with pytest.raises(SystemExit) as ended:
        commands.main(["segment", "--device", "cpu", *map(str, words)])
    assert ended.value.code == status


def written(folder: Path) -> set[str]:
    return {path.stem for path in (folder / "labels").glob("*.png")}


def rows(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "images.csv").open(encoding="utf-8", newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def test_every_photograph_of_a_folder(tmp_path: Path, photos: Path, model: Path) -> None:
    """Of any format, in capital letters, on its side; hidden files are none."""
    out = tmp_path / "out"
    segment(photos, "--model", model, "--out", out, "--scores", *FAST)
    assert written(out) == set(NAMES)
    assert set(NAMES.values()) == set(PHOTOGRAPHS)
    for name in NAMES:
        size = (64, 48) if name == "both" else (48, 64)
        labels = read_labels(out / "labels" / f"{name}.png")
        assert labels.shape == size
        assert labels.max() <= 2
        with Image.open(out / "overlays" / f"{name}.jpg") as picture:
            assert picture.width == size[1]
            assert picture.height > size[0]  # names of the classes below
        with Store(out / "scores" / f"{name}.h5", CAMS) as store:
            found = store[name]
        assert found["class"].tolist() == [0, 1, 2]
        np.testing.assert_allclose(found["cam"].sum(0), 1, atol=1.5 / 255)
        assert np.mean(found["cam"].argmax(0) == labels) > 0.95  # equal but where two are the same in 1/255
    table = (out / "classes.csv").read_text().splitlines()
    assert table == ["label,class,red,green,blue", "0,background,0,0,0", "1,cat,128,0,0", "2,dog,0,128,0"]
    assert rows(out)["both"] == {
        "name": "both",
        "file": str(photos / "both.jpg"),
        "sha256": file_digest(photos / "both.jpg"),
        "height": "64",
        "width": "48",
        "tags": "any",
    }
    about = json.loads((out / "labels" / "provenance.json").read_text())
    assert about["step"] == "segment"
    assert about["inputs"]["segmenter"]["sha256"] == file_digest(model)
    assert about["settings"]["crf"] is None


# ---- as the run did


def predicted(tmp_path: Path, model: Path, photos: Path, max_side: int | None, **changes: Any) -> dict[str, Path]:
    """The label maps of a run in whose folder the network lies, by the step `predict`, from copies as `prepare`'s."""
    root = model.parents[5]
    settings = {"split": "val", "known_tags": False, "scales": [1.0, 0.5], "flip": True, "merge": "mean"}
    settings |= {"crf": crf.numbers("deeplab"), "crf_labels": "winning"} | changes
    entries, originals = [], {}
    for number, path in enumerate(sorted(photos.glob("*.png"))):
        height, width = np.asarray(Image.open(path)).shape[:2]
        file, size = path, (height, width)
        if max_side:
            size = (max_side * height // max(height, width), max_side * width // max(height, width))
            file = tmp_path / f"copy{number}.png"
            Image.open(path).resize(size[::-1], Image.Resampling.BICUBIC).save(file)
            originals[path.stem] = Original(str(path), height, width, "")
        entries.append(Entry(path.stem, "val", str(file), *size, (1,)))
    manifest = root / "splits/val/manifest.json"
    write_with_originals(manifest, Manifest("m", ("cat", "dog"), tuple(entries)), originals)
    write_json(manifest.with_name("manifest.json.provenance.json"), {"settings": {"max_side": max_side}})
    about = stamp("wsss_steps.predict", settings=settings, code="", device="cpu", inputs={"segmenter": model})
    output = model.parent / "segmentation_crf/val"
    predict.run(manifest=manifest, segmenter=model, output=output, settings=settings, stamp=about)
    return {path.stem: path for path in output.glob("*.png")}


@pytest.mark.parametrize("max_side", [None, 40])
def test_the_bytes_are_those_of_predict(tmp_path: Path, max_side: int | None) -> None:
    """Without any option: scales, mirror images, dense CRF and working size are those of the run beside the network."""
    model = write_network(tmp_path / "results/mine/plain/cam/none/crf/plain/segmenter.safetensors", head="v3plus")
    photos = tmp_path / "photos"
    for number, names in enumerate((("cat",), ("dog",), ("cat", "dog"))):
        photograph(photos / f"p{number}.png", names, (80, 60 + 20 * number), seed=number)
    expected = predicted(tmp_path, model, photos, max_side)
    segment(photos, "--model", model, "--out", tmp_path / "out")
    assert written(tmp_path / "out") == set(expected) == {"p0", "p1", "p2"}
    for name, path in expected.items():
        assert (tmp_path / "out/labels" / f"{name}.png").read_bytes() == path.read_bytes()
    assert len(np.unique([np.bincount(read_labels(path).ravel(), minlength=3) for path in expected.values()])) > 3


def test_settings_of_the_run_are_found(tmp_path: Path) -> None:
    model = write_network(tmp_path / "results/mine/plain/cam/none/crf/plain/segmenter.safetensors")
    assert runs.of_run(model) == (runs.defaults(), None)
    assert runs.defaults()["scales"] == [1.0, 0.75, 0.5]
    photograph(tmp_path / "photos/p.png", ("cat",))
    predicted(tmp_path, model, tmp_path / "photos", 40)
    found, source = runs.of_run(model)
    assert source == model.parent / "segmentation_crf/val/provenance.json"
    expected = {"scales": [1.0, 0.5], "flip": True, "merge": "mean", "crf": crf.numbers("deeplab")}
    assert found == {**expected, "crf_labels": "winning", "max_side": 40}
    write_network(model, output_stride=16)  # trained again since
    assert runs.of_run(model)[1] is None


def test_settings_of_a_single_stage_network_are_found(tmp_path: Path) -> None:
    """Its predictions lie below the classifier."""
    root = tmp_path / "results/mine/recurseed"
    model = write_weights_of_nothing(root / "classifier.safetensors")
    settings = {"scales": [2.0], "flip": False, "merge": "max", "crf": None, "crf_labels": "all", "split": "val"}
    about = {"step": "predict", "settings": settings, "inputs": {"segmenter": {"sha256": file_digest(model)}}}
    write_json(root / "none/none/none/own/segmentation_crf/val.shards/000-of-002/provenance.json", about)
    assert runs.of_run(model)[0]["scales"] == [2.0]


def write_weights_of_nothing(path: Path) -> Path:
    write_weights(path, "classifier", {}, content={}, stamp="{}")
    return path


def test_options_replace_settings_of_the_run(tmp_path: Path, photos: Path, model: Path) -> None:
    segment(photos / "both.jpg", "--model", model, "--out", tmp_path / "out", "--scales", "1", "0.5", "--flip",
            "--crf", "toco", "--merge", "mean", "--max-side", "32", "--tile", "none", "--no-overlay")  # fmt: skip
    used = json.loads((tmp_path / "out/labels/provenance.json").read_text())["settings"]
    expected = {"scales": [1.0, 0.5], "flip": True, "merge": "mean", "crf": crf.numbers("toco"), "crf_labels": "all"}
    assert used == {**expected, "max_side": 32, "tile": None, "overlap": 256}
    assert not (tmp_path / "out/overlays").exists()


# ---- names, what was there before


def test_equal_names_do_not_overwrite_one_another(tmp_path: Path, model: Path) -> None:
    places = ["a/1.jpg", "b/1.jpg", "b/1.png"]
    files = [photograph(tmp_path / name, ("cat",), (30, 20 + 8 * n), seed=n) for n, name in enumerate(places)]
    segment(*files, "--model", model, "--out", tmp_path / "out", *FAST)
    assert written(tmp_path / "out") == {"1.png", "a+1", "b+1"}
    assert read_labels(tmp_path / "out/labels/b+1.png").shape == (30, 28)


def test_what_was_done_is_kept_and_what_changed_is_done_again(
    tmp_path: Path, photos: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, base = tmp_path / "out", ["--model", model, "--out", tmp_path / "out", *FAST]
    segment(photos, *base)
    times = {path: path.stat().st_mtime_ns for path in (out / "labels").glob("*.png")}
    photograph(photos / "cats/IMG 1.JPG", ("dog",), seed=9)
    (out / "overlays" / "both.jpg").unlink()
    photograph(photos / "new.jpg", ("cat",), seed=8)
    segment(photos, *base)
    assert (
        capsys.readouterr().out.splitlines()[-1] == f"6 photographs: 3 were done before; label maps in {out / 'labels'}"
    )
    again = {path.stem for path, time in times.items() if path.stat().st_mtime_ns != time}
    assert again == {"cats+IMG 1", "both"}
    segment(photos / "both.jpg", "--tags", "dog", *base)
    assert rows(out)["both"]["tags"] == "dog"
    assert set(np.unique(read_labels(out / "labels/both.png"))) <= {0, 2}


def test_results_of_other_settings_are_left_alone(
    tmp_path: Path, photos: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    segment(photos, "--model", model, "--out", out, *FAST)
    capsys.readouterr()
    segment(photos / "both.jpg", "--model", model, "--out", out, *FAST, "--flip", status=1)
    assert f"ERROR {out}: holds results of another network or other settings (settings)" in capsys.readouterr().err
    assert written(out) == set(NAMES)
    other = write_network(tmp_path / "other.safetensors", aspp_rates=[1])
    segment(photos / "both.jpg", "--model", other, "--out", out, *FAST, status=1)
    assert "(network)" in capsys.readouterr().err
    segment(photos / "both.jpg", "--model", other, "--out", out, *FAST, "--replace")
    assert written(out) == set(rows(out)) == {"both"}


def test_a_folder_of_the_user_is_left_alone(
    tmp_path: Path, photos: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out/labels").mkdir(parents=True)
    (tmp_path / "out/labels/mine.png").write_bytes(b"by hand")
    segment(photos, "--model", model, "--out", tmp_path / "out", "--replace", status=1)
    assert "expected no folder, or one of this command, found one without provenance.json" in capsys.readouterr().err
    assert (tmp_path / "out/labels/mine.png").read_bytes() == b"by hand"


# ---- what is wrong


def test_bad_photographs_are_listed_at_the_end_and_the_others_done(
    tmp_path: Path, photos: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "text.jpg").write_text("no photograph")
    whole = (photos / "cats/IMG 1.JPG").read_bytes()
    (photos / "cut.jpg").write_bytes(whole[: len(whole) // 2])  # whose header is whole
    segment(photos, "--model", model, "--out", tmp_path / "out", *FAST, status=1)
    said = capsys.readouterr().err
    assert f"photographs that could not be segmented; the other 5 are in {tmp_path / 'out'} (2):" in said
    assert f"  {photos / 'text.jpg'}: not a readable image" in said
    assert f"  {photos / 'cut.jpg'}: not a readable image" in said
    assert written(tmp_path / "out") == set(rows(tmp_path / "out")) == set(NAMES)


def test_what_is_no_segmenter_is_told(tmp_path: Path, photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text.safetensors").write_text("nothing")
    write_weights(tmp_path / "refiner.safetensors", "refiner", {}, content={}, stamp="{}")
    content = {"classes": ["cat", "dog"], "method": "plain", "num_classes": 2}
    plain = {"dilated": True, "backbone": {"net": "small", "options": {}}, "output_stride": 8, "frozen_stages": 0}
    plain |= {"frozen_batch_norm": "none"}
    network = methods.load("classifier", "plain").build(2, **plain)
    write_weights(
        tmp_path / "classifier.safetensors", "classifier", network.state_dict(), content=content | {"network": plain},
        stamp="{}",
    )  # fmt: skip
    for name, message in {
        "none": "no such file (expected the weights of a segmenter",
        "text": "found a file that is no checkpoint of this workflow",
        "refiner": "found weights of a refiner",
        "classifier": "expected a network that segments, found a classifier 'plain'",
    }.items():
        segment(photos, "--model", tmp_path / f"{name}.safetensors", "--out", tmp_path / "out", status=1)
        assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--scales", "0"), "--scales.0: Input should be greater than or equal to 0.05, found 0"),
        (("--overlap", "1024"), "--overlap: expected 0 to 1023 px, less than --tile, found 1024"),
        (("--tags", "cow"), "--tags: unknown class 'cow'; known classes: cat, dog"),
    ],
)
def test_wrong_options_are_told_before_anything_is_done(
    tmp_path: Path, photos: Path, model: Path, words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    segment(photos, "--model", model, "--out", tmp_path / "out", *words, status=1)
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("words", [("--tile", "0"), ("--max-side", "large"), ("--crf", "best")])
def test_wrong_words(tmp_path: Path, words: tuple[str, ...]) -> None:
    segment("x.jpg", "--model", "m", "--out", tmp_path / "out", *words, status=2)


def test_turned_photographs_are_labelled_as_a_viewer_shows_them(tmp_path: Path, model: Path) -> None:
    """The same pixels, stored upright and on their side, give the same labels."""
    upright = photograph(tmp_path / "p/upright.png", ("cat",), (40, 64))
    exif = Image.Exif()
    exif[0x0112] = ON_ITS_SIDE
    with Image.open(upright) as image:
        image.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "p/turned.png", exif=exif)
    segment(tmp_path / "p", "--model", model, "--out", tmp_path / "out", *FAST)
    found = [(tmp_path / f"out/labels/{name}.png").read_bytes() for name in ("upright", "turned")]
    assert found[0] == found[1]
