"""What is checked of the config files themselves, and of the place for results, before anything is planned.

Snakemake reads the config files before any of our code runs. It takes the last of two equal keys without a word, and of
a file that is no YAML it does not say where. `python -m wsss_steps check my.yaml` says it. A few lines of aliases can
stand for more text than any computer holds: that is told before anything walks through the values. Free of torch.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from wsss_steps.errors import UserError, all_wrong

MOST_CHARACTERS = 1_000_000  # of a config with its aliases written out; the largest of this project has 4,000
MOST_LEVELS = 50  # of mappings and sequences in each other; the deepest of this project has 6


class _Mapping(list[tuple[str, Any]]):
    """The pairs of a JSON object, equal keys included."""


def repeated(path: Path) -> list[str]:
    """One line for each duplicate key of a mapping in a config file.

    A UserError if it is no YAML or JSON, nested too deeply, or too large once its aliases are written out.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path}: no such config file") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: expected text in UTF-8 ({error})") from None
    try:
        content = json.loads(text, object_pairs_hook=_Mapping)
        _check_extent(path, content, _parts_of_json)
        return [f"{path}: {line}" for line in _repeated_in_json(content, "")]
    except UserError:
        raise
    except ValueError:
        pass  # not JSON: YAML then, as Snakemake does it
    except RecursionError:
        raise _too_deep(path) from None
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise UserError(f"{path}: neither YAML nor JSON: {_where(error)}") from None
    except RecursionError:
        raise _too_deep(path) from None
    if not isinstance(node, yaml.MappingNode):
        raise UserError(f"{path}: expected keys with values (`dataset: mine`), found {text[:40].strip()!r}")
    _check_extent(path, node, _parts_of_yaml)
    return [f"{path}, {line}" for line in _repeated_in_yaml(node, set())]


def _too_deep(path: Path) -> UserError:
    return UserError(f"{path}: expected at most {MOST_LEVELS} levels of keys and lists in each other, found more")


def _parts_of_yaml(node: yaml.Node) -> tuple[int, Sequence[yaml.Node]]:
    """Characters of a node's own, and the nodes in it: an alias is the very node that its anchor names."""
    if isinstance(node, yaml.MappingNode):
        return 1, [part for pair in node.value for part in pair]
    return (1, node.value) if isinstance(node, yaml.SequenceNode) else (1 + len(node.value), ())


def _parts_of_json(content: Any) -> tuple[int, Sequence[Any]]:
    """Characters of a value's own, and the values in it."""
    if isinstance(content, _Mapping):
        return 1 + sum(len(name) for name, _ in content), [value for _, value in content]
    return (1, content) if isinstance(content, list) else (1 + len(str(content)), ())


def _check_extent(path: Path, root: Any, parts_of: Callable[[Any], tuple[int, Sequence[Any]]]) -> None:
    """A UserError for a tree that is too large with every alias written out, too deep, or without end.

    Every node is visited once, however often aliases name it, and without recursion.
    """
    extents: dict[int, tuple[int, int]] = {}  # of a node that is done: characters, levels
    within: set[int] = set()  # the node and all that it is part of
    waiting = [(root, False)]
    while waiting:
        node, done = waiting.pop()
        if id(node) in extents:
            continue
        own, parts = parts_of(node)
        if done:
            within.remove(id(node))
            inner = [extents[id(part)] for part in parts]
            characters = own + sum(part for part, _ in inner)
            levels = 1 + max((part for _, part in inner), default=0)
            if characters > MOST_CHARACTERS:
                raise UserError(
                    f"{path}: expected at most {MOST_CHARACTERS:,} characters, found more, counting what an alias "
                    "(`*name`) stands for each time that it is used; use fewer aliases"
                )
            if levels > MOST_LEVELS:
                raise _too_deep(path)
            extents[id(node)] = characters, levels
        elif id(node) in within:
            line = node.start_mark.line + 1
            raise UserError(
                f"{path}, line {line}: expected values that end, found an alias (`*name`) inside what it refers to"
            )
        else:
            within.add(id(node))
            waiting.append((node, True))
            waiting += [(part, False) for part in parts]


def _where(error: yaml.YAMLError) -> str:
    """Line, column and reason of what the parser stumbled over."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    context = getattr(error, "context", None)
    if mark is None:
        return str(error)
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}" + (f" ({context})" if context else "")


def _repeated_in_yaml(node: yaml.Node, seen: set[int]) -> list[str]:
    """Line numbers and keys; `seen` are the nodes that an anchor has led to before.

    ruamel.yaml would tell the first one alone, not where the other is, and none in a mapping with a merge (`<<`).
    """
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
            lines.append(f"line {number}: key '{name}' is already in line {first[name]}; expected each key once")
        first.setdefault(name, number)
        lines += _repeated_in_yaml(value, seen)
    return lines


def _repeated_in_json(content: Any, place: str) -> list[str]:
    """Duplicate keys, with the path of keys that leads to them."""
    if isinstance(content, _Mapping):
        names = [name for name, _ in content]
        twice = sorted(name for name, count in Counter(names).items() if count > 1)
        lines = [f"duplicate key '{place}{name}'" for name in twice]
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
