"""Digests of the source code that decides a step's output. Free of torch, so that planning is fast.

Snakemake does not notice an edit of a module behind `python -m`. So each rule has as a parameter a digest of the syntax
trees of the modules that its step and its methods import (inside this package): an edited comment, docstring or error
message changes nothing, an edited formula changes the digest of exactly the rules that import its module. What is
loaded by name (methods, networks) is found in folders, not in lists, so that an addition changes no digest either.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path

PACKAGE = "wsss_steps"
ROOT = Path(__file__).resolve().parents[1]
# These do not affect results: command line, progress and errors, digests, where weights are fetched from, and how a
# training resumes after an interruption or runs in several processes.
NOT_DECISIVE = {
    f"{PACKAGE}.{name}"
    for name in (
        "cli",
        "errors",
        "formats.states",
        "measuring",
        "pretrained.cache",
        "pretrained.sources",
        "processes",
        "progress",
        "provenance",
        "provenance.digests",
        "provenance.stamp",
        "training.devices",
        "training.distributed",
        "training.locks",
        "training.ranks",
        "training.resuming",
        "training.watching",
    )
}
FOLDER_MARK = ".snakemake_timestamp"  # Snakemake puts it into output folders
LEVELS = ("debug", "info", "warning", "error", "exception")
ACTING = (ast.NamedExpr, ast.Yield, ast.YieldFrom, ast.Await)


def source_of(module: str) -> Path | None:
    """The file of a module of this package, or None if there is none."""
    if module.split(".")[0] != PACKAGE:
        return None
    base = ROOT.joinpath(*module.split(".")[1:])
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def without_docstrings(tree: ast.Module) -> ast.Module:
    """The same tree, texts that stand alone taken out in place: docstrings, also those below a constant."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            body[:] = [statement for statement in body if not _is_text(statement)]
    return tree


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _message(node: ast.AST) -> ast.Call | None:
    """The call whose arguments are a message: that in `raise`, or such as `log.info`, `logging.getLogger().info`."""
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        return node.exc
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS:
        names = {part.id for part in ast.walk(node.func.value) if isinstance(part, ast.Name)}
        return node if names & {"log", "logging"} else None
    return None


def without_messages(tree: ast.Module) -> ast.Module:
    """Remove the messages of `raise` and logging from the tree, in place.

    A message with a side effect stays: one that contains an assignment, `yield` or `await`.
    """
    for node in ast.walk(tree):
        call = _message(node)
        if call is not None and not any(isinstance(part, ACTING) for part in ast.walk(call)):
            call.args, call.keywords = [], []
    return tree


@functools.cache
def parsed(path: Path) -> tuple[str, tuple[str, ...]]:
    """Digest of one source file's syntax tree, and the modules of this package that it imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    imported: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            imported += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    digest = hashlib.sha256(ast.dump(without_messages(without_docstrings(tree))).encode()).hexdigest()
    return digest, tuple(sorted({name for name in imported if source_of(name)}))


def sources(modules: Iterable[str]) -> list[str]:
    """The modules of this package that `modules` import, directly or indirectly, including themselves; sorted."""
    reached: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        path = source_of(module)
        if path is None:
            raise ValueError(f"no module '{module}' in {ROOT}")
        if module not in reached and module not in NOT_DECISIVE:
            reached.add(module)
            package = module.rpartition(".")[0]  # importing a module runs its package first
            waiting += [*parsed(path)[1], *([package] if source_of(package) else [])]
    return sorted(reached)


def code_digest(step: str, modules: Iterable[str] = ()) -> str:
    """Digest of the code that decides the output of a step that loads `modules` by name: 16 hexadecimal digits.

    Raises ValueError if the package has no such step or module.
    """
    modules = [f"{PACKAGE}.{name}" for name in (step, *modules)]
    parts = [f"{module} {parsed(path)[0]}" for module in sources(modules) if (path := source_of(module))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def loaded_digest() -> str:
    """Digest of the loaded modules of this package that decide results, however the process was started."""
    specs = (getattr(module, "__spec__", None) for module in list(sys.modules.values()))
    names = {spec.name for spec in specs if spec is not None} - NOT_DECISIVE
    parts = [f"{name} {parsed(path)[0]}" for name in sorted(names) if (path := source_of(name))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes; for a folder, of the names and bytes of all files below it."""
    if path.is_dir():
        files = sorted(entry for entry in path.rglob("*") if entry.is_file() and entry.name != FOLDER_MARK)
        lines = [f"{entry.relative_to(path).as_posix()} {file_digest(entry)}" for entry in files]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
