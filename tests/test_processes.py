"""Work in several processes: the same as in one, in order, a bounded part of it at a time, and nobody left behind."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fault_table import said

from wsss_steps.data.manifest import Entry
from wsss_steps.errors import UserError
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.methods import per_image
from wsss_steps.methods.per_image import Arrays
from wsss_steps.ops import crf as dense
from wsss_steps.processes import FEWEST, Later, Workers, allowed, now, then
from wsss_steps.settings import crf

COUNT = 3 * FEWEST  # images enough for three processes
ENTRIES = [Entry(f"i{number:02}", "train", f"{number}.jpg", 12, 16, (1,)) for number in range(COUNT)]


def slow_first(number: int) -> int:
    """The square of a number; the later, the sooner."""
    time.sleep(0.02 * (number == 0))
    return number * number


def failing(number: int) -> int:
    if number == 5:
        raise UserError("number 5 is bad")
    return number


def hungry(number: int) -> Any:
    return np.empty(2**56, np.uint8) if number == 5 else number


def dying(number: int) -> int:
    if number == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def about(_: object) -> tuple[int, bool, list[str]]:
    main = sys.modules["__main__"]
    return os.getpid(), "torch" in sys.modules, [getattr(main, "__file__", ""), os.environ["OMP_NUM_THREADS"]]


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> Any:
    return lambda number: monkeypatch.setenv("OMP_NUM_THREADS", str(number))


def values(function: Any, count: int = COUNT) -> list[Any]:
    with Workers(count) as workers:
        begun = (workers.begin(Later(functools.partial(function, number))) for number in range(count))
        return [result() for result in workers.in_order(begun)]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_values_come_in_order(number: int, threads: Any) -> None:
    threads(number)
    assert values(slow_first) == [number * number for number in range(COUNT)]


def test_workers_are_other_processes_without_torch_of_one_thread(threads: Any) -> None:
    """And without the main module, which is a step that imports torch."""
    threads(2)
    found = values(about)
    assert os.getpid() not in {process for process, *_ in found}
    assert all(not torch and rest == ["", "1"] for _, torch, rest in found)


@pytest.mark.parametrize(("number", "count"), [(1, COUNT), (8, FEWEST), (8, 2 * FEWEST - 1)])
def test_one_process_or_few_values_need_no_other(number: int, count: int, threads: Any) -> None:
    threads(number)
    assert {process for process, *_ in values(about, count)} == {os.getpid()}


def test_values_that_are_there_need_no_other_process(threads: Any) -> None:
    threads(4)
    with Workers(COUNT) as workers:
        started: list[int] = []
        for result in workers.in_order(workers.begin(_noted(started, number)) for number in range(COUNT)):
            assert result() == len(started) - 1  # nothing is read ahead
        assert workers._pool is None


def _noted(started: list[int], number: int) -> int:
    started.append(number)
    return number


def test_a_bounded_number_of_values_is_begun(threads: Any) -> None:
    threads(2)
    started: list[int] = []
    with Workers(COUNT) as workers:
        begun = (workers.begin(Later(functools.partial(abs, _noted(started, number)))) for number in range(COUNT))
        ahead = []
        for done, result in enumerate(workers.in_order(begun)):
            ahead.append(len(started) - done)
            assert result() == done
    assert max(ahead) == ahead[0] == 5  # the one that is taken, and two for each process


def test_what_is_made_of_a_later_value_is_made_here(threads: Any) -> None:
    threads(2)
    with Workers(COUNT) as workers:
        value = then(then(Later(functools.partial(abs, -3)), lambda found: found + os.getpid()), str)
        assert workers.begin(value)() == now(value) == str(3 + os.getpid())
    assert then(3, str) == "3"


def test_as_many_processes_as_threads(threads: Any) -> None:
    threads(3)
    assert (allowed(), Workers(10**6).processes, Workers(2 * FEWEST).processes) == (3, 3, 2)
    for odd in ("", "0", "2,1"):
        threads(odd)
        assert allowed() == os.cpu_count()


# ---- the loop over images


def make(function: Any, entry: Entry, _: object) -> Later[Arrays]:
    later = Later(functools.partial(function, int(entry.id[1:])))
    return then(later, lambda number: {"seeds": np.full((12, 16), number, np.uint8)})  # type: ignore[return-value]


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize(
    ("function", "message"),
    [
        (failing, "number 5 is bad"),
        (
            hungry,
            "image 'i05' of 12 x 16 px .*: out of memory .asked for 64 PiB.; lower scales, make the image smaller",
        ),
    ],
)
def test_faults_are_those_of_one_process(
    function: Any, message: str, number: int, threads: Any, tmp_path: Path
) -> None:
    threads(number)
    with pytest.raises(UserError, match=message):
        per_image.write(
            tmp_path / "s.h5", SEEDS, ENTRIES, functools.partial(make, function), lowers="scales", stamp="{}"
        )
    assert not list(tmp_path.iterdir())


def test_a_worker_that_is_killed_names_the_image_or_one_near_it(threads: Any, tmp_path: Path) -> None:
    threads(2)
    with pytest.raises(UserError, match=r"image 'i0[1-9]' of 12 x 16 px") as caught:
        per_image.write(tmp_path / "s.h5", SEEDS, ENTRIES, functools.partial(make, dying), stamp="{}")
    said(
        "a worker process was killed, at this image or one near it in the list, probably out of memory; <ways out>",
        caught.value,
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ended", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_no_worker_outlives_the_step(ended: int, tmp_path: Path) -> None:
    """However it ends; its workers sleep, or wait for work."""
    script = (
        "import functools, os, signal, time\n"
        "from wsss_steps.processes import Later, Workers\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # tests in the background of a shell ignore Ctrl-C
        "with Workers(100) as workers:\n"
        "    done = [workers.begin(Later(os.getpid)) for _ in range(4)]\n"
        "    print(*{result() for result in done}, flush=True)\n"
        "    time.sleep(60)\n"
    )
    environment = os.environ | {"OMP_NUM_THREADS": "2", "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    with subprocess.Popen(
        [sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        workers = [int(number) for number in process.stdout.readline().split()]
        assert workers
        process.send_signal(ended)
        process.wait(20)
        assert list(gone(workers)) == []


def gone(processes: list[int]) -> Iterator[int]:
    """Those that are still there after a while."""
    end = time.monotonic() + 20
    for process in processes:
        while Path(f"/proc/{process}").exists() and time.monotonic() < end:
            time.sleep(0.05)
        if Path(f"/proc/{process}").exists():
            yield process


def maps_by_crf(folder: Path) -> bytes:
    rng = np.random.default_rng(0)
    images = {entry.id: rng.integers(0, 256, (12, 16, 3), dtype=np.uint8) for entry in ENTRIES}
    scores = {entry.id: rng.random((4, 12, 16), dtype=np.float32) for entry in ENTRIES}
    preset = dense.preset_of(crf.numbers("deeplab"))

    def refined(entry: Entry, _: object) -> Any:
        call = functools.partial(dense.strongest, images[entry.id], scores[entry.id], preset)
        return then(Later(call), lambda labels: {"maps": labels})

    per_image.write_label_maps({"maps": folder}, ENTRIES, refined, stamp="{}")
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


def test_label_maps_have_the_same_bytes_for_any_number_of_processes(threads: Any, tmp_path: Path) -> None:
    found = set()
    for number in (1, 2, 3):
        threads(number)
        found.add(maps_by_crf(tmp_path / str(number)))
    assert len(found) == 1
    assert len(list((tmp_path / "3").glob("*.png"))) == COUNT
