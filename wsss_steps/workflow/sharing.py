"""Configuration files that share a results folder: they agree, or planning says where they do not. Free of torch.

Every run leaves a record of the settings that its file gave to what the folder holds. Another file that gives the same
names other settings would overwrite that; it is refused, with the override that keeps the two apart.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from wsss_steps.errors import all_wrong
from wsss_steps.formats.files import read_json, write_json
from wsss_steps.settings.data_set import Prepare
from wsss_steps.settings.registry import METHODS
from wsss_steps.workflow.choices import resolve
from wsss_steps.workflow.config import Config
from wsss_steps.workflow.experiments import choices_of
from wsss_steps.workflow.names import problem_of_name
from wsss_steps.workflow.spelling import parse, spell

RECORDS = "configurations"  # the folder of the records, below the results
STEPS = ("draw", "convert", "strong", "draw_saliency", "pretrain_keys", "predict", "evaluate", "evaluate_superpixels")
KIND, VERSION = "configuration", 1
INLINED = ("backbone", "crf")  # settings that are named in a choice and recorded as what the name stands for


def check(config: Config, files: Sequence[Path]) -> None:
    """Raise a UserError that lists every setting in which another file's run of this results folder differs."""
    ours = record_of(config, files)
    tables = (config.tables, config.tables_name)
    problems = []
    for path, other in _others(config, files):
        found = list(_conflicts(ours, other, tables))
        problems += [*found, *_if_edited(path, other)] if found else []
    all_wrong(f"{config.results} holds results of another configuration file", problems)


def record(config: Config, files: Sequence[Path]) -> None:
    """Leave the record of a run that begins."""
    write_json(_place(config, files), record_of(config, files))


def record_of(config: Config, files: Sequence[Path]) -> dict[str, Any]:
    """The settings that a configuration gives to each choice and each step, by name, and where its tables lie."""
    settings = {step: getattr(config, step) for step in STEPS}
    found = {name: {} if section is None else section.model_dump(mode="json") for name, section in settings.items()}
    shared = {key: getattr(config, key) for key in Prepare.model_fields if key not in ("splits", "unscored", "boxes")}
    found["data set"] = {"root": config.root, **shared}
    found |= {
        f"split {name}": {"list": path, "unscored": name in config.unscored} for name, path in config.splits.items()
    }
    if config.boxes is not None:  # a configuration without boxes agrees with any
        found |= {"boxes": {"folder": config.boxes}, "evaluate_boxes": config.evaluate_boxes.model_dump(mode="json")}
    for slot, text in _choices(config):
        found[f"{slot} {text}"] = resolve(config, slot, text).settings
    about = {"format": f"wsss/{KIND}", "version": VERSION, "files": _names(files), "tables": config.tables}
    written: dict[str, Any] = json.loads(json.dumps({**about, "settings": found}))
    return written


def _choices(config: Config) -> Iterator[tuple[str, str]]:
    """Slot and name of every choice that the recipes lead to, with every random seed, whatever `only` says."""
    compared = [("superpixels", text) for text in config.compare_superpixels]
    yield from choices_of(config, compared + [choice for run in config.all_runs for choice in run.recipe.choices()])


def _names(files: Sequence[Path]) -> list[str]:
    """The files as people call them: relative to the working directory if they lie below it."""
    here = Path.cwd()
    full = [path.absolute() for path in files]
    return [(path.relative_to(here) if path.is_relative_to(here) else path).as_posix() for path in full]


def _place(config: Config, files: Sequence[Path]) -> Path:
    """Where the record of a configuration lies: named as its files are."""
    name = quote("+".join(_names(files)), safe=" +") or "command line"
    return Path(config.results, RECORDS, f"{name[-200:]}.json")


def _others(config: Config, files: Sequence[Path]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The records of other configurations, as long as their files exist."""
    for path in sorted(Path(config.results, RECORDS).glob("*.json")):
        found = read_json(path, KIND)
        if found["files"] != _names(files) and all(map(Path.exists, map(Path, found["files"]))):
            yield path, found


def _if_edited(path: Path, other: Mapping[str, Any]) -> Iterator[str]:
    """What to do if the record at `path` no longer says what its files do: those who edit two files meet it in both."""
    written = path.stat().st_mtime_ns
    if any(Path(file).stat().st_mtime_ns > written for file in other["files"]):
        there = " and ".join(other["files"])
        yield f"{there} changed since it ran here: if the two agree now, delete its record, {path}"


def _conflicts(ours: Mapping[str, Any], other: Mapping[str, Any], tables: tuple[str, str]) -> Iterator[str]:
    """One line for each setting in which two records differ, and one if the other's tables are those in `tables`."""
    there, here = (" and ".join(one["files"]) or "the command line" for one in (other, ours))
    if other["tables"] in tables:
        yield (f"its tables are those of {there}: give {here} its own, tables: NAME, or results of its own, name: NAME")
    for name in sorted(ours["settings"].keys() & other["settings"].keys()):
        mine, theirs = ours["settings"][name], other["settings"][name]
        if mine == theirs:
            continue
        for key in sorted({*mine, *theirs}):
            if mine.get(key) != theirs.get(key):
                values = f"{json.dumps(theirs.get(key))} in {there}, {json.dumps(mine.get(key))} in {here}"
                yield f"{name}: {key}: {values}; {_remedy(name, key, mine.get(key))}"


def _remedy(name: str, key: str, value: Any) -> str:
    """What keeps the two apart: an override where one can say it, else results of their own."""
    slot, _, choice = name.partition(" ")
    if slot in METHODS and key not in INLINED:
        method, overrides = parse(choice)
        apart = spell(method, {**overrides, key: value})
        if not problem_of_name(apart):  # a path is no part of a folder's name
            return f"take it out of the file and write the choice as {apart}"
    return "give one of them results of its own, name: NAME"
