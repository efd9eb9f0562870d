"""What is checked of the config files themselves, and of the place for results, before anything is planned.

Snakemake reads the config files before any of our code runs. It takes the last of two equal keys without a word, and of
a file that is no YAML it does not say where. `python -m wsss_steps.preflight my.yaml` says it. Free of torch.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from wsss_steps.errors import UserError, all_wrong


class _Mapping(list[tuple[str, Any]]):
    """The pairs of a JSON object, equal keys included."""


def repeated(path: Path) -> list[str]:
    """One line for each key of a config file that stands twice in one mapping; a UserError if it is no YAML or JSON."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path}: no such config file") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: expected text in UTF-8 ({error})") from None
    try:
        return [f"{path}: {line}" for line in _repeated_in_json(json.loads(text, object_pairs_hook=_Mapping), "")]
    except ValueError:
        pass  # not JSON: YAML then, as Snakemake does it
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise UserError(f"{path}: neither YAML nor JSON: {_where(error)}") from None
    if not isinstance(node, yaml.MappingNode):
        raise UserError(f"{path}: expected keys with values (`dataset: mine`), found {text[:40].strip()!r}")
    return [f"{path}, {line}" for line in _repeated_in_yaml(node, set())]


def _where(error: yaml.YAMLError) -> str:
    """Line, column and reason of what the parser stumbled over."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    context = getattr(error, "context", None)
    if mark is None:
        return str(error)
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}" + (f" ({context})" if context else "")


def _repeated_in_yaml(node: yaml.Node, seen: set[int]) -> list[str]:
    """Line numbers and keys; `seen` are the nodes that an anchor has led to before."""
    if id(node) in seen:
        return []
    seen.add(id(node))
    lines, first = [], dict[str, int]()
    if isinstance(node, yaml.SequenceNode):
        return [line for part in node.value for line in _repeated_in_yaml(part, seen)]
    if not isinstance(node, yaml.MappingNode):
        return []
    for key, value in node.value:
        name, number = str(key.value), key.start_mark.line + 1
        if name in first:
            lines.append(f"line {number}: key '{name}' stands already in line {first[name]}; expected each key once")
        first.setdefault(name, number)
        lines += _repeated_in_yaml(value, seen)
    return lines


def _repeated_in_json(content: Any, place: str) -> list[str]:
    """Keys that stand twice, with the path of keys that leads to them."""
    if isinstance(content, _Mapping):
        names = [name for name, _ in content]
        twice = sorted({name for name in names if names.count(name) > 1})
        lines = [f"key '{place}{name}' stands twice; expected each key once" for name in twice]
        return lines + [line for name, value in content for line in _repeated_in_json(value, f"{place}{name}.")]
    if isinstance(content, list):
        return [line for value in content for line in _repeated_in_json(value, place)]
    return []


def unwritable(folder: Path) -> list[str]:
    """Why nothing can be written below `folder`, which need not exist yet; an empty list if it can."""
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists() or path.is_symlink())
    if not existing.is_dir():
        return [f"{folder}: expected a folder for results, found that {existing} is none"]
    if not os.access(existing, os.W_OK | os.X_OK):
        return [f"{folder}: cannot be written: {existing} is read-only for this user"]
    return []


def check(config_files: Iterable[Path], folders: Iterable[Path]) -> None:
    """Raise one UserError that lists the doubled keys of the config files, and the folders that cannot be written."""
    problems = [line for path in config_files for line in repeated(path)]
    all_wrong("before the first job", problems + [line for folder in folders for line in unwritable(folder)])


if __name__ == "__main__":
    try:
        check(map(Path, sys.argv[1:]), [])
    except UserError as error:
        sys.exit(f"ERROR {error}")
