"""The folder of segmented photographs: label maps, overlays, scores, and a table of what they were made from."""

from __future__ import annotations

import contextlib
import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wsss_steps.errors import UserError
from wsss_steps.formats.files import IN_A_FOLDER, remove, whole, write_json
from wsss_steps.formats.kinds.cams import CAMS
from wsss_steps.formats.labels import voc_palette, write_labels
from wsss_steps.formats.stamps import DECIDE, read_stamp
from wsss_steps.formats.stores import write_store

LABELS, OVERLAYS, SCORES = "labels", "overlays", "scores"
SUFFIXES = {LABELS: ".png", OVERLAYS: ".jpg", SCORES: ".h5"}
IMAGES, CLASSES = "images.csv", "classes.csv"
QUALITY = 90  # of the overlays' JPEG


@dataclass(frozen=True)
class Made:
    """A row of images.csv: the name of the results, what they were made from, and the tags that were known."""

    name: str
    file: str
    sha256: str
    height: int
    width: int
    tags: str


@dataclass
class Results:
    """The folder `root`, open for results of the kinds `kinds`; `made`: what lies in it, by name."""

    root: Path
    kinds: tuple[str, ...]
    made: dict[str, Made]
    stamp: str

    def path(self, kind: str, name: str) -> Path:
        """Where the result of that kind of a photograph lies."""
        return self.root / kind / f"{name}{SUFFIXES[kind]}"

    def has(self, row: Made) -> bool:
        """Whether all results of a photograph, of these bytes and tags, are there."""
        known = self.made.get(row.name)
        same = known is not None and (known.file, known.sha256, known.tags) == (row.file, row.sha256, row.tags)
        return same and all(self.path(kind, row.name).is_file() for kind in self.kinds)

    def write_labels(self, name: str, labels: NDArray[np.uint8]) -> None:
        """Write a label map (H, W) as an indexed PNG, with the bytes that `predict` writes."""
        with whole(self.path(LABELS, name)) as temporary:
            picture = temporary.with_name(f"{temporary.name}.png")  # whose format is told by its name
            try:
                write_labels(picture, labels)
                picture.replace(temporary)
            finally:
                picture.unlink(missing_ok=True)

    def write_overlay(self, name: str, picture: NDArray[np.uint8]) -> None:
        """Write a picture (h, w, 3) as JPEG."""
        with whole(self.path(OVERLAYS, name)) as temporary:
            Image.fromarray(picture).save(temporary, format="JPEG", quality=QUALITY)

    def write_scores(self, name: str, scores: NDArray[np.uint8], labels: Sequence[int], classes: Sequence[str]) -> None:
        """Write probabilities (n, H, W) of `labels`, in 1/255, as a store of one image of the kind of `cams.h5`."""
        arrays = {"cam": scores, "class": np.array(labels, np.uint8)}
        write_store(self.path(SCORES, name), CAMS, [(name, arrays)], stamp=self.stamp, classes=list(classes))


@contextlib.contextmanager
def opened(
    root: Path, kinds: tuple[str, ...], classes: Sequence[str], stamp: str, *, replace: bool
) -> Iterator[Results]:
    """The folder `root` for results of `stamp`; its table is written when the block ends, however it does.

    replace: whether to drop what another network or other settings made. Without it that is a UserError, as is a folder
    of label maps that this program did not make.
    """
    rows = _read(root / IMAGES)
    if different := _different(root / LABELS, stamp):
        if not replace:
            raise UserError(
                f"{root}: holds results of another network or other settings ({different}); they are left as they "
                "are: take another --out, or --replace to drop them"
            )
        for name in (*SUFFIXES, IMAGES):
            remove(root / name)
        rows = {}
    for kind in kinds:
        write_json(root / kind / IN_A_FOLDER, json.loads(stamp))
    _write_classes(root / CLASSES, classes)
    results = Results(root, kinds, rows, stamp)
    try:
        yield results
    finally:
        _write(root / IMAGES, results.made.values())


def _different(folder: Path, stamp: str) -> str:
    """In what the stamp of an earlier folder differs; empty if there is none. A UserError if it is not ours."""
    if not folder.is_dir() or not any(folder.iterdir()):
        return ""
    found, own = read_stamp(folder), json.loads(stamp)
    if found is None:
        raise UserError(f"{folder}: expected no folder, or one of this command, found one without {IN_A_FOLDER}")
    checksums = [sorted(one["sha256"] for one in stamp["inputs"].values()) for stamp in (found, own)]
    keys = [key for key in DECIDE if key != "inputs" and found.get(key) != own[key]]
    return ", ".join([*(["network"] if checksums[0] != checksums[1] else []), *keys])


def names_in(root: Path) -> dict[str, str]:
    """The names of the results in a folder, with the file of each."""
    return {name: row.file for name, row in _read(root / IMAGES).items()}


def _read(path: Path) -> dict[str, Made]:
    """The rows of images.csv by name; none without a table, or of another one."""
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if reader.fieldnames != [field.name for field in fields(Made)]:
            raise UserError(f"{path}: expected the table of this command, found columns {reader.fieldnames}")
        rows = [_row(row) for row in reader]
    return {row.name: row for row in rows}


def _row(row: dict[str, str]) -> Made:
    sizes = {"height": int(row["height"]), "width": int(row["width"])}
    return Made(row["name"], row["file"], row["sha256"], **sizes, tags=row["tags"])


def _write(path: Path, rows: Iterable[Made]) -> None:
    with whole(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Made)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(map(asdict, sorted(rows, key=lambda row: row.name)))


def _write_classes(path: Path, classes: Sequence[str]) -> None:
    """Write a table of the labels: number, name, colour in the label maps."""
    palette = np.array(voc_palette()).reshape(256, 3).tolist()
    with whole(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["label", "class", "red", "green", "blue"])
        writer.writerows([label, name, *palette[label]] for label, name in enumerate(("background", *classes)))
