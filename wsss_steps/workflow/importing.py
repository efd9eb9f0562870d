"""Inputs and parameters of the rules `import_<slot>`, which read what a user already has. Free of torch.

Functions take the wildcards of a rule.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from wsss_steps.workflow.config import Config
from wsss_steps.workflow.planning import Wildcards, choice

TAKEN, MADE = "(?=given[~/])", "(?!given[~/])"
"""Beginnings of the regular expression of a choice's folder: what is given, and what a step makes."""
OF_PLANNING = ("path", "supervision")
"""Settings that no step reads: a file is its input, and what it was made from is declared in tables alone."""
SUFFIXES = (".png", ".npy")


def settings_of(config: Config, wildcards: Wildcards, slot: str) -> str:
    """Every setting that the step reads of the rule's choice, as JSON."""
    settings = choice(config, wildcards, slot).settings
    return json.dumps({key: value for key, value in settings.items() if key not in OF_PLANNING}, sort_keys=True)


def source(config: Config, wildcards: Wildcards, slot: str) -> str:
    """The user's file or folder."""
    return str(choice(config, wildcards, slot).settings["path"])


def files(config: Config, wildcards: Wildcards, slot: str, manifest: Callable[[], str]) -> list[str]:
    """Every file that is read of a folder, which does not tell that one in it was rewritten; of a shard, its own."""
    place = Path(source(config, wildcards, slot))
    if not place.is_dir():
        return []
    if config.shards == 1:
        return sorted(map(str, _below(place)))
    listed = json.loads(Path(manifest()).read_text(encoding="utf-8"))["images"]
    return [str(path) for entry in listed for path in _of_image(place, entry["id"])]


def _below(place: Path) -> Iterator[Path]:
    for path in place.iterdir():
        if path.is_dir():
            yield from path.glob("*.png")
        elif path.suffix in SUFFIXES:
            yield path


def _of_image(place: Path, image_id: str) -> Iterator[Path]:
    yield from (path for suffix in SUFFIXES if (path := place / f"{image_id}{suffix}").exists())
    yield from sorted((place / image_id).glob("*.png"))
