"""Truncated, empty and bit-flipped artifacts and weights: refused by name, never read as if they were intact."""

from __future__ import annotations

import os
import pickle
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from fault_table import said
from safetensors.torch import save_file

from wsss_steps.errors import UserError
from wsss_steps.formats import kinds
from wsss_steps.formats.files import read_json
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.formats.stores import Store, write_store
from wsss_steps.nets.backbones import build_backbone
from wsss_steps.pretrained.backbones import load_backbone, read_state

RNG = np.random.default_rng(0)
MAPS: dict[str, dict[str, np.ndarray]] = {
    "cams": {"cam": RNG.random((2, 12, 14), dtype=np.float32), "class": np.array([1, 20], np.uint8)},
    "features": {"features": RNG.random((3, 4, 8)).astype(np.float16), "extent": np.array([24, 31.5], np.float32)},
    "superpixels": {
        "superpixels": RNG.integers(1, 1000, (15, 17)).astype(np.uint16),
        "seed_patches": np.array([7, -1], np.int32),
    },
    "saliency": {"saliency": RNG.random((15, 17), dtype=np.float32)},
    "seeds": {"seeds": RNG.integers(0, 256, (15, 17), dtype=np.uint8)},
    "confusions": {"confusion": RNG.integers(0, 9, (3, 4))},
    "refined_saliency": {"refined": RNG.choice(np.array([0, 1, 255], np.uint8), (15, 17))},
    "strong_masks": {"masks": RNG.choice(np.array([0, 1, 2, 255], np.uint8), (15, 17))},
    "growth": {"frames": RNG.integers(0, 3, (2, 15, 17), dtype=np.uint8), "epochs": np.array([0, 10], np.int32)},
}
EVERY = [(kind, name) for kind, arrays in MAPS.items() for name in arrays]


def store(path: Path, kind: str) -> Path:
    write_store(
        path, kinds.find(kind), [(name, MAPS[kind]) for name in ("a", "b")], stamp='{"step": "x"}', left_out=["b"]
    )
    return path


def read(path: Path, kind: str) -> dict[str, Any]:
    with Store(path, kinds.find(kind)) as found:
        return {"stamp": found.provenance, "left": found.left_out, **{name: found[name] for name in found.ids()}}


def test_every_kind_of_store_is_tried() -> None:
    assert set(MAPS) == set(kinds.names())


HEAD = "<file>: not a readable HDF5 file (<reason>); delete it to have it made again"


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (lambda content: content[:-100], HEAD),
        (lambda content: content[: len(content) // 2], HEAD),
        (lambda content: b"", HEAD),
        (lambda content: b"text", HEAD),
        (lambda content: b"\xff" * 8 + content[8:], HEAD),
    ],
    ids=["cut by 100 bytes", "cut in half", "empty", "text", "signature"],
)
def test_stores_that_are_no_hdf5(fault: Callable[[bytes], bytes], message: str, tmp_path: Path) -> None:
    path = store(tmp_path / "s.h5", "seeds")
    path.write_bytes(fault(path.read_bytes()))
    with pytest.raises(UserError) as caught:
        Store(path, SEEDS)
    said(message, caught.value)
    assert "s.h5" in str(caught.value)


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_a_flipped_bit_in_any_data_set_is_refused_by_name(kind: str, name: str, tmp_path: Path) -> None:
    path = store(tmp_path / "s.h5", kind)
    with h5py.File(path, "r") as file:
        stored = file["images/b"][name]
        data = [one.id for one in ([stored] if isinstance(stored, h5py.Dataset) else stored.values())]
        chunks = [one.get_chunk_info(number) for one in data for number in range(one.get_num_chunks())]
    content = path.read_bytes()
    for place in [chunk.byte_offset + offset for chunk in chunks for offset in range(0, chunk.size, 3)]:
        flipped = bytearray(content)
        flipped[place] ^= 1 << place % 8
        path.write_bytes(flipped)
        with Store(path, kinds.find(kind)) as found:
            assert set(found["a"]) == set(MAPS[kind])  # another image can still be read
            with pytest.raises(UserError) as caught:
                _ = found["b"]
        assert f"s.h5: data set '{name}' of image 'b' cannot be read" in str(caught.value)
    said("<file>: data set '<name>' of image '<id>' cannot be read (<reason>)", caught.value)


def outcome(path: Path, kind: str, expected: dict[str, Any]) -> str:
    """The result of reading: the same content, a UserError, or what must not happen."""
    try:
        found = read(path, kind)
    except UserError:
        return "refused"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "same" if pickle.dumps(found) == pickle.dumps(expected) else "other content"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork: a crash must not end the test run")
@pytest.mark.parametrize("kind", ["cams", "superpixels"])
def test_a_flipped_bit_anywhere_is_refused_or_harmless(kind: str, tmp_path: Path) -> None:
    """All tries in one child process, which an alarm ends if reading hangs."""
    path = store(tmp_path / "s.h5", kind)
    expected, content = read(path, kind), path.read_bytes()
    seen, write = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        counts: Counter[str] = Counter()
        for place in range(0, len(content), 5):
            flipped = bytearray(content)
            flipped[place] ^= 1 << place % 8
            path.write_bytes(flipped)
            counts[outcome(path, kind, expected)] += 1
        os.write(write, "\n".join(sorted(counts)).encode()[:4000])
        os._exit(0)
    os.close(write)
    with os.fdopen(seen) as pipe:
        found = pipe.read()
    assert os.waitpid(child, 0)[1] == 0, "reading a damaged store crashed or hung"
    assert found == "refused\nsame"


class Payload:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("harm"),)


def test_a_malicious_pickle_is_refused_and_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("plain.pth").write_bytes(pickle.dumps({"state_dict": Payload()}))
    torch.save({"a": torch.zeros(1), "b": Payload()}, "zip.pth")
    torch.save(Payload(), "old.pth", _use_new_zipfile_serialization=False)
    for name in ("plain.pth", "zip.pth", "old.pth"):
        with pytest.raises(UserError) as caught:
            read_state(Path(name))
        said("<file>: holds more than plain tensors, and reading that could run code hidden in the file", caught.value)
    assert not Path("harm").exists()
    Path("renamed.safetensors").write_bytes(Path("plain.pth").read_bytes())
    with pytest.raises(UserError) as caught:
        read_state(Path("renamed.safetensors"))
    said("<file>: not a readable safetensors file (<reason>)", caught.value)
    assert not Path("harm").exists()


PAGE = (
    "<file>: is a web page (HTML or XML), not weights: its address gave a page to be clicked through, or one that "
    "tells an error; download the file itself"
)
POINTER = (
    "<file>: is a git-lfs pointer, which only names the weights; get the file itself: `git lfs pull` in the repository "
    "that it comes from"
)


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors", "w.pth.tar", "w.bin"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<!DOCTYPE html><html><head><title>Quota exceeded</title></head></html>", PAGE),
        (b"\xef\xbb\xbf\r\n  <HTML lang='en'>", PAGE),
        (b"<?xml version='1.0' encoding='UTF-8'?><Error><Code>AccessDenied</Code></Error>", PAGE),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 102502400\n", POINTER),
    ],
    ids=["HTML", "HTML after a mark and blanks", "XML", "git-lfs"],
)
def test_what_a_download_leaves_in_the_place_of_weights(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError) as caught:
        read_state(tmp_path / name)
    said(message, caught.value)
    assert str(caught.value).startswith(f"{tmp_path / name}: ")


def test_weights_of_integers_or_without_a_value(tmp_path: Path) -> None:
    backbone = build_backbone("small", output_stride=8, options={})
    state = backbone.net.state_dict()
    first, second, *_ = (key for key in state if key.endswith("weight"))
    state[first] = torch.ones_like(state[first], dtype=torch.int8)
    state[second][0] = float("nan")
    save_file(state, tmp_path / "w.safetensors")
    with pytest.raises(UserError) as caught:
        load_backbone(backbone, {"net": "small", "weights": "w"}, tmp_path / "w.safetensors")
    said("weights do not fit, <file> into <network>:", caught.value)
    said("<name>: expected floating point, found int8", caught.value)
    said("<name>: <number> of <number> are NaN or infinite", caught.value)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["zip.pth", "old.pth", "w.safetensors"])
def test_damaged_weights_are_refused_or_read_in_full(kind: str, tmp_path: Path) -> None:
    """Truncated and bit-flipped anywhere: tensors of the right names and shapes, or a UserError that names the file."""
    path = tmp_path / kind
    state = {"a.weight": torch.rand(3, 4), "b": torch.rand(7)}
    if kind == "w.safetensors":
        save_file(state, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=kind == "zip.pth")
    content, said_of = path.read_bytes(), list[str]()
    for place in RNG.integers(0, len(content), 150).tolist():
        for flipped in (content[:place], content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :]):
            path.write_bytes(flipped)
            try:
                read_state(path)
            except UserError as error:
                said_of.append(str(error))
    assert said_of
    assert all(kind in message for message in said_of)
    kind_of = "safetensors file" if kind == "w.safetensors" else "file of torch.save"
    said(f"<file>: not a readable {kind_of} (<reason>)", "\n".join(said_of))


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]"])
def test_damaged_json(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "m.json").write_bytes(content)
    with pytest.raises(UserError, match="m.json: (not valid JSON|expected a manifest, found a JSON list)"):
        read_json(tmp_path / "m.json", "manifest")
