"""What is wrong with settings, in words for the user."""

from __future__ import annotations

from pydantic import ValidationError
from pydantic_core import ErrorDetails


def explain(error: ValidationError) -> list[str]:
    """One line for each thing wrong: key, what was expected, what was found."""
    lines = []
    for part in error.errors():
        key = ".".join(str(step) for step in part["loc"])
        if part["type"] == "extra_forbidden":
            lines.append(f"{key}: unknown key")
        elif part["type"] == "missing":
            lines.append(f"{key}: this key is required")
        elif part["type"] == "value_error":  # of our own validators, which say what they found
            lines.append(f"{key}: {part['ctx']['error']}" if key else str(part["ctx"]["error"]))
        else:
            lines.append(f"{key}: {part['msg']} (found {part['input']!r}){_hint(part)}" if key else part["msg"])
    return lines


def _hint(part: ErrorDetails) -> str:
    """The way out, where YAML reads something else than what was meant."""
    if part["type"].startswith("int") and isinstance(part["input"], str):
        return "; write a whole number in digits, without an exponent or quotes"
    if part["type"] == "string_type" and isinstance(part["input"], bool):
        return "; YAML reads yes, no, on and off as truth values: put the word in quotes"
    if part["type"] == "string_type" and isinstance(part["input"], int | float):
        return "; put it in quotes"
    return ""
