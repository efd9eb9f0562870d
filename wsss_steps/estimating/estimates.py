"""Rows of an estimate: every job of the plan with the cost of the job of the slice that stands for it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wsss_steps.estimating.plans import Job
from wsss_steps.estimating.reports import Estimate, Row, in_order
from wsss_steps.estimating.scaling import Cost, Spent, read_spent, scaled, start_of, wall
from wsss_steps.estimating.sizes import TRAININGS, Sizes
from wsss_steps.estimating.slices import Names

WITHOUT_GROWTH = (*TRAININGS, "pretrain_keys", "write_report", "draw_gallery", "draw_plots", "summarise")
"""Steps whose outputs do not grow with the images, or hardly."""
TEMPORARY = "extract_keys"
NOT_OF_A_SLICE = ("shard_manifest", "join_stores", "join_label_maps")
Key = tuple[str, str]


@dataclass(frozen=True)
class Measured:
    """What a job of the slice spent, and the bytes that it left."""

    spent: Spent
    disk: int


def measured(jobs: Sequence[Job]) -> dict[Key, Measured]:
    """By step and what it is of, the jobs of the slice that came to an end."""
    found: dict[Key, Measured] = {}
    for job in jobs:
        spent = read_spent(Path(job.log), Path(job.benchmark)) if job.log else None
        if spent is not None and all(Path(path).exists() for path in job.outputs):
            found[job.key] = Measured(spent, sum(bytes_of(Path(path)) for path in job.outputs))
    return found


def bytes_of(path: Path) -> int:
    """Bytes of a file, or of all files below a folder."""
    if not path.is_dir():
        return path.stat().st_size
    return sum((Path(folder) / name).stat().st_size for folder, _, names in os.walk(path) for name in names)


def estimate(
    plan: Sequence[Job],
    found: Mapping[Key, Measured],
    names: Names,
    sizes: Sizes,
    *,
    cores: int,
    gpus: int,
    keeps_features: bool,
    busy: bool = False,
    notes: Sequence[str] = (),
) -> Estimate:
    """The estimate of a plan.

    found: of the slice. busy: see `scaling.scaled`. cores, gpus: of the run; without a GPU there is no time on one.
    """
    jobs: dict[Key, list[Job]] = {}
    for job in plan:
        jobs.setdefault(job.key, []).append(job)
    costs = {key: _cost(some, found, names, sizes, busy) for key, some in jobs.items()}
    rows = [_row(jobs[key], costs[key], gpus) for key in jobs]
    merged = in_order(_merged(rows, names))
    temporary = 0.0 if keeps_features else sum(row.disk_bytes or 0.0 for row in merged if row.step == TEMPORARY)
    return Estimate(merged, cores, _wall(plan, jobs, costs, cores, gpus), temporary, list(notes))


Estimated = tuple[Cost, float] | None  # cost of all shards, and bytes


def _cost(jobs: Sequence[Job], found: Mapping[Key, Measured], names: Names, sizes: Sizes, busy: bool) -> Estimated:
    """Cost and bytes of the jobs of all shards; None if the slice has no such job, or it failed."""
    job = jobs[0]
    known = found.get((job.step, names.of(job.of)))
    if known is None:
        return None
    cost = scaled(known.spent, sizes.of(job), threads=job.threads, busy=busy)
    start, start_cpu = start_of(known.spent)
    further = len(jobs) - 1  # every shard starts a process of its own, and loads what the first one does
    cost = dataclasses.replace(
        cost, seconds=cost.seconds + further * start, cpu_seconds=cost.cpu_seconds + further * start_cpu
    )
    growth = 1.0 if job.step in WITHOUT_GROWTH else sizes.ratio(job)
    return cost, known.disk * growth


def _row(jobs: Sequence[Job], cost: Estimated, gpus: int) -> Row:
    job = jobs[0]
    if cost is None:
        small = job.step in NOT_OF_A_SLICE
        why = "not measured: seconds, and little disk" if small else "could not be measured: see the notes"
        return Row(job.step, job.of, len(jobs), note=why)
    of_all, disk = cost
    gpu = of_all.seconds if gpus and job.gpu else None
    note = "" if not of_all.grows else "memory: more, of larger batches" if job.step in TRAININGS else "at least"
    return Row(
        job.step,
        job.of,
        len(jobs),
        of_all.cpu_seconds,
        of_all.seconds,
        of_all.spread,
        of_all.memory_mb,
        disk,
        gpu,
        note,
    )


def _merged(rows: Sequence[Row], names: Names) -> list[Row]:
    """One row for jobs that differ in their random seeds or epochs alone, and for the scores of a step's artifacts."""
    groups: dict[Key, list[Row]] = {}
    for row in rows:
        key = (row.step, "") if row.step.startswith("evaluate") else (row.step, names.of(row.of))
        groups.setdefault(key, []).append(row)
    return [_sum(step, of or _common(group), group) for (step, of), group in groups.items()]


def _common(group: Sequence[Row]) -> str:
    return group[0].of if len(group) == 1 else ""


def _sum(step: str, of: str, group: Sequence[Row]) -> Row:
    """Rows added up; the largest memory, and the notes."""
    jobs = sum(row.jobs for row in group)
    note = "; ".join(dict.fromkeys(row.note for row in group if row.note))
    known = [row for row in group if row.seconds is not None]
    if not known:
        return Row(step, of, jobs, note=note)

    def total(name: str) -> float:
        return sum(getattr(row, name) or 0.0 for row in known)

    return Row(
        step,
        of,
        jobs,
        total("cpu_seconds"),
        total("seconds"),
        max(row.spread or 0.0 for row in known),
        max(row.memory_mb or 0.0 for row in known),
        total("disk_bytes"),
        total("gpu_seconds") or None,
        note,
    )


def _wall(
    plan: Sequence[Job], jobs: Mapping[Key, Sequence[Job]], costs: Mapping[Key, Estimated], cores: int, gpus: int
) -> float:
    """Seconds of the whole run; a job that was not measured takes none."""
    makers = {path: f"{number}" for number, job in enumerate(plan) for path in job.outputs}
    needs = {f"{number}": {makers[one] for one in job.inputs if one in makers} for number, job in enumerate(plan)}
    table = {}
    for number, job in enumerate(plan):
        cost = costs[job.key]
        seconds = 0.0 if cost is None else cost[0].seconds / len(jobs[job.key])
        table[f"{number}"] = (seconds, job.threads, job.gpu)
    return wall(table, needs, cores, gpus)
