"""`export`: a network as ONNX gives the scores that it gives in torch, at any size, and says how to feed it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from trained_networks import BACKBONE, CLASSES, write_network

from wsss_steps import __main__ as commands
from wsss_steps.afterwards import networks, onnx_export

LITE0 = BACKBONE | {"net": "timm:tf_efficientnet_lite0"}
KINDS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "DeepLab-v2": ("segmenter", "plain", {}),
    "DeepLab-v3+": ("segmenter", "plain", {"head": "v3plus"}),
    "LargeFOV": ("segmenter", "plain", {"backbone": BACKBONE | {"net": "vgg16"}, "aspp_rates": [12]}),
    "ResNet": ("segmenter", "spsrg", {"backbone": BACKBONE | {"net": "resnet50"}, "head": "v3plus"}),
    "Wide ResNet-38": ("segmenter", "plain", {"backbone": BACKBONE | {"net": "wideresnet38"}}),
    "EfficientNet-Lite0": ("segmenter", "plain", {"backbone": LITE0, "head": "v3plus", "output_stride": 16}),
    "single stage": ("classifier", "recurseed", {}),
}
FAST = ("DeepLab-v2", "DeepLab-v3+", "single stage")  # the others are large, and take up to a minute each


def write_kind(path: Path, kind: str) -> Path:
    slot, method, network = KINDS[kind]
    return write_network(path, slot, method, **network)


def export(*words: object, status: int = 0) -> None:
    if not status:
        commands.main(["export", *map(str, words)])
        return
    with pytest.raises(SystemExit) as ended:
        commands.main(["export", *map(str, words)])
    assert ended.value.code == status


@pytest.mark.parametrize(
    "kind", [kind if kind in FAST else pytest.param(kind, marks=pytest.mark.workflow) for kind in KINDS]
)
def test_scores_agree_at_any_size(tmp_path: Path, kind: str, repository: Path) -> None:
    """Sizes here are others than those of the export's own check, and no multiples of the stride.

    In a process of its own, since the checks of shapes that tests add compare sizes that are symbols in an export.
    """
    model, target = write_kind(tmp_path / "model.safetensors", kind), tmp_path / "out.onnx"
    fixed = kind == "EfficientNet-Lite0"  # its padding depends on the size, for which torch needs many minutes
    words = [
        "-m",
        "wsss_steps",
        "export",
        "--model",
        model,
        "--out",
        target,
        *(["--size", "65", "90"] if fixed else []),
    ]
    done = subprocess.run([sys.executable, *words], cwd=repository, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    read = "65 x 90 px" if fixed else "any height and width"
    assert done.stdout.splitlines()[-1].startswith(f"{target}: 2 classes, {read}; logits differ from")
    trained, session = networks.load(model), onnxruntime.InferenceSession(target)
    assert [one.shape for one in session.get_inputs()] == [[1, 3, *((65, 90) if fixed else ("height", "width"))]]
    for size in ((65, 90),) if fixed else ((65, 90), (131, 77), (64, 96)):
        image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
        (found,) = session.run(None, {"image": trained.normalised(image).numpy()})
        expected = trained.logits(image).numpy()
        np.testing.assert_allclose(found[0], expected, atol=1e-4 * max(1, np.abs(expected).max()))


def test_a_padding_that_depends_on_the_size_wants_a_size(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    model = write_kind(tmp_path / "model.safetensors", "EfficientNet-Lite0")
    export("--model", model, "--out", tmp_path / "x.onnx", status=1)
    assert "Give the size: --size HEIGHT WIDTH" in capsys.readouterr().err


def test_the_file_says_how_to_feed_it(tmp_path: Path) -> None:
    """By its metadata alone, as a program would that has no part of this one; the size is fixed here."""
    model, target = write_network(tmp_path / "model.safetensors"), tmp_path / "out.onnx"
    export("--model", model, "--out", target, "--size", 40, 56)
    session = onnxruntime.InferenceSession(target)
    about = {name: json.loads(text) for name, text in session.get_modelmeta().custom_metadata_map.items()}
    assert about["classes"] == ["background", *CLASSES]
    assert about["stride"] == 8
    assert about["prediction"] == {"scales": [1.0, 0.75, 0.5], "flip": False, "merge": "max", "max_side": None}
    image = np.random.default_rng(0).integers(0, 256, (40, 56, 3), dtype=np.uint8)
    pixels = (image * about["scale"] - about["mean"]) / about["std"]
    (found,) = session.run(None, {"image": pixels.transpose(2, 0, 1)[None].astype(np.float32)})
    assert session.get_inputs()[0].shape == [1, 3, 40, 56]
    labels = networks.load(model).logits(image).argmax(0).numpy()
    assert np.array_equal(found[0].argmax(0), labels)
    text = str(onnx.load(target))
    assert ".py" not in text  # no file names of this machine
    # what differs too much is not written
    target.unlink()
    export("--model", model, "--out", target, "--size", 40, 56, "--tolerance", -1, status=1)
    assert list(tmp_path.glob("*")) == [model]


def test_a_difference_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(onnx_export, "_program", lambda *_: Nothing())
    monkeypatch.setattr(onnx_export, "largest_difference", lambda *_: 0.25)
    model = write_network(tmp_path / "model.safetensors")
    for words, advice in (((), "Try a fixed --size, or raise --tolerance"), (("--size", 8, 8), "Raise --tolerance")):
        export("--model", model, "--out", tmp_path / "x.onnx", *words, status=1)
        said = capsys.readouterr().err
        assert "expected logits that differ from torch's by at most 0.001, found 0.25; nothing is written" in said
        assert advice in said
        assert not (tmp_path / "x.onnx").exists()


class Nothing:
    """A program of no nodes."""

    class model:
        metadata_props: dict[str, str] = {}  # noqa: RUF012
        graph: tuple[()] = ()

    def save(self, path: Path, **_: bool) -> None:
        path.write_bytes(b"")


def test_a_network_that_torch_cannot_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise torch.onnx.errors.OnnxExporterError("step 1 failed") from ValueError("no such operator\nand more")

    monkeypatch.setattr(torch.onnx, "export", fail)
    model = write_network(tmp_path / "model.safetensors")
    export("--model", model, "--out", tmp_path / "x.onnx", status=1)
    said = capsys.readouterr().err
    assert "torch cannot export this network as ONNX: no such operator; try a fixed --size HEIGHT WIDTH" in said


def test_missing_packages_are_named_with_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], repository: Path
) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    export("--model", tmp_path / "none", "--out", tmp_path / "x.onnx", status=1)
    said = capsys.readouterr().err
    assert "expected the packages onnx, onnxruntime, onnxscript, onnxscript missing: install the extra export" in said
    declared = (repository / "pyproject.toml").read_text()
    assert all(f'"{name}>=' in declared for name in onnx_export.EXTRA)


def test_what_is_no_segmenter_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export("--model", tmp_path / "none.safetensors", "--out", tmp_path / "x.onnx", status=1)
    assert "no such file (expected the weights of a segmenter" in capsys.readouterr().err
