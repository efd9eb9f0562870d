"""From a file of weights, as it is published, to tensors under the names of the network: a module per kind of file.

A reader has `read(path, entry) -> {name: tensor}` (an `entry` of the table) and raises a UserError if the file is not
what it reads. None of them runs code from a file.
"""

from __future__ import annotations

import importlib
from pathlib import Path

from torch import Tensor

from wsss_steps.pretrained.table import Entry


def read(entry: Entry, path: Path) -> dict[str, Tensor]:
    """The tensors of an entry in its file, by the reader that the table names."""
    found: dict[str, Tensor] = importlib.import_module(f"{__name__}.{entry.reader}").read(path, entry)
    return found
