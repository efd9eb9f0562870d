"""What the settings of everything that a user already has are made of; see `workflow/given.py`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from wsss_steps.settings.base import Settings

UNKNOWN = "supervision unknown"
NUMBERS = "from 0, without background"
Numbers = Annotated[dict[str, Annotated[int, Field(ge=0, le=65_535)]], Field(max_length=254)]
"""Class -> its number in the user's file."""


class Given(Settings):
    """A file or folder of the user's in place of what a step would make: a rule `import_<slot>` checks and reads it."""

    path: str = Field("{root}/given", description="file or folder; `{root}` is the folder of the data set")
    supervision: str = Field(
        UNKNOWN,
        description="what it was trained on, or made from: declared in summary.csv in every row that rests on it; "
        "empty: image-level tags alone, which is not declared; a change of it reruns the tables alone",
    )
