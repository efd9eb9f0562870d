"""The lineage of an artifact, back to the images, as an indented tree: `python -m wsss_steps provenance FILE`.

Every artifact carries a stamp that names its inputs with their checksums. The checksum of each input is computed again,
so that missing or changed ones are marked. Free of torch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wsss_steps.errors import UserError
from wsss_steps.formats.records import read_record, record_of
from wsss_steps.formats.stamps import read_stamp
from wsss_steps.provenance.digests import file_digest

STEP = "  "
MOST = 5  # changed or missing files shown by name
DIGITS = 12  # of a checksum


@dataclass
class Tree:
    """The state of a traversal: the top artifact, what was already shown, how many inputs are as recorded."""

    top: Path
    shown: set[Path] = field(default_factory=set)
    versions: dict[str, str] = field(default_factory=dict)
    good: int = 0
    bad: int = 0

    def find(self, name: str) -> Path | None:
        """The file `name`, relative to the current folder or to one above the top artifact; None if there is none."""
        bases = [Path(), *self.top.absolute().parents]
        return next((base / name for base in bases if (base / name).exists()), None)

    def judge(self, name: str, recorded: str) -> tuple[Path | None, str]:
        """Path of an input, and in words whether it is as recorded."""
        path = self.find(name)
        if path is None:
            self.bad += 1
            return None, "MISSING"
        found = file_digest(path)
        if found == recorded:
            self.good += 1
            return path, "as recorded"
        self.bad += 1
        return path, f"CHANGED: now sha256 {found[:DIGITS]}"


def lines_of(tree: Tree, path: Path, indent: str) -> Iterator[str]:
    """How `path` was made: lines for its step, its settings, and each input, recursively."""
    key = path.resolve()
    if key in tree.shown:
        yield f"{indent}(shown above)"
        return
    tree.shown.add(key)
    try:
        stamp = read_stamp(path)
    except UserError as error:
        yield f"{indent}UNREADABLE: {error}"
        return
    if not stamp:
        yield f"{indent}no stamp: it was not made by this workflow"
    else:
        yield from _made(tree, stamp, indent)
        for name, given in stamp.get("inputs", {}).items():
            place, state = tree.judge(given["path"], given["sha256"])
            yield f"{indent}{name}: {given['path']}, sha256 {given['sha256'][:DIGITS]}, {state}"
            if place is not None:
                yield from lines_of(tree, place, indent + STEP)
    yield from _files(tree, path, indent)


def _made(tree: Tree, stamp: dict[str, Any], indent: str) -> Iterator[str]:
    """Step, seed, device, code and settings; versions only if they differ from those shown before."""
    seed = stamp.get("seed")
    chance = "no seed" if seed is None else f"seed {seed}"
    code = stamp.get("code") or "unknown"
    yield f"{indent}made by {stamp.get('step')} on {stamp.get('device')}, {chance}, code {code}"
    yield f"{indent}settings: {json.dumps(stamp.get('settings', {}), sort_keys=True, ensure_ascii=False)}"
    other = {name: number for name, number in stamp.get("versions", {}).items() if tree.versions.get(name) != number}
    if other:
        tree.versions.update(other)
        yield f"{indent}versions: {', '.join(f'{name} {number}' for name, number in other.items())}"


def _files(tree: Tree, path: Path, indent: str) -> Iterator[str]:
    """The images, masks and annotations that a manifest or ground truth was made from, checked by checksum."""
    record = read_record(record_of(path))
    if record is None:
        return
    known = record.files
    states = {name: tree.judge(name, checksum)[1] for name, (*_, checksum) in known.items()}
    bad = [f"{name}: {state}" for name, state in states.items() if state != "as recorded"]
    yield f"{indent}files of the data set: {len(known) - len(bad)} of {len(known)} as recorded"
    yield from (f"{indent}{STEP}{line}" for line in bad[:MOST])
    if len(bad) > MOST:
        yield f"{indent}{STEP}... and {len(bad) - MOST} more"


def lineage(path: Path) -> Iterator[str]:
    """The lines of the tree below the artifact `path`; a UserError if there is no such file or it carries no stamp."""
    if not path.exists():
        raise UserError(f"{path}: no such file or folder")
    if not read_stamp(path):
        raise UserError(f"{path}: carries no stamp (expected an artifact of this workflow, or a folder of label maps)")
    tree = Tree(path)
    yield f"{path}, sha256 {file_digest(path)[:DIGITS]}"
    yield from lines_of(tree, path, STEP)
    yield f"{tree.good} inputs are as recorded, {tree.bad} are not"
