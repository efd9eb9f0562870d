"""Training on small images, from seeds to label maps; and what the steps refuse."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from wsss_steps import predict, train_refiner, train_segmenter
from wsss_steps.data.images import normalise
from wsss_steps.data.manifest import Entry, Manifest, write_manifest
from wsss_steps.errors import UserError
from wsss_steps.formats.kinds.growth import GROWTH
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.formats.kinds.strong_masks import STRONG_MASKS
from wsss_steps.formats.kinds.superpixels import SUPERPIXELS
from wsss_steps.formats.labels import read_labels
from wsss_steps.formats.stores import Store, write_store
from wsss_steps.formats.weights import read_weights, write_weights
from wsss_steps.methods import trainees
from wsss_steps.settings import crf
from wsss_steps.settings.base import Backbone, Settings
from wsss_steps.settings.classifier import PlainClassifier
from wsss_steps.settings.refiner import RandomWalk
from wsss_steps.settings.registry import METHODS
from wsss_steps.settings.segmenter import MaskingSegmenter, PlainSegmenter, SpsrgSegmenter
from wsss_steps.settings.steps import Predict

GROWING = ("spsrg", "dsrg", "dsrg_semi")
SIZES = [(24, 20), (20, 24), (9, 13), (16, 16)]
SMALL = Backbone(net="small").model_dump(mode="json")


def options_of(cls: type[Settings], **overrides: Any) -> dict[str, Any]:
    few = {"epochs": 2, "batch_size": 3, "crop": 24, "aspp_rates": (1, 2), "warmup_epochs": 1.0, "learning_rate": 0.05}
    few |= {"head_multiplier": 0.1, "frozen_batch_norm": "none", "train_scales": (1.0, 0.75, 0.5)}
    table = cls(**(few | overrides)).model_dump(mode="json") | {"backbone": SMALL}
    return table | ({"crf": crf.numbers(table["crf"])} if "crf" in table else {})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three training images and a validation image, their left half of class 1 or 2, with seeds and superpixels."""
    rng = np.random.default_rng(0)
    entries, seeds, superpixels = [], [], []
    for number, (height, width) in enumerate(SIZES):
        name, tag = f"image{number}", 1 + number % 2
        labels = np.zeros((height, width), np.uint8)
        labels[:, : width // 2] = tag
        pixels = np.array([(20, 20, 20), (230, 30, 30), (30, 230, 30)], np.uint8)[labels]
        Image.fromarray(pixels + rng.integers(0, 20, pixels.shape, dtype=np.uint8)).save(tmp_path / f"{name}.png")
        split = "train" if number < 3 else "val"
        entries.append(Entry(name, split, str(tmp_path / f"{name}.png"), height, width, (tag,)))
        seeds.append((name, {"seeds": np.where(rng.random(labels.shape) < 0.5, labels, 255).astype(np.uint8)}))
        patches = {"superpixels": labels.astype(np.uint16) + 1, "seed_patches": np.zeros(2, np.int32)}
        superpixels.append((name, patches))
    write_manifest(tmp_path / "manifest.json", Manifest("test", ("red", "green"), tuple(entries)))
    write_store(tmp_path / "seeds.h5", SEEDS, seeds[:3], stamp="{}")
    write_store(tmp_path / "superpixels.h5", SUPERPIXELS, superpixels[:3], stamp="{}")
    masks = [(name, {"masks": arrays["seeds"]}) for name, arrays in seeds[:2]]
    write_store(tmp_path / "strong_masks.h5", STRONG_MASKS, masks, stamp="{}")
    return tmp_path


def classifier_in(folder: Path, classes: tuple[str, ...] = ("red", "green"), **overrides: Any) -> Path:
    """A classifier with random weights, as a file."""
    output = folder / "classifier.safetensors"
    few = {"output_stride": 8, "dilated": True, "frozen_stages": 0, "frozen_batch_norm": "none"}
    chosen = PlainClassifier(**few).model_dump(mode="json") | {"backbone": SMALL | overrides}
    method, network, initial = trainees.start("classifier", chosen, len(classes), None)
    content = trainees.content(method, chosen, classes, initial)
    write_weights(output, "classifier", network.state_dict(), content=content, stamp="{}")
    return output


def train(
    folder: Path,
    options: dict[str, Any],
    name: str = "net",
    superpixels: bool = True,
    classifier: Path | None = None,
    **paths: Path,
) -> Path:
    output = folder / f"{name}.safetensors"
    if options["method"] == "masking" and classifier is None and options["lambda_seg"]:
        classifier = classifier_in(folder)
    train_segmenter.run(
        manifest=folder / "manifest.json",
        seeds=folder / "seeds.h5",
        needs=({"superpixels": folder / "superpixels.h5"} if superpixels else {})
        | ({"classifier": classifier} if classifier else {})
        | ({"strong_masks": folder / "strong_masks.h5"} if options["method"] == "dsrg_semi" else {}),
        output=output,
        history=folder / f"{name}.csv",
        **paths,
        settings=options,
    )
    return output


def label(folder: Path, network: Path, **overrides: Any) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Label maps by id, after and before the CRF."""
    given = Predict(flip=True).model_dump(mode="json") | {"crf": crf.numbers("deeplab")}
    chosen = {"split": "val", "known_tags": False} | given | overrides
    paths = {"output": folder / "after", "output_raw": folder / "before"}
    predict.run(manifest=folder / "manifest.json", segmenter=network, **paths, settings=chosen)
    return tuple({png.stem: read_labels(png) for png in sorted(path.glob("*.png"))} for path in paths.values())


@pytest.mark.parametrize("cls", METHODS["segmenter"])
def test_training_and_prediction(cls: type[Settings], folder: Path) -> None:
    network = train(folder, options_of(cls))
    rows = list(csv.DictReader((folder / "net.csv").open()))
    assert len(rows) == 2
    assert {"epoch", "loss", "seed_1", "seed_0.75", "seed_0.5"} <= set(rows[0])
    after, before = label(folder, network, split="train")
    assert list(after) == list(before) == ["image0", "image1", "image2"]
    assert [labels.shape for labels in after.values()] == SIZES[:3]
    assert max(labels.max() for labels in after.values()) <= 2


def test_it_learns_the_classes(folder: Path) -> None:
    options = {"epochs": 40, "output_stride": 4, "jitter": (0, 0, 0, 0), "resize_scale": None}
    network = train(folder, options_of(PlainSegmenter, **options))
    _, before = label(folder, network, split="train")
    truth = np.zeros(SIZES[1], np.uint8)
    truth[:, :12] = 2
    assert (before["image1"] == truth).mean() > 0.8


@pytest.mark.parametrize("cls", METHODS["segmenter"])
def test_the_same_seed_gives_the_same_bytes(cls: type[Settings], folder: Path) -> None:
    first, second = (train(folder, options_of(cls, epochs=1), name).read_bytes() for name in ("a", "b"))
    assert first == second
    assert train(folder, options_of(cls, epochs=1, seed=1), "c").read_bytes() != first


def test_growth_is_recorded_and_not_minimised(folder: Path) -> None:
    train(folder, options_of(SpsrgSegmenter, beta_bg=0.0, beta_fg=0.0, train_scales=(1.0,)))
    for row in csv.DictReader((folder / "net.csv").open()):
        assert float(row["share_labelled"]) == pytest.approx(1)
        assert 0.3 < float(row["share_seeded"]) < 0.7
        assert float(row["loss"]) == pytest.approx(float(row["seed_1"]))


@pytest.mark.parametrize("cls", METHODS["segmenter"])
def test_every_segmenter_writes_its_growth(cls: type[Settings], folder: Path) -> None:
    """A store without images where seeds do not grow; the weights are the same with it and without."""
    growth, options = folder / "growth.h5", options_of(cls)
    first, second = train(folder, options, "a", output_growth=growth), train(folder, options, "b")
    assert first.read_bytes() == second.read_bytes()
    with Store(growth, GROWTH) as store:
        assert store.ids() == (["image0", "image1", "image2"] if options["method"] in GROWING else [])
        for name in store.ids():
            assert store[name]["epochs"].tolist() == [0, 1, 2]


def test_a_checkpoint_says_what_it_is(folder: Path) -> None:
    _, content = read_weights(train(folder, options_of(PlainSegmenter)), "segmenter")
    assert content["classes"] == ["red", "green"]
    assert content["init_weights"] == "random"
    assert content["network"]["aspp_rates"] == [1, 2]


def test_known_tags_exclude_other_classes(folder: Path) -> None:
    network = train(folder, options_of(PlainSegmenter, epochs=1))
    for maps in label(folder, network, split="train", known_tags=True):
        for number, labels in enumerate(maps.values()):
            assert set(np.unique(labels)) <= {0, 1 + number % 2}


def test_without_crf_both_folders_agree(folder: Path) -> None:
    after, before = label(folder, train(folder, options_of(PlainSegmenter)), crf=None)
    assert (after["image3"] == before["image3"]).all()


def test_spsrg_without_superpixels_is_refused(folder: Path) -> None:
    with pytest.raises(UserError, match="'spsrg' needs superpixels, but the recipe has none"):
        train(folder, options_of(SpsrgSegmenter), superpixels=False)
    assert not (folder / "net.safetensors").exists()


def test_a_classifier_of_other_classes_is_refused(folder: Path) -> None:
    other = classifier_in(folder, ("cat", "dog"))
    with pytest.raises(UserError, match=r"trained for classes \['cat', 'dog'\], the data set has \['red', 'green'\]"):
        train(folder, options_of(MaskingSegmenter), classifier=other)
    assert not (folder / "net.safetensors").exists()


def test_without_attention_the_classifier_does_not_matter(folder: Path) -> None:
    options = options_of(MaskingSegmenter, lambda_seg=0, epochs=1)
    first = train(folder, options, "a").read_bytes()
    assert train(folder, options, "b", classifier=classifier_in(folder)).read_bytes() == first
    assert "attention" not in next(csv.DictReader((folder / "a.csv").open()))


def test_the_classifier_is_not_trained_and_not_kept(folder: Path) -> None:
    classifier = classifier_in(folder)
    before = classifier.read_bytes()
    state, _ = read_weights(train(folder, options_of(MaskingSegmenter), classifier=classifier), "segmenter")
    assert classifier.read_bytes() == before
    assert not [name for name in state if "classifier" in name]
    for row in csv.DictReader((folder / "net.csv").open()):
        parts = sum(float(row[name]) for name in ("seed_1", "seed_0.75", "seed_0.5", "attention"))
        assert float(row["loss"]) == pytest.approx(parts)


def test_images_are_brought_to_the_classifiers_normalisation(folder: Path) -> None:
    own = {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.25, 0.5]}
    judge = trainees.judge(classifier_in(folder, **own), ("red", "green"), SMALL, "cpu")
    photo = np.random.default_rng(0).integers(0, 256, (16, 24, 3), dtype=np.uint8)
    given = torch.from_numpy(normalise(photo, SMALL["mean"], SMALL["std"]))[None]
    expected = judge.network.scores(torch.from_numpy(normalise(photo, **own))[None])
    assert torch.allclose(judge(given), expected, atol=1e-4)


def test_the_judge_is_for_images_as_the_segmenter_reads_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, judge = [], trainees.judge

    def spy(*args: Any) -> Any:
        asked.append(args)
        return judge(*args)

    monkeypatch.setattr(trainees, "judge", spy)
    own = {"backbone": SMALL | {"mean": [0.6, 0.35, 0.2], "std": [0.2, 0.5, 0.9]}}
    train(folder, options_of(MaskingSegmenter, epochs=1) | own)
    assert asked == [(folder / "classifier.safetensors", ("red", "green"), own["backbone"], "cpu")]


def test_every_missing_image_is_named(folder: Path) -> None:
    with Store(folder / "seeds.h5", SEEDS) as store:
        kept = [("image1", store["image1"])]
    write_store(folder / "seeds.h5", SEEDS, kept, stamp="{}")
    with pytest.raises(UserError, match=r"(?s)\(2\).*image0: not in .*image2: not in "):
        train(folder, options_of(PlainSegmenter))


def test_seeds_without_any_class_are_refused(folder: Path) -> None:
    with Store(folder / "seeds.h5", SEEDS) as store:
        empty = {
            name: {"seeds": np.where(store[name]["seeds"] == 255, 255, 0).astype(np.uint8)} for name in store.ids()
        }
    write_store(folder / "seeds.h5", SEEDS, empty.items(), stamp="{}")
    with pytest.raises(UserError, match=r"seeds\.h5: no pixel of any image is the seed of a class"):
        train(folder, options_of(PlainSegmenter))
    with pytest.raises(UserError, match=r"seeds\.h5: no pixel of any image is the seed of a class"):
        train_refiner.run(
            manifest=folder / "manifest.json",
            seeds=folder / "seeds.h5",
            output=folder / "net.safetensors",
            history=folder / "history.csv",
            settings=RandomWalk().model_dump(mode="json") | {"backbone": SMALL},
        )
    assert not (folder / "net.safetensors").exists()


def test_random_weights_that_are_frozen_are_pointed_out(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    train(folder, options_of(PlainSegmenter, epochs=1, frozen_stages=1))
    assert "random weights, yet parts are frozen" in caplog.text


def test_a_network_of_other_classes_is_refused(folder: Path) -> None:
    network = train(folder, options_of(PlainSegmenter, epochs=1))
    entry = Entry("image0", "val", str(folder / "image0.png"), *SIZES[0], (1,))
    write_manifest(folder / "manifest.json", Manifest("test", ("cat", "dog"), (entry,)))
    with pytest.raises(UserError, match=r"trained for classes \['red', 'green'\], the data set has \['cat', 'dog'\]"):
        label(folder, network)
    assert not (folder / "after").exists()
