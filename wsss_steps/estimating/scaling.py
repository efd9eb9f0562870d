"""From what a job spent on a slice to what it will spend on all images.

A job is a fixed part (start, imports, weights) and loops. A loop over images costs the mean of its items, as often as
there are images; a training the median cost of an image in a step, as often as images are seen. That is CPU time, which
other programs disturb little; seconds follow from it by how long a CPU second took. How far it may be wrong is said by
the spread of the items: two standard errors, but never less than `LEAST`.
"""

from __future__ import annotations

import csv
import json
import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from wsss_steps import measuring

LEAST = 0.10  # relative: what another run of the same on the same machine may differ by
FEW, OF_FEW = 3, 0.3  # of fewer steps or images than that, the spread tells nothing: it is taken to be this
OF_A_START = 2.0  # seconds in which a job waits for files before its loops
SMALLEST = 1e-6  # seconds that a clock can tell
STEPS = measuring.TRAINING


@dataclass(frozen=True)
class Spent:
    """What a job spent: seconds, CPU seconds, memory in MB, and its loops as `measuring` wrote them."""

    seconds: float
    cpu_seconds: float
    memory_mb: float
    loops: tuple[measuring.Loop, ...] = ()


@dataclass(frozen=True)
class Size:
    """How much there is for a job.

    `ratio` is how many times the items of the slice its loops over images have, `seen` the images that a training sees,
    `batch` those of its steps: memory grows with them.
    """

    ratio: float
    seen: int = 0
    batch: int = 0


@dataclass(frozen=True)
class Cost:
    """An estimate: the middle, and how far seconds may be off as a share. `grows`: it may need more than that."""

    seconds: float
    cpu_seconds: float
    memory_mb: float
    spread: float = 0.0
    grows: bool = False

    def times(self, jobs: int) -> Cost:
        """The cost of so many such jobs, one after the other."""
        return replace(self, seconds=self.seconds * jobs, cpu_seconds=self.cpu_seconds * jobs)


def read_spent(log: Path, benchmark: Path) -> Spent | None:
    """What a job left beside its log, with Snakemake's own measure of its seconds and memory where there is one.

    None if the job failed or never began.
    """
    path = Path(f"{log}{measuring.SUFFIX}")
    if not path.is_file():
        return None
    content = json.loads(path.read_text(encoding="utf-8"))
    loops = tuple(measuring.Loop(**loop) for loop in content["loops"])
    seconds, memory = _by_snakemake(benchmark)
    return Spent(max(content["seconds"], seconds), content["cpu_seconds"], max(content["memory_mb"], memory), loops)


def _by_snakemake(benchmark: Path) -> tuple[float, float]:
    """Seconds and memory in MB of a table of Snakemake's; 0 for what it could not measure."""
    if not benchmark.is_file():
        return 0.0, 0.0
    with benchmark.open(encoding="utf-8", newline="") as file:
        row = next(csv.DictReader(file, delimiter="\t"), {})
    found = [row.get(name, "") for name in ("s", "max_rss")]
    seconds, memory = (float(text) if text not in ("", "-", "NA") else 0.0 for text in found)
    return seconds, memory


def per_item(loop: measuring.Loop) -> tuple[float, float]:
    """CPU seconds of an image, and two standard errors of it as a share.

    Images differ, so that their mean counts; steps of a training do not, so that their median does, which passes over
    the first of each kind, when libraries choose their algorithms. Of three or more images the first is left out.
    """
    first = 1 if len(loop.seconds) >= FEW else 0
    pairs = zip(loop.cpu_seconds[first:], loop.sizes[first:], strict=True)
    each = [max(spent, SMALLEST) / size for spent, size in pairs]
    middle = statistics.median(each) if loop.what == STEPS else statistics.fmean(each)
    if len(each) < FEW:
        return middle, OF_FEW
    error = statistics.stdev(each) / math.sqrt(len(each))
    return middle, max(LEAST, min(2 * error / middle, 1.0))


def seconds_per_cpu_second(loop: measuring.Loop) -> float:
    """How long a CPU second takes, less than 1 with several threads: the lower quartile of the items.

    Other programs that compute at the same time make items longer; in the quietest quarter they did so least.
    """
    ratios = sorted(taken / max(spent, SMALLEST) for taken, spent in zip(loop.seconds, loop.cpu_seconds, strict=True))
    return ratios[len(ratios) // 4]


def scaled(spent: Spent, size: Size, *, threads: int = 1, busy: bool = False) -> Cost:
    """What the job will spend on `size`, with so many threads.

    Calls that worker processes make (`Loop.later`), which were measured in one process, are shared out to the threads.
    busy: other programs had the cores while it was measured: on a machine of its own a job without a GPU takes hardly
    longer than its CPU time, so that is the most that is taken to be.
    """
    loops = [loop for loop in spent.loops if loop.seconds]
    if not loops:
        return Cost(spent.seconds, spent.cpu_seconds, spent.memory_mb, LEAST, grows=True)
    fixed = max(spent.seconds - sum(sum(loop.seconds) for loop in loops), 0.0)
    fixed_cpu = max(spent.cpu_seconds - sum(sum(loop.cpu_seconds) for loop in loops), 0.0)
    fixed = min(fixed, fixed_cpu + OF_A_START) if busy else fixed
    parts = [_part(loop, size, threads, busy) for loop in loops]
    return Cost(
        fixed + sum(taken for taken, _, _ in parts),
        fixed_cpu + sum(cpu for _, cpu, _ in parts),
        spent.memory_mb,
        max(share for _, _, share in parts),
        grows=size.batch > _largest(loops),
    )


def start_of(spent: Spent) -> tuple[float, float]:
    """Seconds and CPU seconds before and between the loops of a job."""
    cost = scaled(spent, Size(0.0))
    return cost.seconds, cost.cpu_seconds


def _part(loop: measuring.Loop, size: Size, threads: int, busy: bool) -> tuple[float, float, float]:
    """Seconds of a loop, its CPU seconds, and the spread."""
    each, spread = per_item(loop)
    cpu = each * (size.seen if loop.what == STEPS else sum(loop.sizes) * size.ratio)
    ratio = seconds_per_cpu_second(loop)
    taken = cpu * (min(ratio, 1.0) if busy else ratio)
    later = taken * min(loop.later / max(sum(loop.seconds), SMALLEST), 1.0)
    return max(taken - later, later / max(threads, 1)), cpu, spread


def _largest(loops: list[measuring.Loop]) -> int:
    """Images in the largest batch of a training."""
    return max((max(loop.sizes) for loop in loops if loop.what == STEPS), default=1)


def wall(jobs: Mapping[str, tuple[float, int, bool]], needs: Mapping[str, set[str]], cores: int, gpus: int) -> float:
    """Seconds until the last job is done, each started as soon as what it needs is there and cores are free.

    jobs: seconds, threads, and whether it wants a GPU, by a name, in the order of preference. gpus: how many there are;
    0 for none, when a job that would like one computes on its threads.
    """
    waiting, running = dict(jobs), dict[str, float]()
    done, now = set[str](), 0.0
    while waiting or running:
        free = cores - sum(min(jobs[name][1], cores) for name in running)
        idle = gpus - sum(jobs[name][2] for name in running)
        for name in [one for one in waiting if needs.get(one, set()) <= done]:
            seconds, threads, gpu = waiting[name]
            if min(threads, cores) <= free and (not gpu or not gpus or idle > 0):
                del waiting[name]
                running[name] = now + seconds
                free -= min(threads, cores)
                idle -= gpu
        if not running:
            raise ValueError(f"jobs that need what no job makes, or each other: {sorted(waiting)}")
        now = min(running.values())
        for name in [one for one, end in running.items() if end <= now]:
            del running[name]
            done.add(name)
    return now
