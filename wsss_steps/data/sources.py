"""Detects changes of the user's own files of a split, so that the rules that read them rerun.

The images, masks and annotations of a data set are not inputs of a Snakemake rule: there may be hundreds of thousands,
and a modification time says nothing about their content. Instead, each rule that reads them has a *state* among its
parameters, a short text that changes exactly when their content does. Planning compares size and modification time of
every listed file with the record that the rule's step wrote, and computes a checksum where they differ: touching a file
does not change the state, and unlisted files do not count. Free of torch.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from wsss_steps.data import voc_lists
from wsss_steps.errors import UserError
from wsss_steps.formats.records import File as RecordedFile
from wsss_steps.formats.records import Record, read_record, write_record
from wsss_steps.provenance.digests import file_digest

Stat = tuple[int, int]  # size in bytes, time of the last modification in ns
ABSENT: Stat = (-1, -1)
MASK_SUFFIX = ".png"


@dataclass(frozen=True)
class Sources:
    """What a split is read from: a digest of its lists and tables, and its files with size and time."""

    content: str
    files: dict[str, Stat]


def of_images(
    root: Path,
    *,
    list_file: str,
    image_folder: str,
    annotation_folder: str,
    tags_csv: str | None,
    tagged: bool,
    watched: str = "",
) -> Sources:
    """Images and tags of a split; the parameters are those of `voc.read_split`.

    If list and tags are inputs of the rule themselves, `watched` says which images count: of the `list`, or all of the
    `folder`.
    """
    ids = voc_lists.read_list(root / list_file, [])
    folder = root / image_folder
    if watched:
        return of_folder(folder, ids if watched == "list" else None)
    names = voc_lists.images_in(folder) if folder.is_dir() else {}
    files = _stats(_below(folder, (name for image_id in ids for name in names.get(image_id, ()))))
    rows: list[list[str]] = []
    if tagged and tags_csv is not None:
        rows = _rows(root / tags_csv, ids)
    elif tagged:
        files |= _stats(_below(root / annotation_folder, (f"{image_id}.xml" for image_id in ids)))
    return Sources(_digest([ids, [names.get(image_id, []) for image_id in ids], rows]), files)


def of_folder(folder: Path, ids: Sequence[str] | None) -> Sources:
    """Images of a folder alone, of `ids` or all of them."""
    names = voc_lists.images_in(folder) if folder.is_dir() else {}
    found = names if ids is None else {image_id: names.get(image_id, []) for image_id in ids}
    return of_files(list(found.items()), _below(folder, (name for group in found.values() for name in group)))


def of_masks(root: Path, *, list_file: str, mask_folder: str | None, scored_list: str | None) -> Sources:
    """Label images of a split; the parameters are those of `voc_masks.read_masks`."""
    ids = voc_lists.read_list(root / (scored_list or list_file), [])
    if mask_folder is None:
        return Sources(_digest([ids]), {})
    masks = (f"{image_id}{MASK_SUFFIX}" for image_id in ids)
    return Sources(_digest([ids]), _stats(_below(root / mask_folder, masks)))


def of_files(content: object, paths: Iterable[str]) -> Sources:
    """Files by their paths, and `content`, which can be written as JSON: what names and tables say of them."""
    return Sources(_digest(content), _stats(paths))


def _rows(table: Path, ids: Sequence[str]) -> list[list[str]]:
    """The header of a table of tags and its rows for `ids`; for an unreadable table, its checksum."""
    listed = set(ids)
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError, csv.Error):
        return [[file_digest(table)]] if table.is_file() else []
    column = rows[0].index("id") if rows and "id" in rows[0] else 0
    return rows[:1] + [row for row in rows[1:] if len(row) > column and row[column].strip() in listed]


def _below(folder: Path, names: Iterable[str]) -> Iterable[str]:
    """Paths of the files `names` of a folder."""
    return (f"{folder.as_posix()}/{name}" for name in names)


def _stats(paths: Iterable[str]) -> dict[str, Stat]:
    """Size and time of files, by path."""
    found: dict[str, Stat] = {}
    for path in paths:
        try:
            status = os.stat(path)  # noqa: PTH116 (a third of the time of Path.stat, over 100,000 files)
        except OSError:
            found[path] = ABSENT
        else:
            found[path] = (status.st_size, status.st_mtime_ns)
    return found


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def state(sources: Sources, record: Path) -> str:
    """The state of `sources`: that of the record if their content is unchanged, otherwise a new one.

    Changed times are updated in the record, so that a touched file is read only once.
    """
    fresh = _digest([sources.content, sources.files])[:32]
    known = read_record(record)
    if known is None or known.content != sources.content or known.files.keys() != sources.files.keys():
        return fresh
    touched: dict[str, RecordedFile] = {}
    for path, stat in sources.files.items():
        size, time, checksum = known.files[path]
        if (size, time) == stat:
            continue
        if size != stat[0] or _checksum(path, stat) != checksum:
            return fresh
        touched[path] = (*stat, checksum)
    if touched:
        with contextlib.suppress(OSError, UserError):  # the folder may be read-only
            write_record(record, replace(known, files={**known.files, **touched}))
    return known.state


def _checksum(path: str, stat: Stat) -> str:
    return "" if stat == ABSENT else file_digest(Path(path))


def keep(sources: Sources, record: Path, known: Mapping[str, str]) -> None:
    """Write the record of `sources`; `known` are checksums by path that need not be computed again."""
    files = {path: (*stat, known.get(path) or _checksum(path, stat)) for path, stat in sources.files.items()}
    write_record(record, Record(state(sources, record), sources.content, files))
