"""Scores over scales and mirror images, with networks whose output is known."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
import pytest
import torch
from fault_table import said
from PIL import Image
from torch import Tensor, nn

from wsss_steps import methods, predict, processes
from wsss_steps.data.manifest import Entry, Manifest, write_manifest
from wsss_steps.errors import UserError
from wsss_steps.formats.labels import read_labels
from wsss_steps.formats.weights import write_weights
from wsss_steps.nets.inference import label_logits
from wsss_steps.ops import crf as dense
from wsss_steps.ops.crf import Preset, preset_of
from wsss_steps.ops.resize import enlarge
from wsss_steps.predict import label_maps
from wsss_steps.processes import now
from wsss_steps.settings import crf

DEEPLAB = preset_of(crf.numbers("deeplab"))


def maps_of(
    logits: Tensor, image: np.ndarray, labels: list[int], crf_labels: Literal["all", "winning"] = "all"
) -> tuple[np.ndarray, np.ndarray]:
    """Label maps after and before DeepLab's CRF."""
    found = now(label_maps(logits, image, labels, DEEPLAB, crf_labels=crf_labels))
    return found["after_crf"], found["before_crf"]


class Pixels(nn.Module):
    """Returns the first two channels of the image as logits."""

    def forward(self, images: Tensor) -> Tensor:
        return images[:, :2]


class Width(nn.Module):
    """Returns the width of its input as the logit of label 1."""

    def forward(self, images: Tensor) -> Tensor:
        logits = torch.zeros(1, 2, -(-images.shape[2] // 8), -(-images.shape[3] // 8))
        logits[:, 1] = images.shape[-1]
        return logits


@pytest.mark.parametrize(("merge", "expected"), [("max", 20), ("mean", (10 + 20 + 5) / 3)])
def test_scales_are_merged(merge: str, expected: float) -> None:
    logits = label_logits(Width(), torch.zeros(1, 3, 8, 10), 8, scales=[1.0, 2.0, 0.5], flip=False, merge=merge)
    assert logits.shape == (2, 8, 10)
    assert torch.allclose(logits[1], torch.tensor(expected, dtype=torch.float32))


@pytest.mark.parametrize("merge", ["max", "mean"])
def test_a_mirrored_image_gives_mirrored_scores(merge: str) -> None:
    image = torch.randn(1, 3, 7, 9, generator=torch.Generator().manual_seed(0))
    network = nn.Conv2d(3, 2, 3, padding=1)
    one, other = (
        label_logits(network, view, 1, scales=[1.0, 0.5], flip=True, merge=merge) for view in (image, image.flip(-1))
    )
    assert torch.allclose(one, other.flip(-1), atol=1e-6)


def test_one_scale_without_mirror_is_the_network_itself() -> None:
    image = torch.randn(1, 3, 5, 6, generator=torch.Generator().manual_seed(0))
    assert torch.equal(label_logits(Pixels(), image, 1, scales=[1.0], flip=False, merge="mean"), image[0, :2])


def test_an_image_of_one_pixel() -> None:
    assert label_logits(Pixels(), torch.zeros(1, 3, 1, 1), 1, scales=[0.5], flip=True, merge="max").shape == (2, 1, 1)


def test_a_cell_that_reaches_over_the_edge_is_cut() -> None:
    cells = torch.tensor([0.0, 4.0]).view(1, 1, 1, 2)
    assert enlarge(cells, (2, 3), 2).tolist() == [[[[0, 1, 3], [0, 1, 3]]]]


def test_only_allowed_labels_compete() -> None:
    logits = torch.tensor([0.0, 9.0, 1.0]).view(3, 1, 1).expand(3, 4, 4)
    image = np.zeros((4, 4, 3), np.uint8)
    assert (maps_of(logits, image, [0, 1, 2])[0] == 1).all()
    for labels in maps_of(logits, image, [0, 2]):
        assert labels.dtype == np.uint8
        assert (labels == 2).all()
    assert not maps_of(logits, image, [0])[0].any()


def test_the_crf_removes_a_speck() -> None:
    logits = torch.zeros(2, 16, 16)
    logits[0] = 1.0
    logits[1, 8, 8] = 1.5
    after, before = maps_of(logits, np.full((16, 16, 3), 90, np.uint8), [0, 1])
    assert before.sum() == 1
    assert after.sum() == 0


def test_winning_labels_alone_may_compete(monkeypatch: pytest.MonkeyPatch) -> None:
    """Background always, of the others the one that wins a pixel: not label 3, which is a close second everywhere."""
    asked = []

    def refine(image: np.ndarray, probabilities: np.ndarray, preset: Preset) -> np.ndarray:
        asked.append(len(probabilities))
        return probabilities[::-1]  # the strongest and the weakest of those that compete change places

    monkeypatch.setattr(dense, "refine", refine)
    logits = torch.tensor([0.0, 9.0, 1.0, 8.0]).view(4, 1, 1).expand(4, 4, 4)
    image = np.zeros((4, 4, 3), np.uint8)
    for crf_labels, count, strongest in (("all", 4, 2), ("winning", 2, 0)):
        after, before = maps_of(logits, image, [0, 1, 2, 3], crf_labels)
        assert (asked.pop(), np.unique(before).tolist(), np.unique(after).tolist()) == (count, [1], [strongest])


def test_winning_labels_keep_their_names() -> None:
    logits = torch.tensor([0.0, 0.0, 1.0, 0.0, 0.0, 9.0]).view(6, 1, 1).expand(6, 4, 4)
    assert (maps_of(logits, np.zeros((4, 4, 3), np.uint8), [0, 2, 5], "winning")[0] == 5).all()


@pytest.mark.parametrize("flip", [False, True])
def test_a_mean_is_over_scales_and_mirror_images(flip: bool) -> None:
    image = torch.full((1, 3, 4, 4), 2.0)
    assert label_logits(Pixels(), image, 1, scales=[1.0, 1.0], flip=flip, merge="mean").unique().tolist() == [2.0]


# ---- the step, with a network whose logits are the pixels: normalised red is background, green class 1, blue class 2

MEAN, STD = [0.6, 0.3, 0.1], [0.2, 0.5, 0.9]
CONTENT = {"classes": ["cat", "dog"], "num_classes": 2}
CONTENT |= {"network": {"backbone": {"mean": MEAN, "std": STD}}}
SHAPES = {"a": (9, 12), "b": (10, 8), "c": (8, 11)}
PLAIN = {"split": "val", "known_tags": False, "scales": [1.0], "flip": False, "merge": "mean"}
PLAIN |= {"crf": None, "crf_labels": "all"}


class Colours(nn.Module):
    """Returns the image as logits."""

    stride = 1

    def forward(self, images: Tensor) -> Tensor:
        return images


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two training images and one of val, in random colours; every network is `Colours`."""
    rng = np.random.default_rng(0)
    entries = []
    for (name, shape), split, tag in zip(SHAPES.items(), ("train", "train", "val"), (1, 2, 1), strict=True):
        Image.fromarray(rng.integers(0, 256, (*shape, 3), dtype=np.uint8)).save(tmp_path / f"{name}.png")
        entries.append(Entry(name, split, str(tmp_path / f"{name}.png"), *shape, (tag,)))
    write_manifest(tmp_path / "m.json", Manifest("test", ("cat", "dog"), tuple(entries)))
    monkeypatch.setattr(methods, "rebuild", lambda *_: (Colours(), CONTENT))
    return tmp_path / "m.json"


def photo(manifest: Path, name: str) -> np.ndarray:
    with Image.open(manifest.with_name(f"{name}.png")) as image:
        return np.array(image)


def scores(manifest: Path, name: str) -> np.ndarray:
    """(H, W, 3), by hand."""
    return (photo(manifest, name) / 255 - np.array(MEAN)) / np.array(STD)


def found(manifest: Path, **settings: Any) -> dict[str, np.ndarray]:
    """Label maps by folder and id."""
    paths = {"output": manifest.with_name("crf"), "output_raw": manifest.with_name("raw")}
    given = {"manifest": manifest, "segmenter": Path("none"), "settings": PLAIN | settings, "stamp": '{"step": "test"}'}
    predict.run(**paths, **given)
    for path in paths.values():
        assert json.loads((path / "provenance.json").read_text()) == {"step": "test"}
    return {f"{path.name}/{png.stem}": read_labels(png) for path in paths.values() for png in path.glob("*.png")}


def test_held_out_images_may_show_any_class(manifest: Path) -> None:
    """Tags of val reach no label map: dog wins pixels in an image tagged cat."""
    maps = found(manifest)
    assert set(maps) == {"crf/c", "raw/c"}
    assert np.array_equal(maps["raw/c"], scores(manifest, "c").argmax(2))
    assert set(np.unique(maps["raw/c"])) == {0, 1, 2}
    assert np.array_equal(maps["crf/c"], maps["raw/c"])  # without a CRF


def test_a_classifier_that_segments_is_a_segmenter(manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a single-stage network, the part that segments; a classifier without one is refused."""
    single = SimpleNamespace(segmenter=Colours())
    content = CONTENT | {"method": "plain"}
    rebuilt = {("classifier", "own"): (single, content), ("classifier", "plain"): (Colours(), content)}
    monkeypatch.setattr(methods, "rebuild", lambda slot, path, *_: rebuilt[slot, path.stem])
    paths = [manifest.with_name(f"{name}.safetensors") for name in ("own", "plain")]
    for path in paths:
        write_weights(path, "classifier", {}, content=content, stamp="{}")
    assert predict.segmenting(paths[0], "cpu", ["cat", "dog"]) == (single.segmenter, content)
    with pytest.raises(UserError, match="expected a network that segments, found a classifier 'plain'"):
        predict.segmenting(paths[1], "cpu", ["cat", "dog"])


def test_tags_of_held_out_images_are_refused(manifest: Path) -> None:
    message = "predict: expected known_tags: false for split 'val', found true"
    with pytest.raises(UserError) as caught:
        found(manifest, known_tags=True)
    said(f"{message}; the tags of 'train' alone may be known to the labels", caught.value)
    assert not manifest.with_name("crf").exists()


def test_training_images_show_background_and_their_own_tags(manifest: Path) -> None:
    maps = found(manifest, split="train", known_tags=True)
    assert set(maps) == {"crf/a", "crf/b", "raw/a", "raw/b"}
    for name, tag in (("a", 1), ("b", 2)):
        expected = scores(manifest, name)[..., [0, tag]].argmax(2) * tag
        assert np.array_equal(maps[f"raw/{name}"], expected)
        assert set(np.unique(expected)) == {0, tag}


def test_one_folder_is_refined_by_the_preset_and_the_other_is_not(
    manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A CRF that turns dog into background, background into cat and cat into dog."""
    asked = []

    def refine(image: np.ndarray, probabilities: np.ndarray, preset: Preset) -> np.ndarray:
        asked.append((image.tolist(), preset))
        return np.roll(probabilities, 1, axis=0)

    monkeypatch.setattr(dense, "refine", refine)
    maps = found(manifest, crf=crf.numbers("toco"))
    assert asked == [(photo(manifest, "c").tolist(), preset_of(crf.numbers("toco")))]
    before = scores(manifest, "c").argmax(2)
    assert np.array_equal(maps["raw/c"], before)
    assert np.array_equal(maps["crf/c"], (before + 1) % 3)


def test_two_processes_make_the_same_label_maps(manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "FEWEST", 1)
    maps = []
    for number in ("1", "2"):
        monkeypatch.setenv("OMP_NUM_THREADS", number)
        maps.append(found(manifest, split="train", known_tags=True, crf=crf.numbers("deeplab")))
    assert maps[0].keys() == maps[1].keys() == {"crf/a", "crf/b", "raw/a", "raw/b"}
    assert all(np.array_equal(maps[0][name], maps[1][name]) for name in maps[0])
    assert not np.array_equal(maps[0]["crf/a"], maps[0]["raw/a"])
