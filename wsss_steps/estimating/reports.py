"""The rows of an estimate, one per step and choice, and how they are shown."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from wsss_steps.formats.files import write_text

STEPS = (
    *("make_example", "convert_tags", "prepare", "shard_manifest", "make_saliency_example", "prepare_strong"),
    *("pretrain_keys", "extract_keys", "make_superpixels", "train_saliency", "predict_saliency"),
    *("train_classifier", "make_cams", "train_refiner", "refine_cams", "refine_saliency", "make_seeds", "label_seeds"),
    *("train_segmenter", "make_pseudo_labels", "predict", "join_stores", "join_label_maps"),
)
"""In the order of a run; what is not named here, evaluation and report, comes last."""
GIGABYTE = 1e9
MINUTE, HOUR = 60, 3600


@dataclass(frozen=True)
class Row:
    """A step and what it is of, the jobs of all random seeds and shards together.

    `spread` is how far times may be off, as a share. `note` says what the numbers do not. Numbers are None if the job
    was not measured, and `note` says why.
    """

    step: str
    of: str
    jobs: int
    cpu_seconds: float | None = None
    seconds: float | None = None
    spread: float | None = None
    memory_mb: float | None = None
    disk_bytes: float | None = None
    gpu_seconds: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Estimate:
    """All rows, seconds of the whole run with its cores, what to know of it, and what of the disk is deleted again."""

    rows: Sequence[Row]
    cores: int
    wall_seconds: float
    temporary_bytes: float
    notes: Sequence[str] = field(default_factory=list)

    @property
    def unmeasured(self) -> list[Row]:
        """Rows without numbers."""
        return [row for row in self.rows if row.seconds is None]

    def total(self, name: str) -> float:
        """The sum of a column."""
        return sum(getattr(row, name) or 0.0 for row in self.rows)

    def off_by(self) -> float:
        """How far the CPU time may be off, as a share: the rows' shares weighted by their times."""
        cpu = self.total("cpu_seconds")
        return sum((row.spread or 0.0) * (row.cpu_seconds or 0.0) for row in self.rows) / cpu if cpu else 0.0


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Rows in the order of a run."""
    places = {step: place for place, step in enumerate(STEPS)}
    return sorted(rows, key=lambda row: (places.get(row.step, len(STEPS)), row.step, row.of))


def spell_time(seconds: float) -> str:
    """`40 s`, `12 min`, `3.4 h`, `150 h`."""
    if seconds < 2 * MINUTE:
        return f"{seconds:.0f} s" if seconds >= 1 else "< 1 s"
    if seconds < 2 * HOUR:
        return f"{seconds / MINUTE:.0f} min"
    return f"{seconds / HOUR:.1f} h" if seconds < 100 * HOUR else f"{seconds / HOUR:,.0f} h"


def spell_bytes(count: float) -> str:
    """`12 KB`, `3.4 MB`, `48 GB`."""
    for unit, size in (("TB", 1e12), ("GB", GIGABYTE), ("MB", 1e6), ("KB", 1e3)):
        if count >= size:
            return f"{count / size:.0f} {unit}" if count >= 10 * size else f"{count / size:.1f} {unit}"
    return f"{count:.0f} B"


def _range(seconds: float, spread: float) -> str:
    """The least and the most that a time may be."""
    return f"{spell_time(seconds * max(0.0, 1 - spread))} to {spell_time(seconds * (1 + spread))}"


def lines(found: Estimate) -> list[str]:
    """The table, its totals, and what to know of it."""
    gpu = any(row.gpu_seconds for row in found.rows)
    head = [
        "step",
        "of",
        "jobs",
        "CPU time",
        "from - to",
        "of a job",
        *(["on GPU"] if gpu else []),
        "memory",
        "disk",
        "",
    ]
    table = [head, *(_cells(row, gpu) for row in found.rows), _totals(found, gpu)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    rows = ["  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip() for cells in table]
    rule = "-" * max(map(len, rows))
    wall = f"{_range(found.wall_seconds, found.off_by())} with {found.cores} cores on this machine"
    return [rows[0], rule, *rows[1:-1], rule, rows[-1], "", f"From the first job to the last: {wall}", *_ends(found)]


def _ends(found: Estimate) -> list[str]:
    kept = found.total("disk_bytes") - found.temporary_bytes
    disk = f"Disk: {spell_bytes(kept)} at the end"
    if found.temporary_bytes:
        disk += f"; {spell_bytes(found.temporary_bytes)} more until the superpixels are made (keep_features)"
    return [disk, *(f"Note: {note}" for note in found.notes)]


def _cells(row: Row, gpu: bool) -> list[str]:
    of = row.of or "-"
    if row.cpu_seconds is None or row.seconds is None:
        return [row.step, of, str(row.jobs), *["?"] * (6 if gpu else 5), row.note]
    return [
        row.step,
        of,
        str(row.jobs),
        spell_time(row.cpu_seconds),
        _range(row.cpu_seconds, row.spread or 0.0),
        spell_time(row.seconds / row.jobs),
        *([spell_time(row.gpu_seconds) if row.gpu_seconds else ""] if gpu else []),
        spell_bytes((row.memory_mb or 0.0) * 2**20),
        spell_bytes(row.disk_bytes or 0.0),
        row.note,
    ]


def _totals(found: Estimate, gpu: bool) -> list[str]:
    cpu, memory = found.total("cpu_seconds"), max((row.memory_mb or 0.0 for row in found.rows), default=0.0)
    return [
        "total",
        "",
        str(sum(row.jobs for row in found.rows)),
        spell_time(cpu),
        _range(cpu, found.off_by()),
        "",
        *([spell_time(found.total("gpu_seconds"))] if gpu else []),
        f"{spell_bytes(memory * 2**20)}, most",
        spell_bytes(found.total("disk_bytes")),
        "",
    ]


def write(path: Path, found: Estimate) -> None:
    """Write the rows as CSV, or all of it as JSON, as the suffix says."""
    rows: list[Mapping[str, Any]] = [asdict(row) for row in found.rows]
    if path.suffix == ".json":
        names = ("cores", "wall_seconds", "temporary_bytes", "notes")
        content = {name: getattr(found, name) for name in names} | {"rows": rows}
        write_text(path, json.dumps(content, indent=1) + "\n")
        return
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(asdict(Row("", "", 0))), lineterminator="\n")
    writer.writeheader()
    writer.writerows(itertools.chain(rows))
    write_text(path, text.getvalue())
