"""Warnings: numbers beyond their limits, in order, as `warnings.json` holds them and as they are printed. No torch."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsss_steps.formats.files import read_json

KIND = "warnings"
# What spoils a result most comes first: what the classifier knows, what the labels show, the seeds, the tags.
ORDER: tuple[str, ...] = ("f1", "class_f1", "one_class", "filled", "empty", "empty_untagged", "missing", "pixels")
ORDER += ("background", "untagged", "coverage", "class_coverage", "together", "frequent", "fewest", "alone")
# The others are limits from above.
AT_LEAST = ("f1", "class_f1", "background", "coverage", "class_coverage", "fewest", "alone")
COUNTS = ("fewest", "alone")  # the others are shares or F1
KEPT = "\N{NO-BREAK SPACE}"  # at which no line is broken
WIDTH, RECIPES = 120, 2  # characters of a line, recipes that are named on it


@dataclass(frozen=True)
class Warned:
    """One warning: `value` is beyond the `limit` of that name; `recipes` is empty if it is about the tags alone."""

    check: str
    recipes: tuple[str, ...]
    about: str
    finding: str
    advice: str
    value: float
    limit: float
    images: Sequence[str] = ()

    @property
    def beyond(self) -> float:
        """How far the value lies beyond its limit, as a share of how far it could: 0 to 1."""
        if self.check in AT_LEAST:
            return (self.limit - self.value) / self.limit
        return (self.value - self.limit) / (1 - self.limit)

    def content(self) -> dict[str, Any]:
        """As `warnings.json` holds it."""
        return {
            "check": self.check,
            "recipe": "; ".join(self.recipes),
            "recipes": list(self.recipes),
            "about": self.about,
            "text": f"{self.finding}. {self.advice}",
            "finding": self.finding,
            "value": int(self.value) if self.check in COUNTS else round(float(self.value), 6),
            "limit": self.limit,
            "images": list(self.images),
        }


def passed(check: str, value: float, limits: Mapping[str, Any]) -> bool:
    """Whether a value is beyond its limit; a NaN never is."""
    return bool(value < limits[check] if check in AT_LEAST else value > limits[check])


def in_order(found: Iterable[Warned]) -> list[Warned]:
    """Most important first: by check, then by how far beyond the limit."""
    return sorted(found, key=lambda one: (ORDER.index(one.check), -one.beyond))


def worst(images: Sequence[str], values: NDArray[Any], where: NDArray[np.bool_], count: int) -> list[str]:
    """Up to `count` of the `images` of a selection, highest value first, else in their order."""
    chosen = np.flatnonzero(where)
    return [images[index] for index in chosen[np.argsort(-values[chosen], kind="stable")][:count]]


def percent(value: float) -> str:
    """A share in percent with three digits."""
    return f"{100 * value:.3g} %"


# ---- at the end of a run


def printed(path: Path) -> str:
    """The worst warning of each check in the file, as lines, and how many more there are."""
    found = read_json(path, KIND)["warnings"]
    if not found:
        return f"Warnings: none ({path})"
    lines = [f"Warnings: {len(found)}; the worst of each kind, with what it means in {path}"]
    for _, group in itertools.groupby(found, key=lambda one: one["check"]):
        first, *others = group
        line = _line(first, len(others)).replace(" %", f"{KEPT}%")
        lines += textwrap.wrap(line, WIDTH, initial_indent="  ", subsequent_indent="    ")
    return "\n".join(lines).replace(KEPT, " ")


def _line(one: Mapping[str, Any], others: int) -> str:
    names = one["recipes"]
    more = f" and {len(names) - RECIPES} more" if len(names) > RECIPES else ""
    where = f"{'; '.join(names[:RECIPES])}{more}: " if names else ""
    least = "at least " if one["check"] in AT_LEAST else ""
    limit = one["limit"] if one["check"] in ("f1", "class_f1", *COUNTS) else percent(one["limit"])
    return f"{where}{one['finding']} (limit: {least}{limit})" + (f", and {others} more such" if others else "")
