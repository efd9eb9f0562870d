"""The record of the user's own files that an artifact was made from: a hidden file beside it.

It is no output of a rule, so Snakemake does not delete it before the rule reruns (see `data.sources`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wsss_steps.formats.files import write_text

File = tuple[int, int, str]  # size in bytes, time of the last modification in ns, SHA-256


@dataclass(frozen=True)
class Record:
    """`state` and `content` as in `data.sources`; `files` by path, as they were when the artifact was made."""

    state: str
    content: str
    files: Mapping[str, File]


def record_of(artifact: Path) -> Path:
    """Path of the record of the files that `artifact` was made from."""
    return artifact.with_name(f".{artifact.name}.files.json")


def read_record(path: Path) -> Record | None:
    """The record, or None if it is missing or unreadable."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        files = {name: (size, time, checksum) for name, (size, time, checksum) in content["files"].items()}
        return Record(content["state"], content["content"], files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def write_record(path: Path, record: Record) -> None:
    """Write a record atomically."""
    write_text(path, json.dumps({"state": record.state, "content": record.content, "files": dict(record.files)}))
