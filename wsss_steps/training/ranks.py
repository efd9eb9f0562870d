"""Rank of this process among those that train one network, from torchrun's environment variables.

Free of torch. Only the leader, rank 0, writes files and saves states.
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
    """Whether this process is the leader, which writes the results."""
    return rank() == 0
