"""What a job spends, item by item, for the command `estimate`: written beside its log if the environment asks for it.

Snakemake's benchmarks know a job as a whole; what an image or a training step costs, apart from the seconds in which a
job starts, is known to its loops alone. It decides no number of any artifact.
"""

from __future__ import annotations

import atexit
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

VARIABLE = "WSSS_STEPS_MEASURE"
"""Environment variable: if it is set, every step leaves `<log>.spent.json`. It holds the epochs of every training."""
TRAINING = "training steps"  # what `training.loop` calls its loop
ENOUGH = 20.0  # seconds of a training after which its next epoch is not begun
SUFFIX = ".spent.json"
KILOBYTES = 1024 if sys.platform != "darwin" else 1024**2  # of `ru_maxrss` in a MB


@dataclass
class Loop:
    """A loop that went through `progress.track`: of each item seconds, CPU seconds, and how many images it holds."""

    what: str
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    later: float = 0.0
    """Of these seconds, those of calls that worker processes make otherwise (`processes.Later`)."""


_loops: list[Loop] = []


def active() -> bool:
    """Whether jobs are measured."""
    return bool(os.environ.get(VARIABLE))


def start(log: Path) -> None:
    """Write what the job spent beside its log when it ends, if jobs are measured."""
    if active():
        atexit.register(_write, Path(f"{log}{SUFFIX}"), time.monotonic())


def watched(items: Iterable[Item], what: str, total: int) -> Iterator[Item]:
    """Yield `items`, and note how long whoever iterates has each of them; of a slow training, whole epochs of it."""
    loop = Loop(what)
    _loops.append(loop)
    last, spent = time.monotonic(), _cpu()
    for item in items:
        yield item
        now, so_far = time.monotonic(), _cpu()
        loop.seconds.append(now - last)
        loop.cpu_seconds.append(so_far - spent)
        loop.sizes.append(_size(item))
        last, spent = now, so_far
        if what == TRAINING and sum(loop.seconds) > ENOUGH and len(loop.seconds) % _steps(total) == 0:
            return


def _steps(total: int) -> int:
    """Steps of an epoch, if the slice trains for so many steps."""
    return max(total // int(os.environ.get(VARIABLE, "1")), 1)


def later(call: Callable[[Any], Result], value: Any) -> Result:
    """`call(value)`, its time noted as that of a worker process."""
    begun = time.monotonic()
    result = call(value)
    if _loops:
        _loops[-1].later += time.monotonic() - begun
    return result


def _size(item: object) -> int:
    """Images of a batch of a training; 1 of every other item."""
    return len(item["images"]) if isinstance(item, dict) and "images" in item else 1


def _cpu() -> float:
    """CPU seconds of this process and of those that it has waited for."""
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def _write(path: Path, begun: float) -> None:
    content = {
        "seconds": time.monotonic() - begun,
        "cpu_seconds": _cpu(),
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KILOBYTES,
        "loops": [asdict(loop) for loop in _loops],
    }
    path.write_text(json.dumps(content), encoding="utf-8")
