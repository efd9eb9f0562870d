"""Bring weights that a configuration names from the cache, or from where they are published, into the results."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from wsss_steps.cli import main
from wsss_steps.errors import UserError
from wsss_steps.formats.weights import write_weights
from wsss_steps.pretrained import cache, readers
from wsss_steps.pretrained.table import table

log = logging.getLogger(__name__)


def run(*, output: Path, settings: dict[str, Any], stamp: str = "") -> None:
    """Write the tensors of an entry of the table of weights under the names of its network, as safetensors.

    settings: the entry's `identity`. UserError if its file can be neither found nor fetched, or is another one.
    """
    entry = table().of(settings["name"])
    if entry.identity() != settings:
        raise UserError(f"weights {entry.name}: expected {settings}, found {entry.identity()} in the table")
    path = cache.fetched(entry)
    state = readers.read(entry, path)
    about = {"name": entry.name, "net": entry.net, "mean": list(entry.mean), "std": list(entry.std)}
    about |= {"licence": entry.licence, "trained_on": entry.trained_on, "file": entry.file}
    write_weights(output, "pretrained", state, content=about, stamp=stamp)
    log.info("weights %s for %s: %d tensors of %s", entry.name, entry.net, len(state), path)


if __name__ == "__main__":
    main(run)
