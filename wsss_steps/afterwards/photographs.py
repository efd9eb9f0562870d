"""The photographs that a command names (files, folders, patterns), and a name for the results of each."""

from __future__ import annotations

import glob
import itertools
import os
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wsss_steps.data.photo_files import SUFFIXES, photographs
from wsss_steps.data.photo_ids import LONGEST, id_of
from wsss_steps.errors import UserError, all_wrong


@dataclass(frozen=True)
class Found:
    """A photograph: its path as it was named, and below the folder that was named; of a file, its name alone."""

    path: Path
    below: str

    @property
    def place(self) -> str:
        """The file itself, which no other photograph is."""
        return os.path.realpath(self.path)


def find(words: Sequence[str], results: Path) -> tuple[list[Found], Counter[str]]:
    """The photographs that `words` name, each once; and what else lies in the folders that a camera writes.

    A word is a file, a folder (with its sub-folders) or a pattern such as `holiday/**/*.jpg`. What lies in the folder
    `results` is passed over. A UserError lists the words that name no photograph.
    """
    found: dict[str, Found] = {}
    others, wrong = Counter[str](), list[str]()
    for word in words:
        files = list(_named(word, others))
        wrong += [] if files else [f"{word}: {_why(word)}"]
        for one in files:
            found.setdefault(one.place, one)
    all_wrong("expected photographs, folders of photographs or patterns", wrong)
    inside = os.path.realpath(results) + os.sep
    left = [one for place, one in found.items() if not place.startswith(inside)]
    if not left:
        raise UserError(f"no photograph is left: all that are named lie in {results}, where the results go")
    return left, others


def _named(word: str, others: Counter[str]) -> Iterator[Found]:
    """The photographs that one word names."""
    path = Path(word)
    if path.is_dir():
        names, more = photographs(path)
        others.update(more)
        yield from (Found(path / name, name) for name in names)
    elif path.exists():
        yield Found(path, path.name)
    elif glob.has_magic(word):
        fixed = _fixed(word)
        for one in sorted(fixed.glob(path.relative_to(fixed).as_posix())):
            below = one.relative_to(fixed)
            if (
                one.is_file()
                and one.suffix.lower() in SUFFIXES
                and not any(part.startswith(".") for part in below.parts)
            ):
                yield Found(one, below.as_posix())


def _fixed(pattern: str) -> Path:
    """The folder before the first part of a pattern that has a wildcard."""
    parts = Path(pattern).parts
    count = next(number for number, part in enumerate(parts) if glob.has_magic(part))
    return Path(*parts[:count])


def _why(word: str) -> str:
    """Why a word names no photograph."""
    if Path(word).is_dir():
        return f"no photograph ({', '.join(SUFFIXES)}) in this folder or one in it"
    return "no photograph fits this pattern" if glob.has_magic(word) else "no such file or folder"


def named(found: Sequence[Found], taken: Mapping[str, str]) -> dict[str, Found]:
    """The photographs by the names of their results, all different also where case does not count.

    A name is the id of the path below the folder that was named: `cats+1` of `cats/1.jpg`. Those who would share one
    are told apart by their suffix, `1.jpg` and `1.png`, then by the folders above, `a+1` and `b+1`. `taken`: the names
    of earlier results, with the file of each, which keeps its name.
    """
    kept = {place: name for name, place in taken.items()}
    names = {one.place: kept[one.place] for one in found if one.place in kept}
    used = {_plain(name) for name in taken}
    waiting = [one for one in found if one.place not in kept]
    for level in range(2 * max((len(Path(one.place).parts) for one in waiting), default=0)):
        candidates = {one.place: _candidate(one, level) for one in waiting}
        counts = Counter(map(_plain, candidates.values())) + Counter(used)
        names |= {place: name for place, name in candidates.items() if counts[_plain(name)] == 1}
        used |= {_plain(name) for name in names.values()}
        waiting = [one for one in waiting if one.place not in names]
    for one in waiting:  # their paths differ in case alone
        numbered = (f"{id_of(one.below)}~{number}" for number in itertools.count(1))
        names[one.place] = next(name for name in numbered if _plain(name) not in used)
        used.add(_plain(names[one.place]))
    all_wrong("photographs whose results would have too long a name", _too_long(names.values()))
    return {names[one.place]: one for one in found}


def _candidate(one: Found, level: int) -> str:
    """A name for a photograph; the higher the level, the more of its path is in it."""
    above = Path(one.place).parts[1 : -len(Path(one.below).parts)]
    count, with_suffix = level // 2, level % 2 == 1
    path = "/".join([*above[max(0, len(above) - count) :], one.below])
    return id_of(f"{path}.") if with_suffix else id_of(path)


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _too_long(names: Iterable[str]) -> list[str]:
    return [f"{name}: expected at most {LONGEST} bytes" for name in names if len(os.fsencode(name)) > LONGEST]
