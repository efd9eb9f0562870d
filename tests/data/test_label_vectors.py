"""`cls_labels.npy` is read as what it is, and a pickle that wants more is refused before anything has run."""

from __future__ import annotations

import io
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wsss_steps.errors import UserError
from wsss_steps.formats.label_vectors import read_label_vectors

TAGS = {"2007_000032": np.array([1, 0, 0, 1], np.float32), "2007_000039": np.array([0, 1, 0, 0], np.float32)}


def written(path: Path, content: Any, protocol: int = 3) -> Path:
    """A `.npy` file of one object, as `np.save` writes a dict, in the pickle protocol of an older NumPy if asked."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "|O", "fortran_order": False, "shape": ()})
    held = np.empty((), object)
    held[()] = content
    path.write_bytes(file.getvalue() + pickle.dumps(held, protocol=protocol))
    return path


def shown(path: Path) -> dict[str, list[int]]:
    return {name: vector.nonzero()[0].tolist() for name, vector in read_label_vectors(path).items()}


@pytest.mark.parametrize("protocol", range(5))
def test_as_numpy_pickles_it(tmp_path: Path, protocol: int) -> None:
    assert shown(written(tmp_path / "a.npy", TAGS, protocol)) == {"2007_000032": [0, 3], "2007_000039": [1]}


def test_as_numpy_saves_it(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", TAGS, allow_pickle=True)  # type: ignore[arg-type]
    assert shown(tmp_path / "a.npy") == {"2007_000032": [0, 3], "2007_000039": [1]}


def test_as_numpy_1_pickled_it(tmp_path: Path) -> None:
    path = written(tmp_path / "a.npy", TAGS, 0)
    path.write_bytes(path.read_bytes().replace(b"numpy._core", b"numpy.core"))
    assert shown(path) == {"2007_000032": [0, 3], "2007_000039": [1]}


def test_ids_that_are_numbers_become_those_of_voc(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", {2007000032: np.array([0, 1])}, allow_pickle=True)  # type: ignore[arg-type]
    assert shown(tmp_path / "a.npy") == {"2007_000032": [1]}


class Malicious:
    """Runs a command when it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> Any:
        return os.system, (self.command,)


class Evaluated(Malicious):
    def __reduce__(self) -> Any:
        return eval, (f"__import__('os').system({self.command!r})",)


@pytest.mark.parametrize("kind", [Malicious, Evaluated])
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_malicious_file_runs_nothing(tmp_path: Path, kind: type[Malicious], protocol: int) -> None:
    mark = tmp_path / "ran"
    path = written(tmp_path / "a.npy", {**TAGS, "x": kind(f"touch {mark}")}, protocol)
    with pytest.raises(UserError, match=r"asks for \w+\.(system|eval), which arrays do not need"):
        read_label_vectors(path)
    assert not mark.exists()
    np.load(path, allow_pickle=True)  # it is what it claims to be: another reader runs it
    assert mark.exists()


def test_what_numpy_offers_beside_arrays_is_refused(tmp_path: Path) -> None:
    class Other:
        def __reduce__(self) -> Any:
            return np.loadtxt, ("/etc/hostname",)

    with pytest.raises(UserError, match="loadtxt"):
        read_label_vectors(written(tmp_path / "a.npy", {"x": Other()}))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1, 2], "expected a dict of arrays, image id -> (C,), found list"),
        ({}, "found dict"),
        ({"a": np.array([0, 2])}, "'a': expected a vector of 0 and 1"),
        ({"a": np.zeros((2, 2))}, "'a': expected a vector of 0 and 1"),
        ({"a": "cat"}, "'a': expected a vector of 0 and 1"),
    ],
)
def test_another_content(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(UserError) as error:
        read_label_vectors(written(tmp_path / "a.npy", content))
    assert message in str(error.value)


def test_a_missing_or_damaged_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such table of tags"):
        read_label_vectors(tmp_path / "a.npy")
    whole = written(tmp_path / "a.npy", TAGS).read_bytes()
    for data in (b"", b"id,tags\n", whole[:-20], whole[:60], whole[:200] + b"x" + whole[201:]):
        (tmp_path / "a.npy").write_bytes(data)
        with pytest.raises(UserError, match="expected"):
            read_label_vectors(tmp_path / "a.npy")
    np.save(tmp_path / "a.npy", np.zeros((3, 20)))
    with pytest.raises(UserError, match="image id -> .*, found ndarray"):
        read_label_vectors(tmp_path / "a.npy")
