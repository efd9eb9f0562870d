from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_voc import HEIGHT, TAGS, WIDTH, make_voc, truth_of, write_voc

from wsss_steps import evaluate
from wsss_steps.data.class_maps import full_size
from wsss_steps.data.manifest import GroundTruth, write_ground_truth
from wsss_steps.errors import UserError
from wsss_steps.formats.files import read_json, whole
from wsss_steps.formats.kinds.cams import CAMS
from wsss_steps.formats.kinds.confusions import CONFUSIONS
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.formats.labels import write_labels
from wsss_steps.formats.stores import Store, write_store
from wsss_steps.ops.bootstrap import bootstrap_miou
from wsss_steps.settings.steps import Evaluate

TRAIN = ("t0", "t1", "t2")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the manifest and the ground truth of the tiny data set."""
    root = make_voc(tmp_path / "voc")
    write_voc(root, tmp_path / "m.json", tmp_path / "g.json")
    return tmp_path


def run(folder: Path, predictions: Path, stage: str, split: str = "train", **overrides: Any) -> dict[str, Any]:
    settings = {**Evaluate(**{"bootstrap": 20} | overrides).model_dump(mode="json"), "stage": stage, "split": split}
    settings["kind"] = stage if stage in ("cams", "seeds") else "label_maps"
    evaluate.run(
        manifest=folder / "m.json",
        ground_truth=folder / "g.json",
        predictions=predictions,
        output=folder / "confusions.h5",
        score=folder / "score.json",
        settings=settings,
        stamp='{"step": "test"}',
    )
    return read_json(folder / "score.json", "score")


def without_void(name: str) -> np.ndarray:
    truth = truth_of(name)
    return np.where(truth == 255, 0, truth).astype(np.uint8)


def write_folder(folder: Path, maps: dict[str, np.ndarray]) -> Path:
    with whole(folder) as temporary:
        temporary.mkdir()
        for name, labels in maps.items():
            write_labels(temporary / f"{name}.png", labels)
    return folder


def write_seeds(path: Path, maps: dict[str, np.ndarray]) -> Path:
    write_store(path, SEEDS, ((name, {"seeds": labels}) for name, labels in maps.items()), stamp="{}")
    return path


def write_cams(path: Path, maps: dict[str, tuple[np.ndarray, list[int]]]) -> Path:
    items = ((name, {"cam": cam, "class": np.array(classes, np.uint8)}) for name, (cam, classes) in maps.items())
    write_store(path, CAMS, items, stamp="{}")
    return path


@pytest.mark.parametrize(
    ("stage", "split"), [("pseudo_labels", "train"), ("segmentation", "val"), ("segmentation_crf", "val")]
)
def test_perfect_label_images(folder: Path, stage: str, split: str) -> None:
    predictions = write_folder(folder / "labels", {name: without_void(name) for name in TAGS})
    score = run(folder, predictions, stage, split)
    expected = {"stage": stage, "split": split, "miou": 1.0, "ci_low": 1.0, "ci_high": 1.0, "fp": 0.0, "fn": 0.0}
    expected |= {
        "pixel_acc": 1.0,
        "images": 3 if split == "train" else 2,
        "threshold": None,
        "gt_used_for": "evaluation",
    }
    assert {name: score[name] for name in expected} == expected
    assert score["policies"] == {"pred_ignore": "count_as_wrong", "absent": "nan_skip"}


def test_all_background(folder: Path) -> None:
    """Background: 96 of 180 pixels that are not void. Both classes are missed altogether."""
    empty = np.zeros((HEIGHT, WIDTH), np.uint8)
    score = run(folder, write_folder(folder / "labels", dict.fromkeys(TRAIN, empty)), "pseudo_labels")
    assert score["miou"] == pytest.approx(96 / 180 / 3)
    assert (score["fp"], score["fn"], score["pixel_acc"]) == pytest.approx((0, 1, 96 / 180))
    rows = {row["class"]: row for row in score["per_class"]}
    assert rows["background"]["iou"] == pytest.approx(96 / 180)
    assert [rows[name]["pixels"] for name in ("background", "cat", "dog")] == [288, 126, 126]
    assert rows["cat"]["precision"] is None  # no cat was predicted: null, since JSON has no NaN


def test_confusions_of_every_image_are_kept(folder: Path) -> None:
    run(folder, write_folder(folder / "labels", {name: without_void(name) for name in TRAIN}), "pseudo_labels")
    with Store(folder / "confusions.h5", CONFUSIONS) as store:
        assert store.ids() == list(TRAIN)
        assert store["t2"]["confusion"].tolist() == [[96, 0, 0, 0], [0, 42, 0, 0], [0, 0, 42, 0]]


def test_seeds_have_coverage_and_precision(folder: Path) -> None:
    """The seeds leave out the right half of every image; in the left half one column of eight is wrong."""
    labels = np.full((HEIGHT, WIDTH), 255, np.uint8)
    labels[:, :8] = 0
    labels[:, 3] = 1
    score = run(folder, write_seeds(folder / "seeds.h5", dict.fromkeys(TRAIN, labels)), "seeds")
    assert (score["coverage"], score["precision"]) == pytest.approx((96 / 180, 7 / 8))
    assert score["per_class"][1]["coverage"] == 0
    assert (score["per_class"][2]["coverage"], score["per_class"][2]["precision"]) == (0, None)
    assert score["miou"] == pytest.approx(7 / 8 / 3)
    optimistic = run(folder, folder / "seeds.h5", "seeds", pred_ignore="exclude")
    assert optimistic["miou"] > score["miou"]


def graded_cams() -> dict[str, tuple[np.ndarray, list[int]]]:
    """Objects at 0.8, background at 0.4: thresholds from 0.4 up to 0.8 (exclusive) give the ground truth."""
    cams = {}
    for name in TRAIN:
        classes = sorted({int(label) for label in np.unique(without_void(name))} - {0})
        cams[name] = (np.stack([np.where(without_void(name) == label, 0.8, 0.4) for label in classes]), classes)
    return cams


def test_the_best_threshold_is_chosen_and_declared(folder: Path) -> None:
    score = run(folder, write_cams(folder / "cams.h5", graded_cams()), "cams", thresholds=(0.2, 0.9, 0.5, 0.6))
    assert [point["threshold"] for point in score["sweep"]] == [0.2, 0.5, 0.6, 0.9]
    assert [point["miou"] for point in score["sweep"][1:3]] == [1.0, 1.0]
    assert score["sweep"][3]["miou"] == pytest.approx(96 / 180 / 3)
    assert (score["threshold"], score["miou"]) == (0.5, 1.0)  # the lowest of ties
    assert score["gt_used_for"] == "evaluation and choice of the threshold"
    with Store(folder / "confusions.h5", CONFUSIONS) as store:
        assert store["t0"]["confusion"].tolist() == [[96, 0, 0, 0], [0, 84, 0, 0], [0, 0, 0, 0]]


def test_an_image_without_classes_is_background(folder: Path) -> None:
    cams = {**graded_cams(), "t0": (np.zeros((0, HEIGHT, WIDTH)), [])}
    score = run(folder, write_cams(folder / "cams.h5", cams), "cams", thresholds=(0.5,))
    assert score["per_class"][1]["fn"] == pytest.approx(84 / 126)


def test_strided_maps_are_enlarged_as_torch_does() -> None:
    maps = np.random.default_rng(0).random((2, 4, 5), dtype=np.float32)
    expected = torch.nn.functional.interpolate(torch.from_numpy(maps)[None], (13, 17), mode="bilinear")[0]
    np.testing.assert_allclose(full_size(maps, 13, 17), expected, atol=1e-6)
    assert full_size(expected.numpy(), 13, 17).shape == (2, 13, 17)


def test_the_same_twice(folder: Path) -> None:
    predictions = write_cams(folder / "cams.h5", graded_cams())
    run(folder, predictions, "cams")
    before = [(folder / name).read_bytes() for name in ("confusions.h5", "score.json")]
    run(folder, predictions, "cams")
    assert before == [(folder / name).read_bytes() for name in ("confusions.h5", "score.json")]


def test_missing_predictions_are_all_named(folder: Path) -> None:
    predictions = write_folder(folder / "labels", {"t1": without_void("t1")})
    with pytest.raises(UserError, match=r"labels: images without a prediction, of 3 \(2\):\n  t0\n  t2$"):
        run(folder, predictions, "pseudo_labels")
    assert not (folder / "score.json").exists()
    with pytest.raises(UserError, match=r"images without a prediction, of 3 \(1\):\n  t2"):
        run(folder, write_seeds(folder / "seeds.h5", {name: truth_of(name) for name in ("t0", "t1")}), "seeds")


def test_predictions_that_do_not_fit_are_all_named(folder: Path) -> None:
    maps = {name: without_void(name) for name in TRAIN}
    maps["t0"] = maps["t0"].T.copy()
    maps["t2"] = np.full((HEIGHT, WIDTH), 9, np.uint8)
    with pytest.raises(UserError) as caught:
        run(folder, write_folder(folder / "labels", maps), "pseudo_labels")
    assert "t0: expected a prediction of the size of the ground truth, (12, 16) (H, W), found (16, 12)" in str(
        caught.value
    )
    assert "t2: expected values 0..2 and 255 in the prediction, found [9]" in str(caught.value)
    assert not (folder / "score.json").exists()
    assert not (folder / "confusions.h5").exists()


def test_maps_of_another_size_are_refused(folder: Path) -> None:
    cams = {**graded_cams(), "t1": (np.zeros((1, 5, 5)), [2])}
    with pytest.raises(UserError, match=r"t1: expected class maps of \(12, 16\) or \(3, 4\) \(H, W\), found \(5, 5\)"):
        run(folder, write_cams(folder / "cams.h5", cams), "cams")


def test_unknown_split_and_kind(folder: Path) -> None:
    predictions = write_seeds(folder / "seeds.h5", {name: truth_of(name) for name in TRAIN})
    with pytest.raises(UserError, match="no images of split 'test'; known splits: train, val"):
        run(folder, predictions, "seeds", "test")
    with pytest.raises(UserError, match="expected format wsss/cams version 2, found wsss/seeds"):
        run(folder, predictions, "cams")


def without_masks(folder: Path, names: tuple[str, ...]) -> None:
    truth = evaluate.read_ground_truth(folder / "g.json")
    masks = {name: path for name, path in truth.masks.items() if name not in names}
    write_ground_truth(folder / "g.json", GroundTruth(masks, truth.class_of_value))


def test_a_split_without_ground_truth_has_an_empty_score(folder: Path) -> None:
    without_masks(folder, TRAIN)
    score = run(folder, write_cams(folder / "cams.h5", graded_cams()), "cams")
    assert (score["miou"], score["ci_low"], score["threshold"], score["images"]) == (None, None, None, 0)
    assert score["gt_used_for"] == "nothing"
    with Store(folder / "confusions.h5", CONFUSIONS) as store:
        assert store.ids() == []


def test_what_has_ground_truth_is_scored(folder: Path) -> None:
    """A subset of train, such as VOC's 1,464 of 10,582 images; `prepare_masks` checks for missing masks."""
    without_masks(folder, ("t1",))
    assert run(folder, write_cams(folder / "cams.h5", graded_cams()), "cams")["images"] == 2


def test_the_interval_is_drawn_as_the_settings_say(folder: Path) -> None:
    """Three images, one missed entirely and one in part, so that it matters which are drawn."""
    maps = {name: without_void(name) for name in TRAIN} | {"t1": np.zeros((HEIGHT, WIDTH), np.uint8)}
    maps["t2"][:3] = 2
    predictions, found = write_folder(folder / "labels", maps), []
    for seed, draws in ((3, 7), (4, 7), (3, 3)):
        score = run(folder, predictions, "pseudo_labels", seed=seed, bootstrap=draws)
        with Store(folder / "confusions.h5", CONFUSIONS) as store:
            confusions = np.stack([store[name]["confusion"] for name in TRAIN])
            assert store.provenance == score["provenance"] == {"step": "test"}
        assert (score["ci_low"], score["ci_high"]) == bootstrap_miou(confusions, draws=draws, seed=seed)
        assert score["ci_low"] < score["ci_high"]
        found.append((score["ci_low"], score["ci_high"]))
    assert len(set(found)) == 3


@pytest.mark.parametrize(("absent", "miou"), [("nan_skip", 1.0), ("zero", 2 / 3)])
def test_a_class_that_is_nowhere_counts_as_the_settings_say(folder: Path, absent: str, miou: float) -> None:
    """The only scored image shows a cat; the same holds in the search for the best threshold."""
    without_masks(folder, ("t1", "t2"))
    score = run(folder, write_cams(folder / "cams.h5", graded_cams()), "cams", thresholds=(0.5,), absent=absent)
    assert (score["miou"], score["sweep"][0]["miou"]) == pytest.approx((miou, miou))
    assert (score["policies"]["absent"], score["absent_classes"]) == (absent, ["dog"])


def test_a_class_that_is_predicted_is_not_absent(folder: Path) -> None:
    without_masks(folder, ("t1", "t2"))
    maps = {name: without_void(name) for name in TRAIN}
    maps["t0"][0, 0] = 2
    assert run(folder, write_folder(folder / "labels", maps), "pseudo_labels")["absent_classes"] == []
