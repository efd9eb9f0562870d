"""The table of weights that a configuration can name, `weights.toml`. Free of torch, since planning reads it."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from wsss_steps.errors import UserError

Rgb = tuple[float, float, float]
Use = Literal["backbone", "vit", "saliency", "torchvision", "none"]
TABLE = Path(__file__).with_name("weights.toml")
IMAGENET_MEAN: Rgb = (0.485, 0.456, 0.406)
IMAGENET_STD: Rgb = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Source:
    """Where a file can be had: `kind` is pypi, npm, hub or url, `place` a package and version, a repository or a URL.

    file: its path inside the package or repository; if it comes in `parts`, with {} for their numbers, 1 first.
    """

    kind: str
    place: str
    file: str = ""
    parts: int = 1

    def told(self) -> str:
        """The source in words; its address is told with what goes wrong there."""
        known = {"pypi": "the Python package", "npm": "the npm package", "hub": "the repository"}
        return f"{self.file} of {known[self.kind]} {self.place}" if self.file else self.place


@dataclass(frozen=True)
class Entry:
    """A file of weights; the fields are those of `weights.toml`."""

    name: str
    use: Use
    net: str
    file: str
    licence: str
    trained_on: str
    sources: tuple[Source, ...]
    reader: str = "plain"
    bytes: int | None = None
    sha256: str = ""
    gated: str = ""
    mean: Rgb = IMAGENET_MEAN
    std: Rgb = IMAGENET_STD

    def identity(self) -> dict[str, Any]:
        """What decides the tensors: a mirror added to the sources, or a licence mended, makes nothing new."""
        return {"name": self.name, "net": self.net, "sha256": self.sha256, "reader": self.reader}


@dataclass(frozen=True)
class Table:
    """All entries, by name."""

    entries: Mapping[str, Entry] = field(default_factory=dict)

    def of(self, name: str) -> Entry:
        """The entry of a name; a UserError that lists the known ones if there is none."""
        if name not in self.entries:
            raise UserError(f"unknown weights '{name}'; known weights: {', '.join(self.entries)}")
        return self.entries[name]

    def for_net(self, use: Use, net: str) -> Entry | None:
        """The first entry for a network, or None."""
        return next((one for one in self.entries.values() if (one.use, one.net) == (use, net)), None)


def parsed(content: Mapping[str, Mapping[str, Any]]) -> Table:
    """The table of the content of `weights.toml`."""
    return Table({name: _entry(name, dict(row)) for name, row in content.items()})


def _entry(name: str, row: dict[str, Any]) -> Entry:
    row["sources"] = tuple(map(_source, row["sources"]))
    row |= {key: tuple(row[key]) for key in ("mean", "std") if key in row}
    return Entry(name, **row)


def _source(row: Mapping[str, Any]) -> Source:
    (kind,) = row.keys() - {"file", "parts"}
    return Source(kind, row[kind], row.get("file", ""), row.get("parts", 1))


@functools.cache
def table() -> Table:
    """The table of this project."""
    return parsed(tomllib.loads(TABLE.read_text(encoding="utf-8")))


def named(weights: str) -> Entry | None:
    """The entry that a setting `weights` names, or None; what `imagenet` stands for is named by no configuration."""
    found = table().entries.get(weights)
    return None if found is None or found.use == "torchvision" else found
