"""The one spelling of a choice: `method~key=value~key=value`, a choice within it in brackets.

A choice is the name of a folder, so what is equal must be spelled alike: keys are sorted, numbers have one form, and
`choices.resolve` drops what is equal to the configured value. `+` stands between the links of a chain. Free of torch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from wsss_steps.errors import UserError
from wsss_steps.workflow import names

OVERRIDE = "~"
THEN = "+"
LINK = r"(?:[^/+()]|\((?:[^/()]|\([^/()]*\))*\))+"
"""Regular expression of one link of a chain in its one spelling: outside brackets there is no `+`."""
NESTED = "~=()+"  # characters for which a text, such as a choice within a choice, is put in brackets
NOT_YAML = (yaml.YAMLError, ValueError, LookupError, AttributeError)  # the latter of a !tag on what does not suit it


def parse(text: str) -> tuple[str, dict[str, Any]]:
    """Method and overrides of a choice: `dino~tau=0.5~features=(keys~centre=true)`.

    That is ("dino", {"tau": 0.5, "features": "keys~centre=true"}). A UserError if it is none, or cannot name a folder.
    """
    if problem := names.problem_of_name(text):
        raise UserError(f"choice '{text}': {problem}")
    method, *parts = _split(text, OVERRIDE)
    overrides: dict[str, Any] = {}
    for part in parts:
        key, equals, value = part.partition("=")
        if not (key and equals and value):
            raise UserError(f"choice '{text}': expected method~key=value~key=value, found the part '{part}'")
        if key in overrides:
            raise UserError(f"choice '{text}': duplicate override of '{key}'")
        overrides[key] = _value(text, key, value)
    if not method:
        raise UserError(f"choice '{text}': expected a method's name before the first ~")
    return method, overrides


def spell(method: str, overrides: Mapping[str, Any]) -> str:
    """The choice of a method with these overrides, values as they are in JSON."""
    return OVERRIDE.join([method, *(f"{key}={_spelled(overrides[key])}" for key in sorted(overrides))])


def links(text: str) -> list[str]:
    """The links of a chain, of which each works on what the one before it wrote: `cam+pamr` is cam, then pamr.

    A choice without `+` is a chain of one link. The `+` of a number, as in 1e+5, and those in brackets divide nothing.
    """
    return list(_split(text, THEN))


def _split(text: str, divider: str) -> Iterator[str]:
    """The parts of a choice between dividers outside brackets; after a `+` there must be more than a number."""
    depth, start = 0, 0
    for place, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth < 0:
            break
        if character == divider and depth == 0 and not (divider == THEN and text[place + 1 : place + 2].isdigit()):
            yield text[start:place]
            start = place + 1
    if depth != 0:
        raise UserError(f"choice '{text}': expected a closing bracket for each opening one")
    yield text[start:]


def _value(text: str, key: str, value: str) -> Any:
    """What an override sets `key` to; a UserError if it is neither a choice in brackets nor YAML."""
    if value.startswith("(") and value.endswith(")"):
        return value[1:-1]
    try:
        return yaml.safe_load(value)
    except NOT_YAML:
        raise UserError(f"choice '{text}': expected a value of '{key}' in YAML, found '{value}'") from None


def _spelled(value: Any) -> str:
    """A value as an override says it: `parse` reads the same value from it."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value).replace("e+", "e")
    if isinstance(value, list):
        return f"[{','.join(map(_spelled, value))}]"
    if isinstance(value, str):
        if any(character in value for character in NESTED):
            return f"({value})"
        return value if _reads_as_text(value) else json.dumps(value, ensure_ascii=False)
    return json.dumps(value)


def _reads_as_text(value: str) -> bool:
    """Whether YAML reads the very text, not a number, a truth value or a list."""
    try:
        return bool(yaml.safe_load(value) == value)
    except NOT_YAML:
        return False
