"""What three trainings share: every setting reaches the network, the data, the optimiser and the loop."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_voc import make_voc, truth_of, write_voc

from wsss_steps import make_saliency_example, methods, train_classifier, train_saliency, train_segmenter
from wsss_steps.data.manifest import read_manifest
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.formats.kinds.superpixels import SUPERPIXELS
from wsss_steps.formats.stamps import read_stamp
from wsss_steps.formats.stores import write_store
from wsss_steps.formats.weights import read_weights_content
from wsss_steps.settings.base import Backbone
from wsss_steps.settings.classifier import PlainClassifier
from wsss_steps.settings.saliency import DetectorSaliency
from wsss_steps.settings.segmenter import SpsrgSegmenter
from wsss_steps.training import loop

# none of these is a default, and no two are alike
OPTIMISATION = {"learning_rate": 0.03, "head_multiplier": 7.0, "momentum": 0.6, "weight_decay": 0.002}
LOOP = {"epochs": 3, "batch_size": 2, "channels_last": False}
SCHEDULE = {"power": 0.7, "warmup_epochs": 1.5, "warmup_from": 2e-5}
AUGMENTATION = {"crop": 24, "resize_long": (20, 40), "resize_scale": (0.6, 1.3), "jitter": (0.1, 0.2, 0.3, 0.05)}
MEAN, STD = (0.6, 0.35, 0.2), (0.2, 0.5, 0.9)
BACKBONE = {"backbone": Backbone(net="small", mean=MEAN, std=STD), "frozen_batch_norm": "none", "frozen_stages": 0}
STEPS = {"classifier": PlainClassifier, "segmenter": SpsrgSegmenter, "saliency": DetectorSaliency}
STAMP = '{"step": "test"}'


def settings_of(kind: str, **overrides: Any) -> dict[str, Any]:
    given = {
        **OPTIMISATION,
        **LOOP,
        **SCHEDULE,
        **AUGMENTATION,
        **BACKBONE,
        "compute_precision": "bfloat16",
        "seed": 11,
    }
    given |= {"pairs": "drawn"} if kind == "saliency" else {}
    return STEPS[kind](**given | overrides).model_dump(mode="json")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Path]]:
    """The inputs of each step: three training images, their seeds and superpixels; two pairs for the detector."""
    folder = tmp_path_factory.mktemp("inputs")
    manifest = write_voc(make_voc(folder / "voc"), folder / "m.json")
    labels = [(entry.id, truth_of(entry.id)) for entry in read_manifest(manifest).split("train")]
    write_store(folder / "s.h5", SEEDS, ((name, {"seeds": one}) for name, one in labels), stamp="{}")
    grown = (
        (name, {"superpixels": one.astype(np.uint16) + 1, "seed_patches": np.array([-1], np.int32)})
        for name, one in labels
    )
    write_store(folder / "p.h5", SUPERPIXELS, grown, stamp="{}")
    make_saliency_example.run(output=folder / "pairs", settings={"count": 2, "size": 64, "seed": 5})
    return {
        "classifier": {"manifest": manifest},
        "segmenter": {"manifest": manifest, "seeds": folder / "s.h5", "needs": {"superpixels": folder / "p.h5"}},
        "saliency": {"pairs": folder / "pairs"},
    }


@dataclass
class Asked:
    """The arguments of `loop.fit`, with the network's weights; nothing is trained."""

    network: Any
    dataset: Any
    optimiser: torch.optim.SGD
    schedule: Any
    options: dict[str, Any]
    start: dict[str, torch.Tensor]
    content: dict[str, Any] = field(default_factory=dict)
    stamp: dict[str, Any] = field(default_factory=dict)


Run = Callable[..., Asked]


@pytest.fixture
def run(inputs: dict[str, dict[str, Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A function that runs the step for a kind of network, except the training."""
    fit, made = loop.fit, []

    @functools.wraps(fit)  # the steps read its signature
    def spy(network: Any, dataset: Any, losses: Any, *how: Any, **options: Any) -> list[dict[str, float]]:
        start = {name: value.clone() for name, value in network.state_dict().items()}
        made.append(Asked(network, dataset, *how, options, start))
        return [{"epoch": 1.0}]

    monkeypatch.setattr(loop, "fit", spy)

    def one(kind: str, **overrides: Any) -> Asked:
        output = tmp_path / str(len(made)) / f"{kind}.safetensors"
        step = {"classifier": train_classifier, "segmenter": train_segmenter, "saliency": train_saliency}[kind]
        paths = inputs[kind] | {"output": output, "history": output.with_suffix(".csv")}
        output.parent.mkdir()
        step.run(**paths, settings=settings_of(kind, **overrides), stamp=STAMP)
        made[-1].content = read_weights_content(output, kind)
        made[-1].stamp = read_stamp(output)
        return made[-1]

    return one


@pytest.mark.parametrize("kind", STEPS)
def test_every_setting_reaches_optimiser_loop_and_data(run: Run, kind: str) -> None:
    asked = run(kind)
    for step, rate in ((0, 2e-5), (6, 0.03 * 0.5**0.7)):  # of three epochs of four steps, the first six to warm up
        asked.schedule(asked.optimiser, step, 12)
        assert [group["lr"] for group in asked.optimiser.param_groups] == pytest.approx([rate, 7 * rate])
    for group in asked.optimiser.param_groups:
        assert {name: group[name] for name in ("momentum", "weight_decay")} == {"momentum": 0.6, "weight_decay": 0.002}
    assert {name: asked.options[name] for name in LOOP} == LOOP
    assert (asked.options["seed"], asked.options["device"]) == (11, "cpu")
    # a classifier's heads give several maps at once, which several processes cannot share as they share images
    assert asked.options["spread"] is (asked.network.backbone if kind == "classifier" else None)
    assert asked.dataset.seed == 11
    found = {
        name: tuple(value) if isinstance(value, list) else value for name, value in asked.dataset.augmentation.items()
    }
    normalised = {"mean": MEAN, "std": STD, "with_pixels": False}
    assert found == {**AUGMENTATION, **normalised, "flip": True, "scale_set": found["scale_set"]}


@pytest.mark.parametrize("kind", STEPS)
def test_batches_carry_raw_pixels_if_the_method_says_so(run: Run, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "pixels" not in run(kind).dataset[0, 0]
    method = methods.load(kind, settings_of(kind)["method"])
    monkeypatch.setattr(method, "NEEDS_PIXELS", True, raising=False)
    assert run(kind).dataset[0, 0]["pixels"].dtype == torch.uint8


@pytest.mark.parametrize("kind", STEPS)
def test_a_method_may_act_after_every_step(run: Run, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(kind).options["after_step"] is None
    method = methods.load(kind, settings_of(kind)["method"])
    asked = []

    def after_step(network: Any, progress: float, *, momentum: float) -> None:
        asked.append((network, progress, momentum))

    monkeypatch.setattr(method, "after_step", after_step, raising=False)
    run(kind).options["after_step"]("network", 0.5)
    assert asked == [("network", 0.5, OPTIMISATION["momentum"])]


@pytest.mark.parametrize("kind", STEPS)
def test_the_seed_decides_the_initial_weights(run: Run, kind: str) -> None:
    first, again, other = (run(kind, seed=seed).start for seed in (11, 11, 12))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize("kind", STEPS)
def test_the_backbone_computes_in_the_precision_of_the_settings(run: Run, kind: str) -> None:
    """bfloat16 has eight significant bits; a value it can hold is unchanged by rounding to it."""
    images = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    for precision in ("bfloat16", "float32"):
        asked = run(kind, compute_precision=precision)
        maps = asked.network.backbone.eval()(images)
        assert torch.equal(maps, maps.bfloat16().float()) == (precision == "bfloat16")
        assert asked.content["compute_precision"] == precision


@pytest.mark.parametrize("kind", STEPS)
def test_the_file_says_what_the_network_is_and_how_it_was_made(run: Run, kind: str) -> None:
    asked = run(kind)
    assert asked.stamp == {"step": "test"}
    assert (asked.content["seed"], asked.content["init_weights"]) == (11, "random")
    assert asked.content["network"]["backbone"]["mean"] == list(MEAN)
    assert asked.content["network"]["backbone"]["std"] == list(STD)
