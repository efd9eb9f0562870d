"""The lineage of an artifact, back to the images, as an indented tree: `python -m wsss_steps.provenance FILE`.

Every artifact carries a stamp that names its inputs with their checksums. Each input is looked up and its checksum is
taken anew, so that one that is missing or has changed since is marked. Free of torch.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wsss_steps import formats
from wsss_steps.errors import UserError
from wsss_steps.provenance import digest_of_input

STEP = "  "
MOST = 5  # images shown by name, of those that are not as recorded
DIGITS = 12  # of a checksum


@dataclass
class Tree:
    """What is gathered on the way: the top artifact, what was shown already, how many inputs are as recorded."""

    top: Path
    shown: set[Path] = field(default_factory=set)
    versions: dict[str, str] = field(default_factory=dict)
    good: int = 0
    bad: int = 0

    def find(self, name: str) -> Path | None:
        """The file `name`: from the current folder, or from one above the top artifact; None if it is nowhere."""
        bases = [Path(), *self.top.absolute().parents]
        return next((base / name for base in bases if (base / name).exists()), None)

    def judge(self, name: str, recorded: str, label: str) -> tuple[Path | None, str]:
        """Where an input lies, and in words whether it is what it was."""
        path = self.find(name)
        if path is None:
            self.bad += 1
            return None, "MISSING"
        found = digest_of_input(label, path)
        if found == recorded:
            self.good += 1
            return path, "as recorded"
        self.bad += 1
        return path, f"CHANGED: now sha256 {found[:DIGITS]}"


def lines_of(tree: Tree, path: Path, indent: str) -> Iterator[str]:
    """All that is known of how `path` was made: one line for its room, its settings, and each input with its own."""
    key = path.resolve()
    if key in tree.shown:
        yield f"{indent}(shown above)"
        return
    tree.shown.add(key)
    try:
        stamp = formats.read_stamp(path)
    except UserError as error:
        yield f"{indent}UNREADABLE: {error}"
        return
    if not stamp:
        yield f"{indent}no stamp: it was not made by this workflow"
    else:
        yield from _made(tree, stamp, indent)
        for name, given in stamp.get("inputs", {}).items():
            place, state = tree.judge(given["path"], given["sha256"], name)
            yield f"{indent}{name}: {given['path']}, sha256 {given['sha256'][:DIGITS]}, {state}"
            if place is not None:
                yield from lines_of(tree, place, indent + STEP)
    yield from _images(tree, path, indent)


def _made(tree: Tree, stamp: dict[str, Any], indent: str) -> Iterator[str]:
    """Room, seed, device, code and settings; versions only where they differ from what was shown before."""
    seed = stamp.get("seed")
    chance = "no seed" if seed is None else f"seed {seed}"
    code = stamp.get("code") or "unknown"
    yield f"{indent}made by {stamp.get('room')} on {stamp.get('device')}, {chance}, code {code}"
    yield f"{indent}settings: {json.dumps(stamp.get('settings', {}), sort_keys=True, ensure_ascii=False)}"
    other = {name: number for name, number in stamp.get("versions", {}).items() if tree.versions.get(name) != number}
    if other:
        tree.versions.update(other)
        yield f"{indent}versions: {', '.join(f'{name} {number}' for name, number in other.items())}"


def _images(tree: Tree, path: Path, indent: str) -> Iterator[str]:
    """The images that a manifest lists, checked against their checksums in it."""
    if path.suffix != ".json" or path.is_dir():
        return
    content = json.loads(path.read_text(encoding="utf-8"))
    if content.get("format") != "wsss/manifest":
        return
    bad = []
    for entry in content["images"]:
        if entry.get("sha256"):
            _, state = tree.judge(entry["image"], entry["sha256"], "image")
        else:
            state = "as recorded" if tree.find(entry["image"]) else "MISSING"
        if state != "as recorded":
            bad.append(f"{entry['image']}: {state}")
    count = len(content["images"])
    yield f"{indent}images: {count - len(bad)} of {count} as recorded"
    yield from (f"{indent}{STEP}{line}" for line in bad[:MOST])
    if len(bad) > MOST:
        yield f"{indent}{STEP}... and {len(bad) - MOST} more"


def lineage(path: Path) -> Iterator[str]:
    """The lines of the tree below the artifact `path`; a UserError if there is no such file or it carries no stamp."""
    if not path.exists():
        raise UserError(f"{path}: no such file or folder")
    if not formats.read_stamp(path):
        raise UserError(f"{path}: carries no stamp (expected an artifact of this workflow, or a folder of label maps)")
    tree = Tree(path)
    yield f"{path}, sha256 {digest_of_input('', path)[:DIGITS]}"
    yield from lines_of(tree, path, STEP)
    yield f"{tree.good} inputs are as recorded, {tree.bad} are not"


def main(words: list[str] | None = None) -> None:
    """Print the lineage of the artifact that is named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m wsss_steps.provenance", description=__doc__)
    parser.add_argument("file", type=Path, help="an artifact: a file, or a folder of label maps")
    try:
        for line in lineage(parser.parse_args(words).file):
            print(line)
    except UserError as error:
        sys.exit(f"ERROR {error}")
