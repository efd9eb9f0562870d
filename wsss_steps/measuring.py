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
"""Environment variable: if it is set, every step leaves `<log>.spent.json`."""
SUFFIX = ".spent.json"
KILOBYTES = 1024 if sys.platform != "darwin" else 1024**2  # of `ru_maxrss` in a MB


@dataclass
class Loop:
    """A loop that went through `progress.track`: seconds and size of each item, as many images as a batch holds."""

    what: str
    cpu_before: float
    """CPU seconds that the job had spent when the loop began."""
    seconds: list[float] = field(default_factory=list)
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


def watched(items: Iterable[Item], what: str) -> Iterator[Item]:
    """Yield `items`, and note how long whoever iterates has each of them."""
    loop = Loop(what, _cpu())
    _loops.append(loop)
    last = time.monotonic()
    for item in items:
        yield item
        now = time.monotonic()
        loop.seconds.append(now - last)
        loop.sizes.append(_size(item))
        last = now


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
    return sum(os.times()[:4])


def _write(path: Path, begun: float) -> None:
    peaks = [resource.getrusage(who).ru_maxrss / KILOBYTES for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    content = {
        "seconds": time.monotonic() - begun,
        "cpu_seconds": _cpu(),
        "memory_mb": sum(peaks),
        "loops": [asdict(loop) for loop in _loops],
    }
    path.write_text(json.dumps(content), encoding="utf-8")
