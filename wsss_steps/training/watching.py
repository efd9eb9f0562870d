"""What looks on while a network is trained, and decides nothing of it.

A watcher is entered here, not handed down to the loop, so that one more of them changes the code digest of no training
but its own. What it has seen is part of the state from which an interrupted training resumes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Protocol


class Watcher(Protocol):
    """Looks at a network while it is trained. It must leave the network, its modes and all generators as they are."""

    def look(self, network: Any, epoch: int) -> None:
        """Called before the first step, and after each, with the number of finished epochs."""
        ...

    def end(self, network: Any) -> None:
        """Called after the last step, before the outputs of the training are written."""
        ...

    def state(self) -> dict[str, Any]:
        """All that it has seen, as `write_state` takes it."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from where `state` was taken."""
        ...


WATCHERS: list[Watcher] = []


@contextlib.contextmanager
def watched(watcher: Watcher) -> Iterator[None]:
    """Within the block, `watcher` looks on at every training of this process."""
    WATCHERS.append(watcher)
    try:
        yield
    finally:
        WATCHERS.remove(watcher)
