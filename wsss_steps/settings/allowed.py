"""What a setting may be, in words, from the JSON schema of its class, its default and meaning: for docs/settings.md."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import PydanticUndefined

from wsss_steps.settings.base import ORDER, SLOT, WORDS, Settings

Schema = Mapping[str, Any]
BOOLEAN = "`true` or `false`"
TABLE = "table like"  # and the name of a class of settings
ABOUT = ("title", "description", "default")
"""Keys of a schema that say nothing of what is allowed."""


@functools.cache
def properties(cls: type[Settings]) -> dict[str, Schema]:
    """The schema of each setting of a class, without what it says of meaning and default."""
    found = cls.model_json_schema()["properties"]
    return {name: {key: part for key, part in one.items() if key not in ABOUT} for name, one in found.items()}


def allowed(schema: Schema) -> str:
    """What a value of this schema may be, in Markdown. A ValueError for a schema that has no words here."""
    if WORDS in schema:
        return str(schema[WORDS])
    if SLOT in schema:
        return f"a choice of `{schema[SLOT]}`"
    if "$ref" in schema:
        return f"{TABLE} {schema['$ref'].rpartition('/')[2]}"
    if values := schema.get("enum", [schema["const"]] if "const" in schema else None):
        return one_of([f"`{value}`" for value in values])
    if parts := schema.get("anyOf", schema.get("oneOf")):
        return one_of([allowed(part) for part in parts])
    return _of_type(schema)


def one_of(parts: Sequence[str]) -> str:
    """The parts as alternatives: `a`, `b` or `c`; after a part with a comma, a semicolon."""
    *most, last = parts
    if not most:
        return last
    comma = any("," in part for part in most)
    return f"{('; ' if comma else ', ').join(most)}{'; or' if comma else ' or'} {last}"


def _of_type(schema: Schema) -> str:
    """In words, a schema that is of one type."""
    match schema.get("type"):
        case "null":
            return "`null`"
        case "boolean":
            return BOOLEAN
        case "integer" | "number":
            return f"{'whole number' if schema['type'] == 'integer' else 'number'}{_bounds(schema)}"
        case "string":
            return "text, not empty" if schema.get("minLength") else "text"
        case "array":
            return _list(schema)
        case "object":
            return _table(schema)
    raise ValueError(f"expected a schema whose type has words, found {json.dumps(schema)}")


def _bounds(schema: Schema) -> str:
    """The range of a number: `, 0 to 1`, `, above 0 and at most 8`, `, any`."""
    low, high = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if below is not None and high is not None and below <= high:  # of two bounds, the narrower
        high = None
    if low is not None and high is not None:
        return f", {number(low)} to {number(high)}"
    words = {"at least": low, "above": above, "at most": high, "below": below}
    said = [f"{word} {number(end)}" for word, end in words.items() if end is not None]
    return f", {' and '.join(said) or 'any'}"


def number(value: float) -> str:
    """A number as one writes it: 65,536, 0.05, 1."""
    return f"{int(value):,}" if value == int(value) else repr(value)


def _list(schema: Schema) -> str:
    """In words, a list: of fixed items, or of any number of the same kind."""
    if "prefixItems" in schema:
        return _fixed(schema) + (", the lower first" if ORDER in schema else "")
    least, most = schema.get("minItems", 0), schema.get("maxItems")
    count = f", {least} to {most} of them" if most else ", not empty" if least else ""
    return f"list{count}, each: {allowed(schema['items'])}"


def _fixed(schema: Schema) -> str:
    """In words, a list with a fixed number of items."""
    kinds = [allowed(part) for part in schema["prefixItems"]]
    if len(set(kinds)) == 1:
        return f"list of {len(kinds)}, each: {kinds[0]}"
    return f"list of {len(kinds)}: " + "; ".join(kinds)


def _table(schema: Schema) -> str:
    """In words, a table whose names are the user's own; `propertyNames` says which he may give."""
    names = f" ({allowed(schema['propertyNames'])})" if "propertyNames" in schema else ""
    for inner in (*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")):
        if isinstance(inner, Mapping):
            return f"table of names{names}, each: {allowed(inner)}"
    return "table"


def meaning(cls: type[Settings], name: str) -> str:
    """What a setting means: the first description in the class hierarchy, since a class may override only a default."""
    fields = [
        base.model_fields[name] for base in cls.__mro__ if issubclass(base, Settings) and name in base.model_fields
    ]
    return next((field.description for field in fields if field.description), "")


def default_of(cls: type[Settings], name: str) -> str:
    """The default of a setting, as one would write it in a configuration file."""
    default = cls.model_fields[name].default
    if default is PydanticUndefined:
        return "*required*"
    return "its defaults" if isinstance(default, Settings) else f"`{json.dumps(default)}`"
