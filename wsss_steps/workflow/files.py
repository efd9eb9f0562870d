"""The user's lists and tables, and the folders that not every configuration has, for the rules. Free of torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from wsss_steps.data import layouts as reading
from wsss_steps.provenance.digests import code_digest
from wsss_steps.workflow import layouts
from wsss_steps.workflow.config import Config
from wsss_steps.workflow.layouts.folder import named_by_column

Wildcards = Mapping[str, str]
Files = str | list[str]


def list_of_split(config: Config, wildcards: Wildcards) -> Files:
    """The list of the split's images, if there is one."""
    listed = layouts.of(config).list_of(config, wildcards["split"])
    return [] if listed is None else Path(config.base, listed).as_posix()


def table_of_tags(config: Config, wildcards: Wildcards) -> Files:
    """The table of tags, if there is one and the split has tags."""
    split = wildcards["split"]
    found = layouts.of(config).table_of(Path(config.base), config, split)
    return [] if found is None else Path(found.replace("{split}", split)).as_posix()


def code_of_layout(config: Config, _: Wildcards, step: str) -> str:
    """Digest of the sources that a step imports which reads a data set, and of those that read its layout."""
    return code_digest(step, reading.modules(layouts.name_of(config)))


def is_written(config: Config, name: str) -> bool:
    """Whether a configuration has the output of a name, a folder that not every one has.

    Those are copies of large images, label maps at the size of the copies, and the saliency maps that a table names.
    """
    sized = config.max_side is not None
    return {"copies": sized, "working": sized, "saliency": named_by_column(config)}[name]
