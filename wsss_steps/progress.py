"""Progress of long loops with the time left: a bar on a terminal, occasional lines in a log."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

from wsss_steps import measuring

Item = TypeVar("Item")
SECONDS_BETWEEN_LINES = 10.0  # shows that the job is alive, and keeps the log of a long one readable


def clock(seconds: float) -> str:
    """Seconds as h:mm:ss or m:ss."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"


def track(items: Iterable[Item], total: int, what: str) -> Iterator[Item]:
    """Yield `items`; meanwhile show how many of `total` are done and the time left, in units named `what`."""
    log = logging.getLogger(__name__)
    items = measuring.watched(items, what, total) if measuring.active() else items
    start = last = time.monotonic()
    with tqdm(total=total, desc=what, leave=False, disable=not sys.stderr.isatty()) as bar:
        for done, item in enumerate(items, start=1):
            yield item
            bar.update()
            now = time.monotonic()
            if not sys.stderr.isatty() and (now - last >= SECONDS_BETWEEN_LINES or done == total):
                last = now
                left = (now - start) / done * (total - done)
                log.info("%s: %d of %d, %s gone, %s left", what, done, total, clock(now - start), clock(left))
