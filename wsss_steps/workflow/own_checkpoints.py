"""Which code a checkpoint of this workflow needs that a user gives: its method and the family of its backbone."""

from __future__ import annotations

from pathlib import Path

from wsss_steps.errors import UserError
from wsss_steps.formats.weights import kind_of_weights, read_weights_content
from wsss_steps.nets.families import family_of

KIND = "classifier"


def modules_of(path: str) -> tuple[str, ...]:
    """The modules below the package that the classifier in a file loads by name; none of any other file."""
    if not Path(path).is_file() or kind_of_weights(Path(path)) != KIND:
        return ()
    try:
        content = read_weights_content(Path(path), KIND)
        family = family_of(content["network"]["backbone"]["net"])
    except (UserError, LookupError):  # the step says what is wrong with it
        return ()
    return f"methods.{KIND}.{content['method']}", f"nets.backbones.{family}"
