"""Running out of memory: a message with the size of the image and what to lower, and no traceback."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import numpy as np
import pytest
import tiny_voc
import torch
from fault_table import said

from wsss_steps import extract_keys, make_cams, methods, predict, predict_saliency
from wsss_steps.cli import main
from wsss_steps.data.manifest import Entry, read_manifest
from wsss_steps.errors import UserError, out_of_memory
from wsss_steps.formats.kinds.features import FEATURES
from wsss_steps.formats.stores import write_store
from wsss_steps.methods import per_image

TOO_MUCH = 2**56  # more than any computer can address


def on_gpu(*_: Any, **__: Any) -> NoReturn:
    raise torch.OutOfMemoryError(
        "CUDA out of memory. Tried to allocate 20.50 GiB. GPU 0 has a total capacity of 15 GiB"
    )


def on_cpu(*_: Any, **__: Any) -> torch.Tensor:
    return torch.empty(TOO_MUCH, dtype=torch.uint8)


def in_numpy(*_: Any, **__: Any) -> np.ndarray:
    return np.empty(TOO_MUCH, np.uint8)


ERRORS: dict[str, tuple[Callable[..., Any], str, str]] = {
    "GPU": (on_gpu, "out of GPU memory (asked for 20.5 GiB)", "set device: cpu"),
    "CPU": (on_cpu, "out of memory (asked for 72057594.0 GB)", "give the step more memory"),
    "NumPy": (in_numpy, "out of memory (asked for 64 PiB)", "give the step more memory"),
}
CONTENT = {
    "classes": ["cat", "dog"],
    "num_classes": 2,
    "network": {"backbone": {"mean": [0.5] * 3, "std": [0.5] * 3}},
}
STEPS: dict[str, tuple[Callable[..., None], dict[str, Any], dict[str, Any], str]] = {
    "make_cams": (make_cams.run, {}, {"method": "cam", "scales": [1.0]}, "lower scales, "),
    "predict": (
        predict.run,
        {"segmenter": Path("s")},
        {"split": "train", "known_tags": True, "crf": None},
        "lower scales, ",
    ),
    "extract_keys": (extract_keys.run, {}, {"method": "keys", "image_scale": 1.0}, "lower image_scale, "),
    "extract_keys, rgb": (extract_keys.run, {}, {"method": "rgb", "cell": 8}, ""),
    "predict_saliency": (predict_saliency.run, {"source": Path("s")}, {"method": "detector"}, ""),
    "predict_saliency, by features": (
        predict_saliency.run,
        {},
        {"method": "unsupervised", "features": "keys"},
        "lower image_scale of the features, ",
    ),
}


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    root = tiny_voc.make_voc(tmp_path / "voc")
    path = tmp_path / "m.json"
    tiny_voc.write_voc(root, path)
    return path


@pytest.fixture
def _quiet() -> Iterator[None]:
    """Restores the root logger, which `main` sets up for itself."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("error", ERRORS)
def test_the_image_its_size_and_what_lowers_it_are_named(
    error: str, step: str, manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail, words, last = ERRORS[error]
    run, paths, settings, lowers = STEPS[step]
    method = SimpleNamespace(maker=(lambda *_: ([], fail)) if "saliency" in step else lambda: fail)
    if "features" in settings:
        paths = {"needs": {"features": tmp_path / "features.h5"}}
        item = {"features": np.zeros((1, 1, 2), np.float16), "extent": np.ones(2, np.float32)}
        items = ((entry.id, item) for entry in read_manifest(manifest).split("train"))
        write_store(paths["needs"]["features"], FEATURES, items, stamp="{}")
    monkeypatch.setattr(methods, "load", lambda *_: method)
    monkeypatch.setattr(methods, "rebuild", lambda *_: (SimpleNamespace(stride=8), CONTENT))
    monkeypatch.setattr(predict, "label_logits", fail)
    with pytest.raises(UserError) as caught:
        run(manifest=manifest, output=tmp_path / "made", settings=settings, **paths)
    expected = f"image 't0' of 12 x 16 px (height x width): {words}; {lowers}make the image smaller or {last}"
    assert str(caught.value) == expected
    said("image '<id>' of <height> x <width> px (height x width): out of <memory>; <ways out>", caught.value)
    assert not (tmp_path / "made").exists()


def training(*, manifest: Path, settings: dict[str, Any], stamp: str = "") -> None:
    ERRORS[settings["error"]][0]()


@pytest.mark.usefixtures("_quiet")
@pytest.mark.parametrize("error", ERRORS)
def test_a_training_names_the_settings_that_lower_it(error: str, capsys: pytest.CaptureFixture) -> None:
    settings = {"error": error, "batch_size": 16, "crop": 448, "epochs": 3, "resize_long": None}
    with pytest.raises(SystemExit, match="1"):
        main(training, ["--manifest", "m", "--settings", json.dumps(settings)])
    printed = capsys.readouterr().err
    assert f"ERROR {ERRORS[error][1]}; lower batch_size (16) or crop (448)\n" in printed
    said("ERROR out of <memory> (asked for <amount>); lower batch_size (16) or crop (448)", printed)
    assert "Traceback" not in printed


@pytest.mark.usefixtures("_quiet")
def test_a_step_without_such_settings(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit, match="1"):
        main(training, ["--manifest", "m", "--settings", '{"error": "NumPy"}'])
    assert "ERROR out of memory (asked for 64 PiB)\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (MemoryError(), "out of memory"),
        (RuntimeError("CUDA error: out of memory"), "out of GPU memory"),
        (
            RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
            "out of GPU memory",
        ),
        (RuntimeError("std::bad_alloc"), "out of memory"),
        (RuntimeError("shape mismatch"), None),
        (ValueError("out of memory of what happened"), None),
    ],
)
def test_which_errors_are_a_lack_of_memory(error: Exception, found: str | None) -> None:
    assert out_of_memory(error) == found


def test_other_errors_of_an_image_stay_what_they_are() -> None:
    with (
        pytest.raises(RuntimeError, match="shape mismatch"),
        per_image.memory_of(Entry("a", "train", "a.jpg", 1, 1, ())),
    ):
        raise RuntimeError("shape mismatch")
