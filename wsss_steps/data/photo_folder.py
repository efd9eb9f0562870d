"""A plain folder of photographs: which of them there are, and what a table or the names of their folders say of them.

Free of torch and NumPy, since planning reads it too: only names and the table are read here, no photograph.
"""

from __future__ import annotations

import difflib
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from wsss_steps.data import voc_tags
from wsss_steps.data.photo_files import SUFFIXES, photographs
from wsss_steps.data.photo_ids import LONGEST, id_of
from wsss_steps.data.photo_tables import Row, Table, read_table

FOLDERS = "folders"  # instead of a table: the class is the name of the folder
TRAIN = "train"
SPLIT = re.compile(r"[a-z][a-z0-9_]*")
COMPARED = 500_000  # names that wrong rows are compared with to find the nearest one: seconds
LISTED = 5  # names in one line of the log


@dataclass(frozen=True)
class Photo:
    """A photograph that takes part: its `path` below the folder, the names of its classes, its split.

    `mask` and `saliency` are paths of files, empty if there are none; `where` is what a message says of it.
    """

    path: str
    names: tuple[str, ...]
    split: str
    where: str
    mask: str = ""
    saliency: str = ""


@dataclass
class Folder:
    """The photographs by id; `classes` are those that the table or the folders name, sorted; `notes` for the log."""

    photos: dict[str, Photo] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    notes: Counter[str] = field(default_factory=Counter)

    def split(self, name: str) -> dict[str, Photo]:
        """The photographs of a split."""
        return {image_id: photo for image_id, photo in self.photos.items() if photo.split == name}

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits, train first."""
        return (TRAIN, *sorted({photo.split for photo in self.photos.values()} - {TRAIN}))


def table_of(root: Path, tags: str) -> Path:
    """The table of tags: as given, seen from the working directory, or else below the folder of photographs."""
    return Path(tags) if Path(tags).is_file() or not (root / tags).is_file() else root / tags


def read_folder(root: Path, tags: str, classes: Sequence[str], problems: list[str]) -> Folder:
    """What lies in the folder `root`; everything wrong is added to `problems`, with the line of the table.

    tags: a table, or `folders`. classes: the known classes; if empty, those that are named are the classes.
    """
    paths, others = photographs(root)
    if not paths:
        problems.append(f"images: no photograph ({', '.join(SUFFIXES)}) in {root} or a folder in it{_left(others)}")
        return Folder()
    found = Folder(notes=Counter({f"files {suffix}, which cannot be read": n for suffix, n in others.items()}))
    columns: tuple[str, ...] = ()
    if tags == FOLDERS:
        photos = [(path, _of_folder(path, problems)) for path in paths]
    else:
        table = table_of(root, tags)
        content = read_table(table, problems, classes)
        photos = _matched(_Names(root, table, paths), content, found.notes, problems)
        columns = content.columns
    _take(found, photos, problems)
    named = [(name, photo.where) for _, photo in photos for name in photo.names]
    found.classes = tuple(sorted({*columns, *dict(named)}))
    problems += _problems_of_classes(named, classes)
    return found


def _left(others: Mapping[str, int]) -> str:
    """A hint at files that no step can read."""
    listed = ", ".join(f"{count} {suffix}" for suffix, count in sorted(others.items()))
    return f"; found {listed}: save them as JPEG" if others else ""


def _of_folder(path: str, problems: list[str]) -> Photo:
    """A photograph whose class is the first folder of its path."""
    folder, slash, _ = path.partition("/")
    if not slash:
        problems.append(f"images: {path} lies in no folder of a class; with tags: {FOLDERS} each class has a folder")
    return Photo(path, (folder,) if slash else (), TRAIN, f"folder {folder}")


def _take(found: Folder, photos: Iterable[tuple[str, Photo]], problems: list[str]) -> None:
    """Add photographs by their paths; an id that two of them share, or that is too long for a file, is a problem."""
    seen: dict[str, str] = {}
    for path, photo in sorted(photos, key=lambda one: one[0]):
        image_id = id_of(path)
        key = unicodedata.normalize("NFC", image_id).casefold()
        if key in seen:
            problems.append(f"images: {seen[key]} and {path} would have the same name of results; rename one of them")
        elif len(os.fsencode(image_id)) > LONGEST:
            problems.append(f"images: {path}: expected a path of at most {LONGEST} bytes, as results are named by it")
        else:
            seen[key], found.photos[image_id] = path, photo


# ---- rows of a table


class _Names:
    """Finds the photograph that a row means: by its path, its path without suffix, or a name that only one has."""

    def __init__(self, root: Path, table: Path, paths: Sequence[str]) -> None:
        self.root, self.table, self.paths = root, table, paths
        self.known: dict[str, list[str]] = {}
        for path in paths:
            without = path.rpartition(".")[0]
            for name in {path, without, path.rpartition("/")[2], without.rpartition("/")[2], id_of(path)}:
                self.known.setdefault(_plain(name), []).append(path)
        self.exact = {_plain(path): path for path in paths}

    def find(self, text: str) -> list[str]:
        """The photographs that `text` may mean."""
        for name in self._spellings(text):
            if name in self.exact:
                return [self.exact[name]]
            found = self.known.get(name, [])
            whole = [path for path in found if _plain(path.rpartition(".")[0]) == name]
            if found:
                return whole or found
        return []

    def _spellings(self, text: str) -> list[str]:
        """Paths below the folder that `text` may be: as it is, seen from the table, or from the working directory."""
        name = text.replace("\\", "/").removeprefix("./")
        found = [name]
        for base in (Path(), self.table.parent):
            below = os.path.relpath(base / name, self.root)
            found += [PurePosixPath(below).as_posix()] if not below.startswith("..") else []
        return [_plain(one) for one in found]

    def nearest(self, text: str) -> str:
        """A hint at the name that is most like `text`."""
        near = difflib.get_close_matches(_plain(text.replace("\\", "/")), self.known, n=1, cutoff=0.75)
        return f"; is it {self.known[near[0]][0]}?" if near else ""


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _matched(names: _Names, table: Table, notes: Counter[str], problems: list[str]) -> list[tuple[str, Photo]]:
    """Path and photograph of every row, in their order; those without a row are noted."""
    taken: dict[str, int] = {}
    photos, missing = [], 0
    for row in table.rows:
        where, meant = f"{names.table}, line {row.line}", names.find(row.image)
        if len(meant) != 1:
            missing += not meant
            hint = names.nearest(row.image) if missing * len(names.known) <= COMPARED else ""
            wrong = f"one of {', '.join(meant[:LISTED])}? give its path" if meant else f"no such photograph{hint}"
            problems.append(f"{where}: '{row.image}': {wrong}")
        elif meant[0] in taken:
            problems.append(f"{where}: '{row.image}' is already in line {taken[meant[0]]}; expected a row per image")
        else:
            taken[meant[0]] = row.line
            photos.append((meant[0], _photo(names, row, meant[0], where, problems)))
    others = {photo.mask for _, photo in photos} | {photo.saliency for _, photo in photos}
    unused = [path for path in names.paths if path not in taken and str(names.root / path) not in others]
    if unused and table.rows:
        listed = ", ".join(unused[:LISTED]) + (", ..." if len(unused) > LISTED else "")
        notes[f"photographs without a row in {names.table}, which are left out: {listed}"] += len(unused)
    return photos


def _photo(names: _Names, row: Row, path: str, where: str, problems: list[str]) -> Photo:
    """The photograph of a row; a split that is none, and a mask or saliency map that is missing, are problems."""
    split = row.split.casefold() or TRAIN
    if not SPLIT.fullmatch(split):
        problems.append(f"{where}: expected a split such as train, val or test, found '{row.split}'")
    files = {}
    for kind, text in (("mask", row.mask), ("saliency", row.saliency)):
        places = [base / text.replace("\\", "/") for base in (names.table.parent, names.root, Path())]
        file = next((place for place in places if place.is_file()), None) if text else None
        if text and file is None:
            problems.append(
                f"{where}: no such file of a {kind}: {text} (looked for below {names.table.parent} and {names.root})"
            )
        files[kind] = file.as_posix() if file else ""
    return Photo(path, row.names, split, where, **files)


# ---- classes


def _problems_of_classes(named: Sequence[tuple[str, str]], classes: Sequence[str]) -> list[str]:
    """What is wrong with names of classes, given with where they stand: unknown ones, or, if none are known, alike."""
    if not classes:
        never = "expected names of classes alone, found 'background'"
        return [*_alike(named), *(f"{where}: {never}" for name, where in named if name == "background")]
    known = ", ".join(classes)
    hints = {name: _hint(name, classes) for name in dict(named) if name not in classes}
    return [
        f"{where}: unknown class '{name}'; known classes: {known}{hints[name]}"
        for name, where in named
        if name in hints
    ]


def _hint(name: str, classes: Sequence[str]) -> str:
    """The class that an unknown name may mean."""
    folded = {one.casefold(): one for one in classes}
    near = difflib.get_close_matches(name.casefold(), folded, n=1)
    return voc_tags.meant([name], classes) or (f"; is it '{folded[near[0]]}'?" if near else "")


def _alike(named: Sequence[tuple[str, str]]) -> list[str]:
    """Names that differ from an earlier one in case alone: one of them is a slip."""
    first: dict[str, tuple[str, str]] = {}
    problems = []
    for name, where in named:
        other, there = first.setdefault(name.casefold(), (name, where))
        if other != name:
            problems.append(f"{where}: class '{name}' is '{other}' elsewhere ({there}); write both alike")
    return problems
