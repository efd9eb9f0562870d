"""Several processes that train one network, started by torchrun: which one this is, as the environment says.

Free of torch. The leader, rank 0, alone writes files and keeps states.
"""

from __future__ import annotations

import os


def rank() -> int:
    """The number of this process, 0 if it is alone."""
    return int(os.environ.get("RANK", "0"))


def world() -> int:
    """How many processes train together, 1 if this one is alone."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def leads() -> bool:
    """Whether this process writes what all have made."""
    return rank() == 0
