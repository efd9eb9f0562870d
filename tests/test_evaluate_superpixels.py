"""Scoring superpixels: means, pooled values, void, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from wsss_steps import summarise_superpixels
from wsss_steps.data.manifest import Entry, GroundTruth, Manifest, write_ground_truth, write_manifest
from wsss_steps.errors import UserError
from wsss_steps.evaluate_superpixels import run
from wsss_steps.formats.kinds.superpixels import SUPERPIXELS
from wsss_steps.formats.labels import write_labels
from wsss_steps.formats.stores import write_store
from wsss_steps.settings.steps import EvaluateSuperpixels

SETTINGS = EvaluateSuperpixels().model_dump(mode="json")
TRUTH = {"a": [[0, 0, 0, 1, 1, 1]], "b": [[0, 0, 1, 1]]}
LABELS = {"a": [[1, 1, 2, 2, 2, 2]], "b": [[1, 1, 1, 1]], "c": [[1, 2]]}


@pytest.fixture
def paths(tmp_path: Path) -> dict[str, Path]:
    """Two training images with ground truth and one without."""
    entries = [Entry(name, "train", f"{name}.jpg", 1, len(rows[0]), (1,)) for name, rows in LABELS.items()]
    write_manifest(tmp_path / "manifest.json", Manifest("test", ("cat",), tuple(entries)))
    write_truth(tmp_path, TRUTH)
    write_superpixels(tmp_path / "superpixels.h5", LABELS)
    names = {
        "manifest": "manifest.json",
        "ground_truth": "truth.json",
        "superpixels": "superpixels.h5",
        "score": "score.json",
    }
    return {key: tmp_path / name for key, name in names.items()}


def write_truth(folder: Path, labels: dict[str, list[list[int]]]) -> None:
    for name, rows in labels.items():
        write_labels(folder / f"{name}.png", np.array(rows, np.uint8))
    mapping = tuple(value if value in (0, 1, 255) else -1 for value in range(256))
    write_ground_truth(
        folder / "truth.json", GroundTruth({name: str(folder / f"{name}.png") for name in labels}, mapping)
    )


def write_superpixels(path: Path, maps: dict[str, list[list[int]]]) -> None:
    items = [
        (name, {"superpixels": np.array(rows, np.uint16), "seed_patches": np.zeros(1, np.int32)})
        for name, rows in maps.items()
    ]
    write_store(path, SUPERPIXELS, items, stamp="{}")


def test_scores_by_hand(paths: dict[str, Path], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        run(**paths, settings=SETTINGS, stamp='{"step": "test"}')
    score = json.loads(paths["score"].read_text())
    assert (score["images"], score["superpixels_per_image"], score["gt_used_for"]) == (2, 1.5, "evaluation")
    assert (score["settings"], score["provenance"], score["split"]) == (SETTINGS, {"step": "test"}, "train")
    expected = {
        "UE": (2 / 6 + 4 / 4, 2, (2 + 4) / 10),
        "ASA": (5 / 6 + 2 / 4, 2, (5 + 2) / 10),
        "BR": (2 / 2 + 0 / 2, 2, (2 + 0) / 4),  # a: 2|3 against 1|2, one px apart; b: no superpixel boundary finds any
        "BP": (2 / 2, 1, 2 / 2),  # b has none to judge
    }
    for name, (total, images, pooled) in expected.items():
        assert score["scores"][name] == pytest.approx({"mean": total / images, "images": images, "pooled": pooled}), (
            name
        )
    assert "UE  0.6667" in caplog.text


def test_what_is_nowhere_defined_is_null(paths: dict[str, Path]) -> None:
    write_truth(paths["score"].parent, {"a": [[255] * 6], "b": [[255] * 4]})
    run(**paths, settings=SETTINGS)
    score = json.loads(paths["score"].read_text())
    assert score["scores"] == {name: {"mean": None, "images": 0, "pooled": None} for name in ("UE", "ASA", "BR", "BP")}


def test_settings_are_used(paths: dict[str, Path]) -> None:
    run(**paths, settings=SETTINGS | {"boundary_tolerance": 1.0})
    assert json.loads(paths["score"].read_text())["scores"]["BP"]["mean"] == 1 / 2


def test_the_boundary_of_opencv_has_the_frame_and_is_named(
    paths: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Images one pixel high are all frame, so each map finds all of the other."""
    with caplog.at_level("INFO"):
        run(**paths, settings=SETTINGS | {"boundary": "opencv"})
    score = json.loads(paths["score"].read_text())
    assert score["settings"]["boundary"] == "opencv"
    assert score["scores"]["BR"] == score["scores"]["BP"] == {"mean": 1, "images": 2, "pooled": 1}
    assert score["scores"]["UE"]["mean"] == pytest.approx((2 / 6 + 4 / 4) / 2)  # no boundary measures: unchanged
    assert "BR  1.0000  boundary recall (mean over 2 images, boundary: opencv)" in caplog.text
    run(**paths | {"score": tmp_path / "inner4.json"}, settings=SETTINGS)
    table = tmp_path / "superpixels.csv"
    summarise_superpixels.run(
        scores=[paths["score"], tmp_path / "inner4.json"], output=table, settings={"names": ["slic", "dino"]}
    )
    assert table.read_bytes().decode() == (
        "superpixels,split,images,per_image,ue,bp,br,asa,boundary\n"
        "slic,train,2,1.50,0.6667,1.0000,1.0000,0.6667,opencv\n"
        "dino,train,2,1.50,0.6667,1.0000,0.5000,0.6667,inner4\n"
    )


def test_guards(paths: dict[str, Path]) -> None:
    write_superpixels(paths["superpixels"], {"c": [[1, 2]]})
    with pytest.raises(UserError, match=r"(?s)images without superpixels \(2\):.*a.*b"):
        run(**paths, settings=SETTINGS)
    write_superpixels(paths["superpixels"], LABELS | {"b": [[1, 1, 1]]})
    with pytest.raises(
        UserError, match=r"image 'b': expected superpixels of size \(1, 4\) as the ground truth, found \(1, 3\)"
    ):
        run(**paths, settings=SETTINGS)
    write_truth(paths["score"].parent, {})
    with pytest.raises(UserError, match="no ground truth for any image of split 'train'"):
        run(**paths, settings=SETTINGS)
    assert not paths["score"].exists()


def test_training_images_alone_are_scored(paths: dict[str, Path]) -> None:
    entries = [Entry(name, "val" if name == "b" else "train", "", 1, 6, (1,)) for name in LABELS]
    write_manifest(paths["manifest"], Manifest("test", ("cat",), tuple(entries)))
    run(**paths, settings=SETTINGS)
    score = json.loads(paths["score"].read_text())
    assert (score["images"], score["scores"]["UE"]["mean"]) == (1, pytest.approx(2 / 6))
