"""Full disks, read-only folders, killed and competing writers: finished artifacts stay intact."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tiny_voc
from fault_table import said

from wsss_steps.data.manifest import read_manifest
from wsss_steps.formats.files import HOST, whole, write_text
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.formats.labels import read_labels
from wsss_steps.formats.stores import Store

WRITERS = """
import os, signal, sys, time
from pathlib import Path
import numpy as np
from wsss_steps.formats.files import whole, write_json, write_text
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.formats.labels import write_labels
from wsss_steps.formats.stores import write_store
folder, kind = Path(sys.argv[1]), sys.argv[2]
rng = np.random.default_rng(0)
noise = lambda: rng.integers(0, 256, (100, 100), dtype=np.uint8)
def slow(number):
    if len(sys.argv) > 3 and number == 20:
        (folder / "half").touch()
        time.sleep(float(sys.argv[3]))
    return noise()
if kind == "store":
    write_store(folder / "s.h5", SEEDS, ((str(i), {"seeds": slow(i)}) for i in range(40)), stamp="{}")
elif kind == "labels":
    with whole(folder / "labels") as place:
        place.mkdir()
        write_json(place / "provenance.json", {})
        for i in range(40):
            write_labels(place / f"{i}.png", slow(i))
elif kind == "weights":
    import torch
    from wsss_steps.formats.weights import write_weights
    write_weights(folder / "w.safetensors", "classifier", {"a": torch.rand(99999)}, content={}, stamp="{}")
else:
    write_text(folder / "t.csv", "x" * 400_000)
"""
KINDS = {"store": "s.h5", "labels": "labels", "weights": "w.safetensors", "text": "t.csv"}
LIMIT = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"


def command(repository: Path, folder: Path, *words: str, before: str = "") -> tuple[list[str], dict[str, str]]:
    environment = {**os.environ, "PYTHONPATH": str(repository), "OMP_NUM_THREADS": "1"}
    return [sys.executable, "-c", textwrap.dedent(before + WRITERS), str(folder), *words], environment


def write(repository: Path, folder: Path, *words: str, before: str = "") -> subprocess.CompletedProcess[str]:
    line, environment = command(repository, folder, *words, before=before)
    return subprocess.run(line, env=environment, capture_output=True, text=True, check=False)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 200 kB, if this user may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    done = mount and subprocess.run([mount, "-t", "tmpfs", "-o", "size=200k", "tmpfs", place], capture_output=True)
    if not done or done.returncode:
        pytest.skip("this user may not mount a small disk; the limit of file sizes is tried instead")
    yield place
    subprocess.run(["umount", place], check=True)


FULL = "<file>: cannot be written: No space left on device (<free> MB are free); nothing half-written is left"


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_disk(kind: str, small_disk: Path, repository: Path) -> None:
    done = write(repository, small_disk, kind)
    said(FULL, done.stderr)
    assert KINDS[kind] in done.stderr
    assert done.stderr.count("Traceback") == 1, "more than the error itself"
    assert (done.returncode, files(small_disk)) == (1, [])


@pytest.mark.parametrize("kind", ["store", "weights", "text"])
def test_a_limit_of_file_sizes_keeps_the_former_file(kind: str, tmp_path: Path, repository: Path) -> None:
    """A second way to a full disk, which needs no privileges."""
    assert write(repository, tmp_path, kind).returncode == 0
    before = (tmp_path / KINDS[kind]).read_bytes()
    done = write(repository, tmp_path, kind, before=LIMIT)
    said("<file>: cannot be written: File too large (<free> MB are free); nothing half-written is left", done.stderr)
    assert done.returncode == 1, "no crash"
    assert done.stderr.count("Traceback") == 1
    assert files(tmp_path) == [KINDS[kind]]
    assert (tmp_path / KINDS[kind]).read_bytes() == before


def test_a_full_disk_in_a_step(small_disk: Path, tmp_path: Path, repository: Path) -> None:
    """From the command line: one line, no traceback, exit status 1."""
    root = tiny_voc.make_voc(tmp_path / "voc")
    (small_disk / "filler").write_bytes(bytes(204_800))
    done = prepare(repository, root, small_disk)
    said(FULL, done.stderr)
    assert "ERROR " in done.stderr
    assert "Traceback" not in done.stderr
    assert (done.returncode, files(small_disk)) == (1, ["filler"])


def prepare(repository: Path, root: Path, folder: Path, *before: str) -> subprocess.CompletedProcess[str]:
    line = [*before, sys.executable, "-m", "wsss_steps.prepare", *tiny_voc.prepare_words(root, folder / "m.json")]
    return subprocess.run(line, cwd=repository, capture_output=True, text=True, check=False)


def test_a_folder_without_the_right_to_write(tmp_path: Path, repository: Path) -> None:
    """Root may write anywhere: it drops that privilege first, or the test is skipped."""
    before = []
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root ignores the modes of files, and there is no setpriv to give that up")
        before = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    root = tiny_voc.make_voc(tmp_path / "voc")
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(0o555)
    done = prepare(repository, root, closed, *before)
    closed.chmod(0o755)
    said("ERROR <file>: cannot be written: Permission denied (<free> MB are free)", done.stderr)
    assert "Traceback" not in done.stderr
    assert (done.returncode, files(closed)) == (1, [])


def test_a_file_where_a_folder_should_be(tmp_path: Path, repository: Path) -> None:
    (tmp_path / "results").write_text("")
    done = prepare(repository, tiny_voc.make_voc(tmp_path / "voc"), tmp_path / "results")
    said("ERROR <file>: cannot be written: a file is where a folder should be", done.stderr)


def await_file(path: Path) -> None:
    for _ in range(600):
        if path.exists():
            return
        time.sleep(0.05)
    raise TimeoutError(path)


@pytest.mark.parametrize("kind", ["store", "labels"])
def test_a_writer_killed_midway_leaves_the_former_artifact(kind: str, tmp_path: Path, repository: Path) -> None:
    assert write(repository, tmp_path, kind).returncode == 0
    line, environment = command(repository, tmp_path, kind, "60")
    with subprocess.Popen(line, env=environment) as writer:
        await_file(tmp_path / "half")
        writer.send_signal(signal.SIGKILL)
    left = [name for name in files(tmp_path) if name.endswith(".tmp")]
    assert len(left) == 1, "what was half-written lies beside the former one"
    check_whole(tmp_path, kind)
    (tmp_path / "half").unlink()
    assert write(repository, tmp_path, kind).returncode == 0
    assert files(tmp_path) == [KINDS[kind]], "the next writer removes it"
    check_whole(tmp_path, kind)


def check_whole(folder: Path, kind: str) -> None:
    """Raise unless the finished artifact has all of its 40 images, each readable."""
    if kind == "labels":
        assert all(read_labels(folder / "labels" / f"{i}.png").shape == (100, 100) for i in range(40))
        return
    with Store(folder / "s.h5", SEEDS) as store:
        assert len([store[name]["seeds"] for name in store.ids()]) == 40


@pytest.mark.parametrize("kind", ["store", "labels"])
def test_two_writers_of_one_artifact(kind: str, tmp_path: Path, repository: Path) -> None:
    """As when Snakemake was killed and its jobs run on: each writes its own file, and the later one's stays, intact."""
    lines = [command(repository, tmp_path, kind, pause) for pause in ("0.6", "0.9")]
    writers = [subprocess.Popen(line, env=environment) for line, environment in lines]
    assert [writer.wait() for writer in writers] == [0, 0]
    (tmp_path / "half").unlink()
    assert files(tmp_path) == [KINDS[kind]]
    check_whole(tmp_path, kind)


def test_the_temporary_file_of_a_living_writer_is_left_alone(tmp_path: Path) -> None:
    living = tmp_path / f".t.csv.{HOST}.{os.getppid()}.tmp"
    elsewhere = tmp_path / ".t.csv.some-other-host.1.tmp"
    for path in (living, elsewhere):
        path.touch()
    write_text(tmp_path / "t.csv", "x")
    assert files(tmp_path) == sorted([living.name, elsewhere.name, "t.csv"])


def test_a_process_killed_between_the_temporary_file_and_its_name(tmp_path: Path, repository: Path) -> None:
    """Its temporary file is complete, but never taken for the artifact."""
    kill = (
        "import os, signal; from wsss_steps.formats import files\n"
        "files.publish = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert write(repository, tmp_path, "store").returncode == 0
    assert write(repository, tmp_path, "store", before=kill).returncode == -signal.SIGKILL
    assert len(files(tmp_path)) == 2
    check_whole(tmp_path, "store")
    assert write(repository, tmp_path, "store").returncode == 0
    assert files(tmp_path) == ["s.h5"]


def test_the_manifest_is_readable_after_a_failed_second_run(tmp_path: Path, repository: Path) -> None:
    root = tiny_voc.make_voc(tmp_path / "voc")
    assert prepare(repository, root, tmp_path).returncode == 0
    (root / "JPEGImages" / "t0.jpg").write_bytes(b"")
    assert prepare(repository, root, tmp_path).returncode == 1
    assert len(read_manifest(tmp_path / "m.json").entries) == 3
    assert np.isfinite([entry.height for entry in read_manifest(tmp_path / "m.json").entries]).all()


def test_a_folder_that_the_workflow_did_not_make_is_never_replaced(tmp_path: Path, repository: Path) -> None:
    """Such as a user's photographs, given as the output of a step by mistake."""
    photographs = tmp_path / "photographs"
    photographs.mkdir()
    (photographs / "cat.jpg").write_bytes(b"precious")
    words = ["--output", str(photographs), "--settings", '{"train": 1, "val": 1, "size": 64, "seed": 0}']
    line = [sys.executable, "-m", "wsss_steps.make_example", *words]
    done = subprocess.run(line, cwd=repository, capture_output=True, text=True, check=False)
    said("<folder>: expected no folder, or one that this workflow made, found one without provenance.json", done.stderr)
    assert (done.returncode, files(tmp_path), files(photographs)) == (1, ["photographs"], ["cat.jpg"])


def test_a_folder_moved_aside_by_a_killed_process_is_removed(tmp_path: Path) -> None:
    """Killed after moving the previous folder aside: the next process that writes the same one removes it."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left = [tmp_path / f".maps.{middle}{HOST}.{dead.pid}.tmp" for middle in ("former.", "")]
    for path in left:
        path.mkdir()
        (path / "a.png").write_bytes(b"x")
    with whole(tmp_path / "maps") as folder:
        folder.mkdir()
    assert files(tmp_path) == ["maps"]
