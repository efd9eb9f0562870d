"""Which names and paths the workflow can use: what is wrong with one is told before any job is planned.

Choices are the names of folders, and Snakemake reads `{...}` in a path as a wildcard and `<...>` as one of its path
variables. Free of torch.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

LONGEST_NAME, LONGEST_PATH = 255, 4096  # bytes, of Linux and most other systems; a path counts the zero at its end
BELOW_A_CHOICE = 320  # bytes: space for what steps write below the folder of a choice, such as shards and their images
SPECIAL = "{}<>"


def problem_of_name(text: str) -> str | None:
    """Why `text` cannot be the name of a file, in the form `expected ..., found ...`, or None if it can."""
    if "/" in text:
        return f"expected a file name, without '/', found '{text}'"
    if not text or text != text.strip() or text.startswith("."):
        return f"expected a file name without a dot before it or spaces around it, found '{text}'"
    return _problem(text) or _too_long(text)


def problem_of_path(text: str) -> str | None:
    """Why the workflow cannot take `text` as the path of a file or folder, or None if it can."""
    if not text.strip():
        return f"expected a path, found '{text}'"
    if problem := _problem(text):
        return problem
    if problem := next(filter(None, map(_too_long, Path(text).parts)), None):
        return problem
    return problem_of_length(Path(text).absolute())


def problem_of_length(path: Path, more: int = 0) -> str | None:
    """Why nothing can be written at `path`, if that and the `more` bytes below it are longer than a path may be."""
    size = len(os.fsencode(path)) + more
    if size < LONGEST_PATH:
        return None
    below = f", {more} of them for what is written below it" if more else ""
    return f"expected a path of less than {LONGEST_PATH} bytes, found {size}{below}: {path}"


def problems_of_paths(paths: Mapping[str, str]) -> Iterator[str]:
    """One line for each of the paths, by the key that gives it, that the workflow cannot take."""
    for key, path in paths.items():
        if problem := problem_of_path(path):
            yield f"{key}: {problem}"


def problems_of_results(dataset: str, lineages: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with the name of the data set, the names of its recipes, and the length of their folders."""
    if problem := problem_of_name(dataset):
        yield f"dataset: {problem}"
    for recipe, lineage in lineages.items():
        if problem := problem_of_name(recipe):
            yield f"recipes: {problem}"
        longest = Path("logs", dataset, "benchmarks", lineage).absolute()
        if problem := problem_of_length(longest, BELOW_A_CHOICE):
            yield f"recipes.{recipe}: {problem}"


def _problem(text: str) -> str | None:
    """What is said of characters that have a meaning for Snakemake or cannot be seen, if there are any."""
    found = sorted({character for character in text if character in SPECIAL or not character.isprintable()})
    if not found:
        return None
    listed = " ".join(ascii(character)[1:-1] for character in found)
    return f"expected none of {' '.join(SPECIAL)} and no control characters, found {listed} in {text!r}"


def _too_long(name: str) -> str | None:
    """What is said of a name that no file can have for its length."""
    if (size := len(os.fsencode(name))) <= LONGEST_NAME:
        return None
    return f"expected a file name of at most {LONGEST_NAME} bytes, found {size}: '{name}'"
